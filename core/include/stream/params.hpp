/// An operator's parameters, checked against its spec and completed with defaults, and what it may know
/// about the run that it is part of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stream/random.hpp"
#include "stream/spec.hpp"

namespace stream {

class EnvironmentMaker;

/// The run, as far as it concerns one operator.
struct Context {
  std::string node;              ///< the node's id in the recipe
  std::string recipe_dir = ".";  ///< folder of the recipe file
  std::string cache_dir;         ///< empty when caching is off
  std::string device = "cpu";    ///< "cpu", "cuda" or "cuda:N"
  std::uint64_t seed = 0;        ///< of the run; take random numbers from Params::random
  /// Where make_environment (stream/environment.hpp) looks; null outside a registry.
  EnvironmentMaker* environments = nullptr;
};

class Params {
 public:
  /// Checks `given` against the spec: unknown names, types, ranges, choices, missing ones. Throws
  /// Error(kBadRecipe) that lists every fault.
  Params(const Spec& spec, const Object& given, Context context = {});

  /// T: bool, integers, double, float, std::string, Duration, std::vector<std::int64_t|double|std::string>.
  /// Asking for a name that the spec does not declare is a bug in the operator and throws std::logic_error.
  template <typename T>
  T get(std::string_view name) const;

  /// A file to read: as written when it is absolute, "-" or there; otherwise looked up beside the recipe and
  /// in the installed share folder. Returned as written when it is nowhere.
  std::string input_path(std::string_view name) const;

  const Context& context() const { return context_; }
  /// A generator of its own for this node (and purpose), fixed by the run's seed.
  Random random(std::string_view purpose = {}) const;
  const Object& values() const { return values_; }

 private:
  const Value& value(std::string_view name) const;
  Object values_;
  Context context_;
};

/// One fault in a parameter: which, and a sentence. Empty when `given` is fine. `value` is what stands there.
std::string check_param(const Param& param, const Value& value);

template <typename T>
T Params::get(std::string_view name) const {
  const Value& v = value(name);
  if constexpr (std::is_same_v<T, bool>)
    return v.as_bool();
  else if constexpr (std::is_same_v<T, Duration>)
    return parse_duration(v.as_string());
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(v.as_integer());
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(v.as_double());
  else if constexpr (std::is_same_v<T, std::string>)
    return v.as_string();
  else {
    T out;
    for (const Value& e : v.as_array()) {
      using E = typename T::value_type;
      if constexpr (std::is_same_v<E, std::string>)
        out.push_back(e.as_string());
      else if constexpr (std::is_integral_v<E>)
        out.push_back(static_cast<E>(e.as_integer()));
      else
        out.push_back(static_cast<E>(e.as_double()));
    }
    return out;
  }
}

}  // namespace stream
