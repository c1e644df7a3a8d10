/// Graphviz, Mermaid and TOML.
#include <algorithm>
#include <cmath>

#include "plan/render.hpp"

namespace stream {
namespace {

std::string escaped(std::string_view text, std::string_view special, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += before;
    out += c;
  }
  return out;
}

std::string dot_string(std::string_view text) { return "\"" + escaped(text, "\"\\", "\\") + "\""; }

/// Mermaid has no escapes but HTML entities.
std::string mermaid_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"')
      out += "#quot;";
    else if (c == '<')
      out += "#lt;";
    else if (c == '>')
      out += "#gt;";
    else
      out += c == '\n' ? ' ' : c;
  }
  return out;
}

bool is_error_edge(const Plan& plan, const PlannedEdge& e) {
  return e.from_port == plan.nodes[e.from_node].error_port();
}

std::string toml_string(std::string_view text, bool placeholders) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\')
      out += '\\', out += text[i];
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (c < 0x20 || c == 0x7f) {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00", out += kHex[c >> 4], out += kHex[c & 15];
    } else if (placeholders && text.substr(i, 2) == "${") {
      out += "$$";
    } else {
      out += text[i];
    }
  }
  return out + "\"";
}

std::string toml_value(const Value& v) {
  if (v.is_string()) return toml_string(v.as_string(), true);
  if (v.is_double()) {
    const double d = v.as_double();
    if (std::isnan(d)) return "nan";
    if (std::isinf(d)) return d < 0 ? "-inf" : "inf";
    const std::string text = v.dump();
    // TOML tells numbers from integers by their looks.
    return text.find_first_of(".eE") == std::string::npos ? text + ".0" : text;
  }
  if (v.is_array()) {
    std::string out = "[";
    for (const Value& item : v.as_array()) out += (out.size() > 1 ? ", " : "") + toml_value(item);
    return out + "]";
  }
  return v.dump();
}

std::string source_name(const Plan& plan, const PlannedEdge& e) {
  const PlannedNode& from = plan.nodes[e.from_node];
  if (is_error_edge(plan, e)) return toml_string(from.id + ".errors", true);
  const std::string port = e.from_port > 0 ? "." + from.op->spec.outputs()[e.from_port].name : "";
  return toml_string(from.id + port, true);
}

std::string list_of(const std::vector<std::string>& names) {
  if (names.size() == 1) return names[0];
  std::string out = "[";
  for (const std::string& n : names) out += (out.size() > 1 ? ", " : "") + n;
  return out + "]";
}

std::string toml_from(const Plan& plan, std::size_t node) {
  const auto& inputs = plan.nodes[node].op->spec.inputs();
  std::vector<std::vector<std::string>> by_port(inputs.size());
  bool any = false;
  for (const PlannedEdge& e : plan.edges) {
    if (e.to_node == node) by_port[e.to_port].push_back(source_name(plan, e)), any = true;
  }
  if (!any) return {};
  if (inputs.size() == 1) return "from = " + list_of(by_port[0]) + "\n";
  std::string out;
  for (std::size_t p = 0; p < inputs.size(); ++p) {
    if (!by_port[p].empty())
      out += (out.empty() ? "" : ", ") + toml_string(inputs[p].name, false) + " = " + list_of(by_port[p]);
  }
  return "from = { " + out + " }\n";
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) || c == '-' || c == '_');
  });
}

std::string toml_key(const std::string& key) { return is_bare_key(key) ? key : toml_string(key, false); }

}  // namespace

std::string edge_label(const Plan& plan, const PlannedEdge& e) {
  if (is_error_edge(plan, e)) return "errors";
  std::string type = e.type == PayloadType::kAny ? "" : name_of(e.type);
  if (e.from_port == 0) return type;
  return plan.nodes[e.from_node].op->spec.outputs()[e.from_port].name + (type.empty() ? "" : ": " + type);
}

std::string to_dot(const Plan& plan) {
  std::string out =
      "digraph recipe {\n  rankdir = LR;\n  node [shape = box, style = rounded, fontname = \"sans-serif\"];\n"
      "  edge [fontname = \"sans-serif\", fontsize = 10];\n";
  if (!plan.title.empty()) out += "  label = " + dot_string(plan.title) + ";\n";
  for (std::size_t c = 0; c < plan.chains.size(); ++c) {
    const bool cluster = plan.chains[c].size() > 1;
    const std::string indent = cluster ? "    " : "  ";
    if (cluster)
      out += "  subgraph cluster_" + std::to_string(c) + " {\n    style = dotted;\n    label = \"\";\n";
    for (const std::size_t n : plan.chains[c]) {
      const PlannedNode& node = plan.nodes[n];
      // "\n" is Graphviz's own line break, so it goes in after escaping.
      out += indent + dot_string(node.id) + " [label = \"" + escaped(node.id, "\"\\", "\\") + "\\n" +
             escaped(node.op->spec.name(), "\"\\", "\\") + "\"" +
             (node.contract.cost == Cost::kHeavy ? ", penwidth = 2" : "") + "];\n";
    }
    if (cluster) out += "  }\n";
  }
  for (const PlannedEdge& e : plan.edges) {
    out += "  " + dot_string(plan.nodes[e.from_node].id) + " -> " + dot_string(plan.nodes[e.to_node].id) +
           " [label = " + dot_string(edge_label(plan, e)) + (e.live ? ", style = dashed" : "") +
           (is_error_edge(plan, e) ? ", color = red" : "") + "];\n";
  }
  return out + "}\n";
}

std::string to_mermaid(const Plan& plan) {
  std::string out = "flowchart LR\n";
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const PlannedNode& node = plan.nodes[n];
    const bool end = node.op->spec.source() || node.op->spec.sink();
    out += "  n" + std::to_string(n) + (end ? "([\"" : "[\"") + mermaid_text(node.id) + "<br/>" +
           mermaid_text(node.op->spec.name()) + (end ? "\"])\n" : "\"]\n");
  }
  for (const PlannedEdge& e : plan.edges) {
    const std::string label = edge_label(plan, e);
    out += "  n" + std::to_string(e.from_node) + (e.live ? " -.->" : " -->") +
           (label.empty() ? "" : "|\"" + mermaid_text(label) + "\"|") + " n" + std::to_string(e.to_node) +
           "\n";
  }
  return out;
}

std::string to_toml(const Plan& plan) {
  std::string out;
  if (!plan.title.empty()) out += "title = " + toml_string(plan.title, false) + "\n";
  if (!plan.about.empty()) out += "about = " + toml_string(plan.about, false) + "\n";
  if (plan.input_node != Plan::npos)
    out += "input = " + toml_string(plan.nodes[plan.input_node].id, false) + "\n";
  if (plan.output_node != Plan::npos)
    out += "output = " + toml_string(plan.nodes[plan.output_node].id, false) + "\n";
  out += "\n[limits]\npackets = " + std::to_string(plan.max_packets) +
         "\nbytes = " + std::to_string(plan.max_bytes) + "\n";
  for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
    const PlannedNode& node = plan.nodes[n];
    out += "\n[nodes." + toml_key(node.id) + "]\nuse = " + toml_string(node.op->spec.name(), true) + "\n" +
           toml_from(plan, n);
    const bool live = std::any_of(plan.edges.begin(), plan.edges.end(),
                                  [&](const PlannedEdge& e) { return e.to_node == n && e.live; });
    if (live) out += "mode = \"live\"\n";
    if (node.on_error != OnError::kStop)
      out += std::string("on_error = ") + (node.on_error == OnError::kSkip ? "\"skip\"\n" : "\"divert\"\n");
    if (node.keys_in_memory != 0) out += "keys_in_memory = " + std::to_string(node.keys_in_memory) + "\n";
    for (const auto& [name, value] : node.params) out += toml_key(name) + " = " + toml_value(value) + "\n";
  }
  for (const RecipeTest& t : plan.tests) {
    if (!t.params.empty()) continue;
    out += "\n[[test]]\n";
    if (!t.input.empty()) out += "input = " + toml_string(t.input, false) + "\n";
    out += "expect = " + toml_string(t.expect, false) + "\n";
    if (t.tolerance > 0) out += "tolerance = " + toml_value(t.tolerance) + "\n";
  }
  return out;
}

}  // namespace stream
