#include "stream/params.hpp"

#include <unistd.h>

#include <cmath>
#include <stdexcept>

#include "stream/error.hpp"

namespace stream {

std::string share_dir();  // recipe/recipe.hpp: where the installation keeps its files

namespace {

std::string shown(double number) {
  return Value(number).dump().ends_with(".0") ? std::to_string(static_cast<long long>(number))
                                              : Value(number).dump();
}

std::string check_range(const Param& param, double number) {
  if (std::isnan(number)) return "must be a number";
  if (!param.range || (number >= param.range->low && number <= param.range->high)) return {};
  const std::string unit = param.unit.empty() ? "" : " " + param.unit;
  if (!std::isfinite(param.range->high))
    return "must be at least " + shown(param.range->low) + unit + ", is " + shown(number);
  if (!std::isfinite(param.range->low))
    return "must be at most " + shown(param.range->high) + unit + ", is " + shown(number);
  return "must be between " + shown(param.range->low) + " and " + shown(param.range->high) + unit + ", is " +
         shown(number);
}

std::string check_choice(const Param& param, const std::string& text) {
  if (param.choices.empty()) return {};
  std::string all;
  for (const auto& choice : param.choices) {
    if (choice == text) return {};
    all += (all.empty() ? "" : ", ") + choice;
  }
  return "must be one of " + all + "; is '" + text + "'" + did_you_mean(text, param.choices);
}

std::string check_list(const Param& param, const Value& value) {
  if (!value.is_array()) return std::string("must be a list, is ") + value.kind();
  Param element = param;
  element.type = param.type == ParamType::kIntegers  ? ParamType::kInteger
                 : param.type == ParamType::kNumbers ? ParamType::kNumber
                                                     : ParamType::kString;
  std::size_t index = 0;
  for (const Value& v : value.as_array()) {
    if (const std::string fault = check_param(element, v); !fault.empty()) {
      return "element " + std::to_string(index) + " " + fault;
    }
    ++index;
  }
  return {};
}

}  // namespace

std::string check_param(const Param& param, const Value& value) {
  const auto expected = [&](const char* what) {
    return std::string("must be ") + what + ", is " + value.kind();
  };
  switch (param.type) {
    case ParamType::kBool:
      return value.is_bool() ? "" : expected("true or false");
    case ParamType::kInteger:
      if (!value.is_integer()) return expected("an integer");
      return check_range(param, value.as_double());
    case ParamType::kNumber:
      if (!value.is_number()) return expected("a number");
      return check_range(param, value.as_double());
    case ParamType::kString:
    case ParamType::kPath:
      if (!value.is_string()) return expected("a string");
      if (value.as_string().find('\0') != std::string::npos) return "must not contain a NUL character";
      return check_choice(param, value.as_string());
    case ParamType::kDuration:
      if (value.is_number()) return check_range(param, value.as_double());
      if (!value.is_string()) return expected("a duration such as \"250ms\"");
      try {
        return check_range(param, seconds(parse_duration(value.as_string())));
      } catch (const Error& e) {
        return e.what();
      }
    default:
      return check_list(param, value);
  }
}

Params::Params(const Spec& spec, const Object& given, Context context) : context_(std::move(context)) {
  std::string faults;
  const auto fault = [&](const std::string& message) { faults += (faults.empty() ? "" : "; ") + message; };
  std::vector<std::string> names;
  for (const auto& p : spec.params()) names.push_back(p.name);
  for (const auto& [name, value] : given) {
    if (!spec.find_param(name)) fault("unknown parameter '" + name + "'" + did_you_mean(name, names));
  }
  for (const auto& p : spec.params()) {
    const Value* value = given.find(p.name);
    if (!value && p.required) {
      fault("parameter '" + p.name + "' is missing (" + p.doc + ")");
      continue;
    }
    if (value) {
      if (const std::string wrong = check_param(p, *value); !wrong.empty())
        fault("parameter '" + p.name + "' " + wrong);
    }
    const Value& chosen = value ? *value : p.fallback;
    // A duration may be given as a bare number of seconds; from here on it is text.
    if (p.type == ParamType::kDuration && chosen.is_number())
      values_.set(p.name, to_string(Duration{std::llround(chosen.as_double() * 1e9)}));
    else
      values_.set(p.name, chosen);
  }
  if (!faults.empty()) throw bad_recipe(spec.name() + ": " + faults);
}

const Value& Params::value(std::string_view name) const {
  if (const Value* v = values_.find(name)) return *v;
  throw std::logic_error("the operator asks for parameter '" + std::string(name) +
                         "', which its spec does not declare");
}

std::string Params::input_path(std::string_view name) const {
  const std::string& path = value(name).as_string();
  if (path.empty() || path == "-" || path.front() == '/' || ::access(path.c_str(), F_OK) == 0) return path;
  const std::string share = share_dir();
  for (const std::string& folder : {context_.recipe_dir, share, share + "/models"}) {
    std::string candidate = folder + "/" + path;
    if (!folder.empty() && ::access(candidate.c_str(), F_OK) == 0) return candidate;
  }
  return path;
}

Random Params::random(std::string_view purpose) const {
  return Random(stable_hash(purpose, stable_hash(context_.node, context_.seed ^ 0xcbf29ce484222325ull)));
}

}  // namespace stream
