#include "stream/environment.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "stream/error.hpp"

namespace stream {
namespace {

/// A bound as JSON; the infinities, which JSON lacks, as null.
Value bound_value(double bound) { return std::isfinite(bound) ? Value(bound) : Value(); }

double bound_of(const Value& value, double unbounded) {
  return value.is_null() ? unbounded : value.as_double();
}

Value bounds_value(const std::vector<double>& bounds) {
  if (bounds.size() == 1) return bound_value(bounds[0]);
  Array out;
  for (const double bound : bounds) out.push_back(bound_value(bound));
  return out;
}

std::vector<double> bounds_of(const Value* value, double unbounded) {
  if (!value) return {unbounded};
  if (!value->is_array()) return {bound_of(*value, unbounded)};
  std::vector<double> out;
  for (const Value& bound : value->as_array()) out.push_back(bound_of(bound, unbounded));
  return out;
}

/// 7, not 7.0, where it is one: that is what was written.
std::string shown(double number) {
  return std::abs(number) < 1e15 && number == std::floor(number)
             ? std::to_string(static_cast<std::int64_t>(number))
             : Value(number).dump();
}

}  // namespace

Environment::~Environment() = default;
EnvironmentMaker::~EnvironmentMaker() = default;

Space Space::discrete(std::vector<std::string> names) {
  Space space;
  space.shape = {1};
  space.choices = static_cast<std::int64_t>(names.size());
  space.low = {0};
  space.high = {static_cast<double>(names.size()) - 1};
  space.names = std::move(names);
  return space;
}

Space Space::box(std::vector<std::int64_t> shape, double low, double high, std::vector<std::string> names) {
  Space space;
  space.shape = std::move(shape);
  space.low = {low};
  space.high = {high};
  space.names = std::move(names);
  return space;
}

Space Space::box(std::vector<double> low, std::vector<double> high, std::vector<std::string> names) {
  if (low.size() != high.size()) throw std::logic_error("a space with unequal numbers of bounds");
  Space space;
  space.shape = {static_cast<std::int64_t>(low.size())};
  space.low = std::move(low);
  space.high = std::move(high);
  space.names = std::move(names);
  return space;
}

std::size_t Space::size() const {
  std::size_t size = 1;
  for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
  return size;
}

Value Space::to_value() const {
  Object o{{"kind", is_discrete() ? "discrete" : "box"}};
  if (is_discrete()) {
    o.set("choices", choices);
  } else {
    Array extents;
    for (const std::int64_t extent : shape) extents.emplace_back(extent);
    o.set("shape", std::move(extents)).set("low", bounds_value(low)).set("high", bounds_value(high));
  }
  if (!names.empty()) {
    Array out;
    for (const std::string& name : names) out.emplace_back(name);
    o.set("names", std::move(out));
  }
  return o;
}

Space Space::from_value(const Value& value) {
  const Object& o = value.as_object();
  const auto member = [&](const char* name) -> const Value& {
    if (const Value* v = o.find(name)) return *v;
    throw bad_data(std::string("a space without '") + name + "'");
  };
  Space space;
  if (const Value* names = o.find("names")) {
    for (const Value& name : names->as_array()) space.names.push_back(name.as_string());
  }
  if (member("kind").as_string() == "discrete") {
    space.shape = {1};
    space.choices = member("choices").as_integer();
    space.low = {0};
    space.high = {static_cast<double>(space.choices) - 1};
    return space;
  }
  for (const Value& extent : member("shape").as_array()) space.shape.push_back(extent.as_integer());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  space.low = bounds_of(o.find("low"), -kInfinity);
  space.high = bounds_of(o.find("high"), kInfinity);
  return space;
}

Environment::Environment(Spaces spaces, std::int64_t limit)
    : spaces_(std::move(spaces)),
      action_size_(spaces_.action.size()),
      observation_(spaces_.observation.size()),
      limit_(limit) {}

std::span<const double> Environment::reset(std::uint64_t seed) {
  random_ = Random(seed);
  steps_ = 0;
  start(observation_);
  running_ = true;
  return observation_;
}

void Environment::refuse(std::span<const double> action) const {
  if (!running_) throw bad_data("a step outside an episode: it is over, or was never begun by a reset");
  if (action.size() != action_size_) {
    throw bad_data("an action of " + std::to_string(action.size()) + " numbers where " +
                   std::to_string(action_size_) + " are expected");
  }
  if (spaces_.action.is_discrete()) {
    throw bad_data("action " + shown(action[0]) + " where a whole number from 0 to " +
                   std::to_string(spaces_.action.choices - 1) + " is expected");
  }
  throw bad_data("an action that holds something that is no number (NaN)");
}

void Environment::save(Archive& state) const {
  state.set("running", running_);
  if (!running_) return;
  state.set("steps", steps_);
  state.set("rng", random_.state());
  state.set("observation", observation_);
  store(state.group("world"));
}

std::vector<double> Environment::stored(const Archive& state, std::string_view name, std::size_t size) {
  auto values = state.get<std::vector<double>>(name);
  if (values.size() != size) {
    throw bad_data("'" + std::string(name) + "' holds " + std::to_string(values.size()) + " numbers where " +
                   std::to_string(size) + " are expected: saved by another environment?");
  }
  return values;
}

void Environment::load(const Archive& state) {
  running_ = state.get<bool>("running");
  if (!running_) return;
  steps_ = state.get<std::int64_t>("steps");
  const auto words = state.get<std::vector<std::int64_t>>("rng");
  if (words.size() != 4) throw bad_data("'rng' holds no state of a random generator");
  random_.restore(words);
  observation_ = stored(state, "observation", observation_.size());
  restore(state.group("world"));
}

}  // namespace stream
