#include "recipe/recipe_params.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "recipe/wording.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

constexpr ParamType kTypes[] = {ParamType::kBool,     ParamType::kInteger,  ParamType::kNumber,
                                ParamType::kString,   ParamType::kDuration, ParamType::kPath,
                                ParamType::kIntegers, ParamType::kNumbers,  ParamType::kStrings};
const std::vector<std::string> kKeys = {"type", "default", "doc", "choices", "range", "unit", "env"};

std::vector<std::string> type_names() {
  std::vector<std::string> out;
  for (const ParamType t : kTypes) out.emplace_back(name_of(t));
  return out;
}

std::optional<Value> number_of_text(const std::string& text, bool whole) {
  const char* end = text.data() + text.size();
  std::int64_t i = 0;
  if (const auto r = std::from_chars(text.data(), end, i); r.ec == std::errc() && r.ptr == end)
    return Value(i);
  if (whole) return std::nullopt;
  double d = 0;
  if (const auto r = std::from_chars(text.data(), end, d); r.ec == std::errc() && r.ptr == end)
    return Value(d);
  return std::nullopt;
}

Value list_of_text(const std::string& text, ParamType type) {
  if (!text.empty() && text.front() == '[') {
    try {
      return Value::parse(text);
    } catch (const Error&) {
      return text;
    }
  }
  Array out;
  for (std::size_t begin = 0; !text.empty() && begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    if (type == ParamType::kStrings)
      out.emplace_back(item);
    else
      out.push_back(number_of_text(item, type == ParamType::kIntegers).value_or(Value(item)));
    begin = end + 1;
  }
  return out;
}

/// The type of a declaration that only gives a default.
ParamType type_of_default(const Value& v) {
  if (v.is_bool()) return ParamType::kBool;
  if (v.is_integer()) return ParamType::kInteger;
  if (v.is_double()) return ParamType::kNumber;
  if (!v.is_array()) return ParamType::kString;
  const Array& items = v.as_array();
  const auto all = [&](bool (Value::*is)() const) {
    return !items.empty() &&
           std::all_of(items.begin(), items.end(), [&](const Value& i) { return (i.*is)(); });
  };
  return all(&Value::is_integer)  ? ParamType::kIntegers
         : all(&Value::is_number) ? ParamType::kNumbers
                                  : ParamType::kStrings;
}

}  // namespace

Value value_of_text(const Param& param, const std::string& text) {
  switch (param.type) {
    case ParamType::kBool:
      if (text == "true") return true;
      if (text == "false") return false;
      return text;
    case ParamType::kInteger:
      return number_of_text(text, true).value_or(Value(text));
    case ParamType::kNumber:
      return number_of_text(text, false).value_or(Value(text));
    case ParamType::kIntegers:
    case ParamType::kNumbers:
    case ParamType::kStrings:
      return list_of_text(text, param.type);
    case ParamType::kString:
    case ParamType::kDuration:
    case ParamType::kPath:
      break;
  }
  return text;
}

void RecipeParams::declare(const SourceValue& table, Diagnostics& diagnostics) {
  for (const SourceMember& member : table.members) declare_one(member, diagnostics);
}

void RecipeParams::declare_one(const SourceMember& member, Diagnostics& diagnostics) {
  const SourceValue& table = member.value;
  Declared d;
  d.param.name = member.name;
  d.where = member.where;
  if (!is_identifier(member.name)) {
    diagnostics.error(member.where, "'" + member.name + "' is no name for a parameter: " + kIdentifierRule);
    return;
  }
  if (!table.is_table()) {
    diagnostics.error(table.where,
                      "parameter '" + member.name + "' is declared with a table, as in " + member.name +
                          " = { type = \"string\", default = \"...\", doc = \"...\" }, not with " +
                          table.kind_name());
    return;
  }
  bool typed = false, sound = true;
  for (const SourceMember& m : table.members) {
    const auto wrong = [&](const std::string& expected) {
      sound = false;
      diagnostics.error(m.value.where, "'" + m.name + "' of parameter '" + member.name + "' must be " +
                                           expected + ", not " + m.value.kind_name());
    };
    if (m.name == "type") {
      if (!m.value.is_string()) {
        wrong("a string");
        continue;
      }
      const auto& name = m.value.scalar.as_string();
      const auto it =
          std::find_if(std::begin(kTypes), std::end(kTypes), [&](ParamType t) { return name == name_of(t); });
      if (it == std::end(kTypes)) {
        sound = false;
        diagnostics.error(m.value.where, "unknown type '" + name + "'" + hint(name, type_names(), "types"));
      } else {
        d.param.type = *it, typed = true;
      }
    } else if (m.name == "doc" || m.name == "unit" || m.name == "env") {
      if (!m.value.is_string())
        wrong("a string");
      else
        (m.name == "doc"    ? d.param.doc
         : m.name == "unit" ? d.param.unit
                            : d.env) = m.value.scalar.as_string();
    } else if (m.name == "choices") {
      const Value v = m.value.value();
      const bool strings =
          v.is_array() && !v.as_array().empty() &&
          std::all_of(v.as_array().begin(), v.as_array().end(), [](const Value& c) { return c.is_string(); });
      if (!strings) {
        sound = false;
        diagnostics.error(m.value.where, "'choices' must be a list of strings");
      } else {
        for (const Value& c : v.as_array()) d.param.choices.push_back(c.as_string());
      }
    } else if (m.name == "range") {
      const Value v = m.value.value();
      if (!v.is_array() || v.as_array().size() != 2 || !v.as_array()[0].is_number() ||
          !v.as_array()[1].is_number()) {
        sound = false;
        diagnostics.error(m.value.where,
                          "'range' must be a list of two numbers, the lowest and the highest allowed");
      } else if (d.param.range = range(v.as_array()[0].as_double(), v.as_array()[1].as_double());
                 !(d.param.range->low <= d.param.range->high)) {
        sound = false;
        diagnostics.error(m.value.where, "'range' is empty: the lowest comes first");
      }
    } else if (m.name != "default") {
      diagnostics.error(m.where, "unknown key '" + m.name + "' in parameter '" + member.name + "'" +
                                     hint(m.name, kKeys, "keys"));
    }
  }
  const SourceMember* fallback = table.find("default");
  if (!typed && !fallback && sound) {
    diagnostics.error(member.where, "parameter '" + member.name + "' needs a 'type' or a 'default'");
    sound = false;
  }
  d.param.required = fallback == nullptr;
  if (fallback && sound) {
    d.param.fallback = fallback->value.value();
    if (!typed) d.param.type = type_of_default(d.param.fallback);
    const std::string fault = check_source(d.param, fallback->value);
    if (!fault.empty()) {
      diagnostics.error(fallback->value.where, fault);
      sound = false;
    }
  }
  // A faulty declaration still declares its name, so that uses of it are not reported as well.
  if (!sound) d.value = Value();
  declared_.push_back(std::move(d));
}

const RecipeParams::Declared* RecipeParams::find(std::string_view name) const {
  for (const Declared& d : declared_) {
    if (d.param.name == name) return &d;
  }
  return nullptr;
}

bool RecipeParams::has(std::string_view name) const { return find(name) != nullptr; }

std::vector<std::string> RecipeParams::names() const {
  std::vector<std::string> out;
  for (const Declared& d : declared_) out.push_back(d.param.name);
  return out;
}

std::vector<RecipeParam> RecipeParams::list() const {
  std::vector<RecipeParam> out;
  for (const Declared& d : declared_) out.push_back({d.param, d.env, d.value.value_or(Value())});
  return out;
}

void RecipeParams::assign(const std::string& name, const Value& value, const Location& name_at,
                          const Location& value_at, Diagnostics& diagnostics) {
  auto* d = const_cast<Declared*>(find(name));
  if (!d) {
    diagnostics.error(name_at,
                      "unknown parameter '" + name + "'" + hint(name, names(), "the recipe's parameters"));
    return;
  }
  if (d->value && d->value->is_null()) return;
  if (value.is_null()) {
    d->value = Value();
    return;
  }
  const std::string fault = fault_of(d->param, value);
  if (!fault.empty()) diagnostics.error(value_at, fault);
  d->value = fault.empty() ? value : Value();
}

void RecipeParams::assign_text(const std::string& name, const std::string& text, const Location& where,
                               Diagnostics& diagnostics) {
  const Declared* d = find(name);
  assign(name, d ? value_of_text(d->param, text) : Value(text), where, where, diagnostics);
}

void RecipeParams::complete(const std::optional<Location>& missing_at, Diagnostics& diagnostics) {
  for (Declared& d : declared_) {
    if (d.value) continue;
    const char* from_env = d.env.empty() ? nullptr : std::getenv(d.env.c_str());
    if (from_env) {
      assign_text(d.param.name, from_env, Location{"$" + d.env}, diagnostics);
    } else if (!d.param.required) {
      d.value = d.param.fallback;
    } else {
      const std::string ask =
          missing_at ? "set it in this table" : "give --set params." + d.param.name + "=VALUE";
      diagnostics.error(missing_at.value_or(d.where), "parameter '" + d.param.name + "' has no value: " +
                                                          ask + (d.env.empty() ? "" : ", or set $" + d.env));
      d.value = Value();
    }
  }
}

void RecipeParams::check(const SourceValue& table, Diagnostics& diagnostics) const {
  for (const SourceMember& m : table.members) {
    const Declared* d = find(m.name);
    if (!d) {
      diagnostics.error(
          m.where, "unknown parameter '" + m.name + "'" + hint(m.name, names(), "the recipe's parameters"));
    } else if (const std::string fault = check_source(d->param, m.value); !fault.empty()) {
      diagnostics.error(m.value.where, fault);
    }
  }
}

Value RecipeParams::substitute(const Value& value, const Location& where, Diagnostics& diagnostics) const {
  if (value.is_string()) {
    return value.as_string().find("${") == std::string::npos
               ? value
               : substitute_text(value.as_string(), where, diagnostics);
  }
  if (value.is_array()) {
    Array out;
    bool sound = true;
    for (const Value& item : value.as_array()) {
      out.push_back(substitute(item, where, diagnostics));
      sound = sound && !out.back().is_null();
    }
    return sound ? Value(std::move(out)) : Value();
  }
  return value;
}

Value RecipeParams::substitute_text(const std::string& text, const Location& where,
                                    Diagnostics& diagnostics) const {
  std::string out;
  bool sound = true;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 3, "$${") == 0) {
      out += "${";
      i += 3;
      continue;
    }
    if (text.compare(i, 2, "${") != 0) {
      out += text[i++];
      continue;
    }
    const std::size_t end = text.find('}', i);
    if (end == std::string::npos) {
      diagnostics.error(where, "'${' without '}' (write '$${' for a plain '${')");
      return {};
    }
    const std::string inside = text.substr(i + 2, end - i - 2);
    const bool whole = i == 0 && end + 1 == text.size();
    i = end + 1;
    if (inside.rfind("params.", 0) != 0) {
      diagnostics.error(where,
                        "'${" + inside + "}': only ${params.NAME} is replaced" +
                            (inside.rfind("env", 0) == 0 ? "; a parameter may have env = \"VARIABLE\"" : "") +
                            " (write '$${' for a plain '${')");
      sound = false;
      continue;
    }
    const std::string name = inside.substr(7);
    const Declared* d = find(name);
    if (!d) {
      diagnostics.error(where, "unknown parameter 'params." + name + "'" +
                                   hint(name, names(), "the recipe's parameters", "declare it in [params]"));
      sound = false;
      continue;
    }
    if (!d->value || d->value->is_null()) {
      sound = false;
    } else if (whole) {
      return *d->value;
    } else {
      out += d->value->is_string() ? d->value->as_string() : d->value->dump();
    }
  }
  return sound ? Value(std::move(out)) : Value();
}

}  // namespace stream
