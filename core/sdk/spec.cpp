#include "stream/spec.hpp"

#include <charconv>
#include <cmath>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream {
namespace {

constexpr const char* kParamTypes[] = {"boolean", "integer",  "number",  "string", "duration",
                                       "path",    "integers", "numbers", "strings"};
constexpr const char* kGrowths[] = {"constant", "logarithmic", "linear"};
constexpr const char* kOrders[] = {"stateless", "stateful", "arrival"};

template <typename E, std::size_t N>
E enum_of(const char* const (&names)[N], const std::string& name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<E>(i);
  }
  throw bad_data("unknown name '" + name + "'");
}

}  // namespace

const char* name_of(ParamType type) { return kParamTypes[static_cast<int>(type)]; }
const char* name_of(Growth growth) { return kGrowths[static_cast<int>(growth)]; }
const char* name_of(Order order) { return kOrders[static_cast<int>(order)]; }

Spec Spec::input(std::string port, PayloadType type, std::string doc) && {
  inputs_.push_back({std::move(port), type, std::move(doc), false});
  return std::move(*this);
}

Spec Spec::output(std::string port, PayloadType type, std::string doc) && {
  outputs_.push_back({std::move(port), type, std::move(doc), false});
  return std::move(*this);
}

Spec Spec::path(std::string name, const char* fallback, std::string doc) && {
  Param p;
  p.name = std::move(name);
  p.type = ParamType::kPath;
  p.doc = std::move(doc);
  p.required = fallback == nullptr;
  if (fallback) p.fallback = fallback;
  return std::move(*this).add(std::move(p));
}

Spec Spec::add(Param p) && {
  // In a recipe a parameter stands beside these, so nobody could ever set one that is called the same.
  for (const char* key : {"use", "from", "mode", "on_error", "keys_in_memory", "doc", "include"}) {
    if (p.name == key)
      throw bad_recipe("operator " + name_ + " has a parameter '" + p.name +
                       "', which is a key of every node in a recipe: call it something else");
  }
  params_.push_back(std::move(p));
  return std::move(*this);
}

Contract Spec::contract(const Params& params) const {
  return contract_of_ ? contract_of_(params) : contract_;
}

const Param* Spec::find_param(std::string_view name) const {
  for (const auto& p : params_) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

namespace {

/// A contract that depends on parameters, under the defaults; required ones have none, so the fixed part
/// stands in.
Contract documented(const Spec& spec) {
  for (const auto& p : spec.params()) {
    if (p.required) {
      Object stand_ins;
      for (const auto& q : spec.params()) {
        if (!q.required) continue;
        switch (q.type) {
          case ParamType::kBool:
            stand_ins.set(q.name, false);
            break;
          case ParamType::kInteger:
          case ParamType::kNumber:
            stand_ins.set(q.name, Value(q.range && std::isfinite(q.range->low)
                                            ? static_cast<std::int64_t>(std::ceil(q.range->low))
                                            : std::int64_t{0}));
            break;
          case ParamType::kDuration:
            stand_ins.set(q.name, "0s");
            break;
          case ParamType::kIntegers:
          case ParamType::kNumbers:
          case ParamType::kStrings:
            stand_ins.set(q.name, Array{});
            break;
          default:
            stand_ins.set(q.name, q.choices.empty() ? std::string("-") : q.choices.front());
        }
      }
      return spec.contract(Params(spec, stand_ins));
    }
  }
  return spec.contract(Params(spec, {}));
}

Array ports_value(const std::vector<Port>& ports) {
  Array out;
  for (const auto& port : ports) {
    Object o{{"name", port.name}, {"type", name_of(port.type)}};
    if (!port.doc.empty()) o.set("doc", port.doc);
    if (port.optional) o.set("optional", true);
    out.emplace_back(std::move(o));
  }
  return out;
}

std::string text(const Object& o, std::string_view name) {
  const Value* v = o.find(name);
  return v ? v->as_string() : std::string();
}

bool flag(const Object& o, std::string_view name) {
  const Value* v = o.find(name);
  return v && v->as_bool();
}

const Array& list(const Object& o, std::string_view name) {
  static const Array kNone;
  const Value* v = o.find(name);
  return v ? v->as_array() : kNone;
}

}  // namespace

Value Spec::to_value() const {
  Object o{{"name", name_}, {"summary", summary_}};
  if (!about_.empty()) o.set("about", about_);
  if (!paper_.empty()) o.set("paper", paper_);
  o.set("inputs", ports_value(inputs_));
  o.set("outputs", ports_value(outputs_));
  Array params;
  for (const auto& p : params_) {
    Object q{{"name", p.name}, {"type", stream::name_of(p.type)}};
    if (p.required)
      q.set("required", true);
    else
      q.set("default", p.fallback);
    q.set("doc", p.doc);
    if (p.range) {
      if (std::isfinite(p.range->low)) q.set("min", p.range->low);
      if (std::isfinite(p.range->high)) q.set("max", p.range->high);
    }
    if (!p.choices.empty()) {
      Array names;
      for (const auto& c : p.choices) names.emplace_back(c);
      q.set("choices", std::move(names));
    }
    if (!p.unit.empty()) q.set("unit", p.unit);
    params.emplace_back(std::move(q));
  }
  o.set("params", std::move(params));
  const Contract c = documented(*this);
  Object contract{
      {"lookahead", c.lookahead == kUnbounded ? std::string("unbounded") : to_string(c.lookahead)},
      {"state", stream::name_of(c.state)},
      {"order", stream::name_of(c.order)},
      {"cost", c.cost == Cost::kHeavy ? "heavy" : "cheap"}};
  if (!c.grows_with.empty()) contract.set("grows_with", c.grows_with);
  if (c.keyed) contract.set("keyed", true);
  o.set("contract", std::move(contract));
  Array examples;
  for (const auto& e : examples_) examples.emplace_back(Object{{"title", e.title}, {"recipe", e.recipe}});
  o.set("examples", std::move(examples));
  return o;
}

Spec Spec::from_value(const Value& value) {
  const Object& o = value.as_object();
  Spec spec(text(o, "name"), text(o, "summary"));
  spec.about_ = text(o, "about");
  spec.paper_ = text(o, "paper");
  for (auto [key, ports] : {std::pair{"inputs", &spec.inputs_}, std::pair{"outputs", &spec.outputs_}}) {
    for (const Value& v : list(o, key)) {
      const Object& p = v.as_object();
      ports->push_back({text(p, "name"), payload_type(text(p, "type")), text(p, "doc"), flag(p, "optional")});
    }
  }
  spec.params_.reserve(list(o, "params").size());
  for (const Value& v : list(o, "params")) {
    const Object& q = v.as_object();
    Param p;
    p.name = text(q, "name");
    p.type = enum_of<ParamType>(kParamTypes, text(q, "type"));
    p.required = flag(q, "required");
    if (const Value* fallback = q.find("default")) p.fallback = *fallback;
    p.doc = text(q, "doc");
    p.unit = text(q, "unit");
    const Value *low = q.find("min"), *high = q.find("max");
    if (low || high) {
      constexpr double kInf = std::numeric_limits<double>::infinity();
      p.range = Range{low ? low->as_double() : -kInf, high ? high->as_double() : kInf};
    }
    for (const Value& c : list(q, "choices")) p.choices.push_back(c.as_string());
    spec.params_.push_back(std::move(p));
  }
  if (const Value* v = o.find("contract")) {
    const Object& c = v->as_object();
    const std::string lookahead = text(c, "lookahead");
    spec.contract_.lookahead = lookahead == "unbounded" ? kUnbounded : parse_duration(lookahead);
    spec.contract_.state = enum_of<Growth>(kGrowths, text(c, "state"));
    spec.contract_.order = enum_of<Order>(kOrders, text(c, "order"));
    spec.contract_.cost = text(c, "cost") == "heavy" ? Cost::kHeavy : Cost::kCheap;
    spec.contract_.grows_with = text(c, "grows_with");
    spec.contract_.keyed = flag(c, "keyed");
  }
  for (const Value& v : list(o, "examples")) {
    const Object& e = v.as_object();
    spec.examples_.push_back({text(e, "title"), text(e, "recipe")});
  }
  return spec;
}

// --- durations

namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr DurationUnit kUnits[] = {{"h", 3'600'000'000'000},
                                   {"min", 60'000'000'000},
                                   {"m", 60'000'000'000},
                                   {"s", 1'000'000'000},
                                   {"ms", 1'000'000},
                                   {"us", 1'000},
                                   {"ns", 1}};

}  // namespace

Duration parse_duration(std::string_view text) {
  const auto fault = [&] {
    return Error(ExitCode::kUsage,
                 "'" + std::string(text) + "' is no duration (expected for example 250ms, 1.5s or 2h)");
  };
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative) rest.remove_prefix(1);
  if (rest.empty()) throw fault();
  long double total = 0;
  while (!rest.empty()) {
    long double number = 0;  // holds every int64 exactly
    // The unit "e"-less format keeps "1e3s" out and "5s" from being read as an exponent.
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || number < 0) throw fault();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t letters = std::min(rest.find_first_of("0123456789."), rest.size());
    const std::string_view name = rest.substr(0, letters);
    std::int64_t scale = 0;
    if (name.empty() && rest.empty()) scale = 1'000'000'000;
    for (const auto& u : kUnits) {
      if (u.name == name) scale = u.nanoseconds;
    }
    if (scale == 0) throw fault();
    total += number * static_cast<long double>(scale);
    rest.remove_prefix(letters);
  }
  if (!(total < 0x1p63L)) throw fault();
  const auto ns = static_cast<std::int64_t>(std::round(total));
  return Duration{negative ? -ns : ns};
}

std::string to_string(Duration duration) {
  std::int64_t ns = duration.count();
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (ns == 0) return "0s";
  std::string out;
  if (ns < 0) {
    if (ns == std::numeric_limits<std::int64_t>::min()) return "-9223372036854775808ns";
    out = "-", ns = -ns;
  }
  if (ns % kSecond == 0) {
    const std::int64_t s = ns / kSecond;
    if (s % 3600 == 0) return out + std::to_string(s / 3600) + "h";
    if (s >= 60 && s % 60 == 0) return out + std::to_string(s / 60) + "m";
    return out + std::to_string(s) + "s";
  }
  // Short of 2^53 ns (104 days) every decimal fraction comes back exactly.
  if (ns > kSecond && ns < std::int64_t{1} << 53) {
    std::string fraction = std::to_string(kSecond + ns % kSecond).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return out + std::to_string(ns / kSecond) + "." + fraction + "s";
  }
  if (ns % 1'000'000 == 0) return out + std::to_string(ns / 1'000'000) + "ms";
  if (ns % 1'000 == 0) return out + std::to_string(ns / 1'000) + "us";
  return out + std::to_string(ns) + "ns";
}

}  // namespace stream
