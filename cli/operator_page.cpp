#include "operator_page.hpp"

#include <cctype>
#include <cmath>

#include "text.hpp"

namespace stream::cli {
namespace {

std::string fallback_of(const Param& param) {
  if (param.required) return "required";
  if (param.fallback.is_null()) return "none";
  if (param.type == ParamType::kDuration) return to_string(parse_duration(param.fallback.as_string()));
  return param.fallback.dump();
}

std::string limits_of(const Param& param) {
  std::string out;
  if (param.range) {
    const bool low = param.range->low > -std::numeric_limits<double>::infinity();
    const bool high = param.range->high < std::numeric_limits<double>::infinity();
    if (low && high)
      out = number_text(param.range->low, 6) + " to " + number_text(param.range->high, 6);
    else if (low)
      out = "at least " + number_text(param.range->low, 6);
    else if (high)
      out = "at most " + number_text(param.range->high, 6);
  }
  if (!param.choices.empty())
    out += (out.empty() ? "" : ", ") + std::string("one of ") + join(param.choices, ", ");
  if (!param.unit.empty()) out += (out.empty() ? "" : " ") + param.unit;
  return out;
}

std::string contract_text(const Contract& contract) {
  std::string out =
      "lookahead " + (contract.lookahead == kUnbounded ? "the whole stream" : to_string(contract.lookahead));
  out += ", state " + std::string(name_of(contract.state));
  if (!contract.grows_with.empty()) out += " in " + contract.grows_with;
  out += ", " + std::string(name_of(contract.order));
  if (contract.keyed) out += ", one state for each key";
  return out;
}

/// The parameters of an operator with this one listed by name, type, default, limits and meaning.
Table params_table(const Spec& spec) {
  Table table(2);
  for (const Param& p : spec.params()) {
    const std::string limits = limits_of(p);
    table.row({p.name, name_of(p.type), fallback_of(p), p.doc + (limits.empty() ? "" : " (" + limits + ")")});
  }
  return table;
}

std::string indented(const std::string& text, std::size_t by) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (end > at) out += std::string(by, ' ') + text.substr(at, end - at);
    out += '\n';
    at = end + 1;
  }
  return out;
}

std::string scdoc_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '_' || c == '*' || c == '\\' || c == '<' || c == '#') out += '\\';
    out += c;
  }
  return out;
}

std::string plugin_section(const PluginInfo& plugin) {
  Table table(2);
  table.row({"name", plugin.name});
  table.row({"version", plugin.version});
  table.row({"licence", plugin.licence});
  if (!plugin.library.empty()) table.row({"library", plugin.library.string()});
  return "\nPlugin\n" + table.text();
}

Value plugin_value(const PluginInfo& plugin) {
  return Object{{"name", plugin.name},
                {"version", plugin.version},
                {"licence", plugin.licence},
                {"library", plugin.library.string()}};
}

std::string bounds_text(double low, double high) {
  if (std::isinf(low) && std::isinf(high)) return "";
  if (std::isinf(low)) return "at most " + number_text(high, 6);
  if (std::isinf(high)) return "at least " + number_text(low, 6);
  return number_text(low, 6) + " to " + number_text(high, 6);
}

/// "one of 2: left, right", or "4 numbers: position (-4.8 to 4.8), ...", or "10 x 10 x 4 numbers, 0 to 1:
/// ...".
std::string space_text(const Space& space) {
  if (space.is_discrete()) {
    return "one of " + std::to_string(space.choices) +
           (space.names.empty() ? "" : ": " + join(space.names, ", "));
  }
  std::string out;
  for (const std::int64_t extent : space.shape) out += (out.empty() ? "" : " x ") + std::to_string(extent);
  out += " numbers";
  if (space.low.size() == 1) {
    const std::string bounds = bounds_text(space.low[0], space.high[0]);
    if (!bounds.empty()) out += ", " + bounds;
    return out + (space.names.empty() ? "" : ": " + join(space.names, ", "));
  }
  out += ": ";
  for (std::size_t i = 0; i < space.low.size() && i < space.high.size(); ++i) {
    const std::string bounds = bounds_text(space.low[i], space.high[i]);
    out += (i == 0 ? "" : ", ") + (i < space.names.size() ? space.names[i] : std::to_string(i)) +
           (bounds.empty() ? "" : " (" + bounds + ")");
  }
  return out;
}

}  // namespace

std::string operator_page(const OperatorInfo& info) {
  const Spec& spec = info.spec;
  std::string out = spec.name() + "\n  " + spec.summary() + "\n";
  if (!spec.about().empty()) out += "\nAbout\n  " + wrapped(spec.about(), 106, 2) + "\n";
  if (!spec.paper().empty()) out += "\nPaper\n  " + wrapped(spec.paper(), 106, 2) + "\n";
  for (const auto* ports : {&spec.inputs(), &spec.outputs()}) {
    if (ports->empty()) continue;
    out += ports == &spec.inputs() ? "\nInputs\n" : "\nOutputs\n";
    Table table(2);
    for (const Port& port : *ports)
      table.row({port.name, name_of(port.type),
                 port.doc + (port.optional ? (port.doc.empty() ? "optional" : " (optional)") : "")});
    out += table.text();
  }
  if (!spec.params().empty()) out += "\nParameters\n" + params_table(spec).text();
  out += "\nContract\n  " + contract_text(spec.contract()) + "\n";
  if (info.plugin != nullptr) out += plugin_section(*info.plugin);
  for (const auto& example : spec.examples())
    out += "\nExample: " + example.title + "\n" + indented(example.recipe, 2);
  return out;
}

std::string operator_man_page(const OperatorInfo& info) {
  const Spec& spec = info.spec;
  std::string out = "stream-" + spec.name() + "(7)\n\n# NAME\n\nstream-" + spec.name() + " - " +
                    scdoc_escaped(spec.summary()) + "\n\n";
  if (!spec.about().empty()) out += "# DESCRIPTION\n\n" + scdoc_escaped(spec.about()) + "\n\n";
  for (const auto* ports : {&spec.inputs(), &spec.outputs()}) {
    if (ports->empty()) continue;
    out += ports == &spec.inputs() ? "# INPUTS\n\n" : "# OUTPUTS\n\n";
    for (const Port& p : *ports)
      out += "*" + scdoc_escaped(p.name) + "* (" + name_of(p.type) + ")\n\t" +
             (p.doc.empty() ? "packets" : scdoc_escaped(p.doc)) + ".\n\n";
  }
  if (!spec.params().empty()) out += "# PARAMETERS\n\n";
  for (const Param& p : spec.params()) {
    const std::string limits = limits_of(p);
    out += "*" + scdoc_escaped(p.name) + "* (" + name_of(p.type) + ", " + scdoc_escaped(fallback_of(p)) +
           ")\n\t" + scdoc_escaped(p.doc) + (limits.empty() ? "" : " (" + scdoc_escaped(limits) + ")") +
           ".\n\n";
  }
  out += "# CONTRACT\n\n" + scdoc_escaped(contract_text(spec.contract())) + ".\n\n";
  if (!spec.paper().empty()) out += "# PAPER\n\n" + scdoc_escaped(spec.paper()) + "\n\n";
  if (!spec.examples().empty()) out += "# EXAMPLES\n\n";
  for (const auto& e : spec.examples())
    out +=
        scdoc_escaped(e.title) + ":\n\n```\n" + e.recipe + (e.recipe.ends_with("\n") ? "" : "\n") + "```\n\n";
  return out + "# SEE ALSO\n\n*stream-inspect*(1), *recipe*(5)\n";
}

Value operator_value(const OperatorInfo& info) {
  Value value = info.spec.to_value();
  if (info.plugin != nullptr) value.object().set("plugin", plugin_value(*info.plugin));
  return value;
}

std::string environment_page(const EnvironmentInfo& info) {
  const Spec& spec = info.spec;
  std::string out = spec.name() + "\n  " + spec.summary() + "\n";
  if (!spec.about().empty()) out += "\nAbout\n  " + wrapped(spec.about(), 106, 2) + "\n";
  if (!spec.paper().empty()) out += "\nPaper\n  " + wrapped(spec.paper(), 106, 2) + "\n";
  out += "\nSpaces\n  observation  " + wrapped(space_text(info.spaces.observation), 91, 15) +
         "\n  action       " + wrapped(space_text(info.spaces.action), 91, 15) + "\n";
  if (!spec.params().empty()) out += "\nParameters\n" + params_table(spec).text();
  if (info.plugin != nullptr) out += plugin_section(*info.plugin);
  return out;
}

Value environment_value(const EnvironmentInfo& info) {
  Value value = info.to_value();
  if (info.plugin != nullptr) value.object().set("plugin", plugin_value(*info.plugin));
  return value;
}

}  // namespace stream::cli
