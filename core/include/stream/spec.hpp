/// What an operator declares about itself. Validation, `stream inspect`, `--set`, the recipes' JSON schema
/// and the man pages all come from here; nothing is documented twice.
#pragma once

#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "stream/payload.hpp"
#include "stream/time.hpp"

namespace stream {

class Params;

enum class ParamType : std::uint8_t {
  kBool,
  kInteger,
  kNumber,
  kString,
  kDuration,  ///< "250ms", "1.5s", "2h"; read as Duration
  kPath,      ///< a file; `-` is stdin or stdout; relative to the working directory
  kIntegers,
  kNumbers,
  kStrings,
};
const char* name_of(
    ParamType type);  ///< "boolean", "integer", "number", "string", "duration", "path", "integers", ...

/// Closed interval that a number (every number, for lists) must lie in.
struct Range {
  double low, high;
};
constexpr Range range(double low, double high) { return {low, high}; }
constexpr Range at_least(double low) { return {low, std::numeric_limits<double>::infinity()}; }
struct Choices {
  std::vector<std::string> names;
};
inline Choices choices(std::initializer_list<const char*> names) { return {{names.begin(), names.end()}}; }
/// A unit for people: "dB", "Hz", "packets".
struct Unit {
  std::string name;
};
inline Unit unit(std::string name) { return {std::move(name)}; }

struct Param {
  std::string name;
  ParamType type = ParamType::kString;
  Value fallback;  ///< null when the parameter is required
  bool required = false;
  std::string doc;  ///< one sentence, no capital, no full stop
  std::optional<Range> range;
  std::vector<std::string> choices;
  std::string unit;
};

struct Port {
  std::string name;
  PayloadType type = PayloadType::kAny;  ///< an output of kAny passes on the type of the first input
  std::string doc;
  bool optional = false;  ///< an input that may be left unconnected
};

/// How state grows with the stream.
enum class Growth : std::uint8_t { kConstant, kLogarithmic, kLinear };
/// What may be assumed about the order of packets that come out.
enum class Order : std::uint8_t {
  kStateless,  ///< each packet alone decides its outputs
  kStateful,   ///< outputs depend on packets before, in the order of event time
  kArrival,    ///< inputs are taken as they arrive: live use, reported as non-deterministic
};
/// Cheap operators are fused into chains; a heavy one gets a flow-graph node of its own.
enum class Cost : std::uint8_t { kCheap, kHeavy };

/// What an operator promises; `stream check` proves it.
struct Contract {
  /// Output at event time t depends on input up to t + lookahead and has been emitted when the input passes
  /// that time. The graph advances downstream clocks by this promise, so an operator that emits later than
  /// it declared is stopped with an error.
  Duration lookahead{0};
  Growth state = Growth::kConstant;
  std::string grows_with = {};  ///< the unit of growth: "items", "seconds"; empty for constant state
  Order order = Order::kStateful;
  Cost cost = Cost::kCheap;
  bool keyed = false;  ///< one instance, with its own state, for each key
};
const char* name_of(Growth growth);
const char* name_of(Order order);

class Spec {
 public:
  /// `name`: "family.operator", lower case. `summary`: one sentence.
  Spec(std::string name, std::string summary) : name_(std::move(name)), summary_(std::move(summary)) {}

  template <typename P>
  Spec input(std::string port, std::string doc = {}) && {
    return std::move(*this).input(std::move(port), type_of<P>(), std::move(doc));
  }
  Spec input(std::string port, PayloadType type, std::string doc = {}) &&;
  template <typename P>
  Spec optional_input(std::string port, std::string doc = {}) && {
    auto self = std::move(*this).input(std::move(port), type_of<P>(), std::move(doc));
    self.inputs_.back().optional = true;
    return self;
  }
  template <typename P>
  Spec output(std::string port, std::string doc = {}) && {
    return std::move(*this).output(std::move(port), type_of<P>(), std::move(doc));
  }
  Spec output(std::string port, PayloadType type, std::string doc = {}) &&;

  /// Optional parameter. The type follows from the default: bool, integer, double, string, Duration, or a
  /// std::vector of std::int64_t, double or std::string. Extras in any order: range(...), choices({...}),
  /// unit("...").
  template <typename T, typename... Extras>
  Spec param(std::string name, T fallback, std::string doc, Extras... extras) && {
    Param p = make_param(std::move(name), std::move(fallback), std::move(doc));
    (apply(p, extras), ...);
    return std::move(*this).add(std::move(p));
  }
  /// Required parameter of type T.
  template <typename T, typename... Extras>
  Spec required(std::string name, std::string doc, Extras... extras) && {
    Param p = make_param(std::move(name), T{}, std::move(doc));
    p.fallback = {};
    p.required = true;
    (apply(p, extras), ...);
    return std::move(*this).add(std::move(p));
  }
  /// A file; a null default makes it required.
  Spec path(std::string name, const char* fallback, std::string doc) &&;

  Spec contract(Contract c) && {
    contract_ = std::move(c);
    return std::move(*this);
  }
  /// For contracts that depend on parameters; called with the defaults for documentation.
  Spec contract(std::function<Contract(const Params&)> f) && {
    contract_of_ = std::move(f);
    return std::move(*this);
  }
  /// Longer description, paragraphs of plain text or Markdown.
  Spec about(std::string text) && {
    about_ = std::move(text);
    return std::move(*this);
  }
  /// "Authors, Title, venue or arXiv number".
  Spec paper(std::string citation) && {
    paper_ = std::move(citation);
    return std::move(*this);
  }
  /// A whole recipe in TOML, which the tests validate. At least one for each operator.
  Spec example(std::string title, std::string recipe) && {
    examples_.push_back({std::move(title), std::move(recipe)});
    return std::move(*this);
  }

  const std::string& name() const { return name_; }
  const std::string& summary() const { return summary_; }
  const std::string& about() const { return about_; }
  const std::string& paper() const { return paper_; }
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  const std::vector<Param>& params() const { return params_; }
  struct Example {
    std::string title, recipe;
  };
  const std::vector<Example>& examples() const { return examples_; }
  /// The contract under these parameters.
  Contract contract(const Params& params) const;
  const Contract& contract() const { return contract_; }
  bool source() const { return inputs_.empty(); }
  bool sink() const { return outputs_.empty(); }
  const Param* find_param(std::string_view name) const;

  /// The manifest's form of a spec, and back. The contract is the one under default parameters.
  Value to_value() const;
  static Spec from_value(const Value& value);

 private:
  template <typename P>
  static constexpr PayloadType type_of() {
    if constexpr (std::is_same_v<P, Payload>)
      return PayloadType::kAny;
    else
      return P::kType;
  }
  template <typename T>
  static Param make_param(std::string name, T fallback, std::string doc);
  static void apply(Param& p, const Range& r) { p.range = r; }
  static void apply(Param& p, const Choices& c) { p.choices = c.names; }
  static void apply(Param& p, const Unit& u) { p.unit = u.name; }
  Spec add(Param p) &&;

  std::string name_, summary_, about_, paper_;
  std::vector<Port> inputs_, outputs_;
  std::vector<Param> params_;
  std::vector<Example> examples_;
  Contract contract_;
  std::function<Contract(const Params&)> contract_of_;
};

template <typename T>
Param Spec::make_param(std::string name, T fallback, std::string doc) {
  Param p;
  p.name = std::move(name);
  p.doc = std::move(doc);
  if constexpr (std::is_same_v<T, bool>) {
    p.type = ParamType::kBool, p.fallback = fallback;
  } else if constexpr (std::is_integral_v<T>) {
    p.type = ParamType::kInteger, p.fallback = static_cast<std::int64_t>(fallback);
  } else if constexpr (std::is_floating_point_v<T>) {
    p.type = ParamType::kNumber, p.fallback = static_cast<double>(fallback);
  } else if constexpr (std::is_convertible_v<T, Duration>) {
    p.type = ParamType::kDuration, p.fallback = std::to_string(Duration(fallback).count()) + "ns";
  } else if constexpr (std::is_convertible_v<T, std::string>) {
    p.type = ParamType::kString, p.fallback = std::string(fallback);
  } else {
    using E = typename T::value_type;
    p.type = std::is_integral_v<E>         ? ParamType::kIntegers
             : std::is_floating_point_v<E> ? ParamType::kNumbers
                                           : ParamType::kStrings;
    Array values;
    for (const auto& v : fallback) values.emplace_back(v);
    p.fallback = std::move(values);
  }
  return p;
}

/// "1h30m", "250ms", "1.5s", "10us", "7ns" or a bare number of seconds; throws Error(kUsage) otherwise.
Duration parse_duration(std::string_view text);
/// The shortest of those forms that reads back to the same duration.
std::string to_string(Duration duration);

}  // namespace stream
