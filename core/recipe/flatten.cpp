#include "recipe/flatten.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "recipe/recipe_params.hpp"
#include "recipe/wording.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

namespace fs = std::filesystem;

// Bounds for files that include each other: depth, and files read in all (a chain of files that each include
// the next one twice doubles at every step).
constexpr std::size_t kDeepestInclude = 16;
constexpr std::size_t kMostIncludes = 256;
constexpr std::size_t kMostNodes = 1024;

const std::vector<std::string> kTopKeys = {"title",  "about",  "input", "output",
                                           "params", "limits", "nodes", "test"};
const std::vector<std::string> kNodeKeys = {"use",      "include",        "from", "mode",
                                            "on_error", "keys_in_memory", "doc"};

struct Override {
  std::string owner, name, text;
  bool used = false;
  Location where() const { return {"--set " + owner + "." + name}; }
};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Where a file that a recipe names lies: beside the recipe, in the share folder, as written.
std::string find_beside(const std::string& name, const std::string& dir) {
  if (fs::path(name).is_absolute() || name == "-") return name;
  std::vector<fs::path> places = {fs::path(dir) / name};
  if (const std::string share = share_dir(); !share.empty()) {
    places.push_back(fs::path(share) / name);
    if (name.rfind("share/", 0) == 0) places.push_back(fs::path(share) / name.substr(6));
  }
  places.emplace_back(name);
  for (const fs::path& p : places) {
    if (is_there(p)) return p.string();
  }
  return places.front().string();
}

class Flattener {
 public:
  Flattener(const Registry& registry, const Overrides& overrides, Diagnostics& diagnostics)
      : registry_(registry), diagnostics_(diagnostics), on_error_(overrides.on_error) {
    for (const auto& [key, text] : overrides.set) {
      const auto dot = key.rfind('.');
      if (dot == std::string::npos || dot == 0 || dot + 1 == key.size()) {
        diagnostics_.error({"--set"}, "'" + key + "': expected NODE.PARAM=VALUE or params.NAME=VALUE");
      } else {
        overrides_.push_back({key.substr(0, dot), key.substr(dot + 1), text});
      }
    }
  }

  FlatRecipe top(const std::string& text, const std::string& file, const std::string& dir) {
    out_.where = {file};
    const auto document = parse_toml(text, file, diagnostics_);
    if (!document) return std::move(out_);
    out_.where = {file, 1, 1};
    RecipeParams params;
    declare_params(*document, params);
    for (Override& o : overrides_) {
      if (o.owner != "params") continue;
      o.used = true;
      params.assign_text(o.name, o.text, o.where(), diagnostics_);
    }
    params.complete(std::nullopt, diagnostics_);
    out_.params = params.list();
    stack_ = {identity(file)};
    for (const SourceMember& m : document->members) top_key(m, params, dir);
    if (out_.nodes.empty() && out_.includes.empty() && !faulty_nodes_) {
      diagnostics_.error(out_.where,
                         "a recipe without nodes: it needs at least one [nodes.ID] with use = \"OPERATOR\"");
    }
    if (on_error_) apply_on_error();
    apply_overrides();
    return std::move(out_);
  }

 private:
  void top_key(const SourceMember& m, const RecipeParams& params, const std::string& dir) {
    if (m.name == "title" || m.name == "about") {
      (m.name == "title" ? out_.title : out_.about) = string_of(m, "").value_or("");
    } else if (m.name == "input" || m.name == "output") {
      if (auto id = string_of(m, "the id of a node"))
        (m.name == "input" ? out_.input : out_.output) = {*id, m.value.where};
    } else if (m.name == "limits") {
      limits(m);
    } else if (m.name == "nodes") {
      nodes(m, params, "", dir);
    } else if (m.name == "test") {
      tests(m, params, dir);
    } else if (m.name != "params") {
      unknown_top_key(m);
    }
  }

  void unknown_top_key(const SourceMember& m) {
    if (m.name == "node")
      diagnostics_.error(m.where, "unknown key 'node': a node is written [nodes.ID]");
    else
      diagnostics_.error(m.where, "unknown key '" + m.name + "'" + hint(m.name, kTopKeys, "keys"));
  }

  void wrong_kind(const SourceMember& m, const std::string& expected) {
    diagnostics_.error(m.value.where,
                       "'" + m.name + "' must be " + expected + ", not " + m.value.kind_name());
  }

  std::optional<std::string> string_of(const SourceMember& m, const std::string& meaning) {
    if (m.value.is_string()) return m.value.scalar.as_string();
    wrong_kind(m, meaning.empty() ? "a string" : "a string, " + meaning);
    return std::nullopt;
  }

  void declare_params(const SourceValue& document, RecipeParams& params) {
    const SourceMember* m = document.find("params");
    if (!m) return;
    if (m->value.is_table())
      params.declare(m->value, diagnostics_);
    else
      wrong_kind(*m, "a table");
  }

  void limits(const SourceMember& table) {
    if (!table.value.is_table()) return wrong_kind(table, "a table");
    for (const SourceMember& m : table.value.members) {
      if (m.name != "packets" && m.name != "bytes") {
        diagnostics_.error(
            m.where, "unknown key '" + m.name + "' in [limits]" + hint(m.name, {"packets", "bytes"}, "keys"));
      } else if (m.value.kind != SourceValue::Kind::kScalar || !m.value.scalar.is_integer()) {
        wrong_kind(m, "an integer");
      } else if (m.value.scalar.as_integer() < 1) {
        diagnostics_.error(m.value.where, "'" + m.name + "' must be at least 1");
      } else {
        (m.name == "packets" ? out_.max_packets : out_.max_bytes) =
            static_cast<std::size_t>(m.value.scalar.as_integer());
      }
    }
  }

  void tests(const SourceMember& list, const RecipeParams& params, const std::string& dir) {
    if (!list.value.is_array()) return wrong_kind(list, "an array of tables, [[test]]");
    for (const SourceValue& table : list.value.items) {
      if (!table.is_table()) {
        diagnostics_.error(table.where, std::string("'test' must hold tables, not ") + table.kind_name());
        continue;
      }
      RecipeTest test;
      test.where = table.where;
      for (const SourceMember& m : table.members) {
        if (m.name == "input" || m.name == "expect") {
          if (auto name = string_of(m, "a file"))
            (m.name == "input" ? test.input : test.expect) = find_beside(*name, dir);
        } else if (m.name == "tolerance") {
          const Value v = m.value.value();
          if (!v.is_number())
            wrong_kind(m, "a number");
          else if (!(v.as_double() >= 0))
            diagnostics_.error(m.value.where, "'tolerance' must not be negative");
          else
            test.tolerance = v.as_double();
        } else if (m.name == "params") {
          if (!m.value.is_table()) {
            wrong_kind(m, "a table");
            continue;
          }
          params.check(m.value, diagnostics_);
          test.params = m.value.value().as_object();
        } else {
          diagnostics_.error(m.where, "unknown key '" + m.name + "' in [[test]]" +
                                          hint(m.name, {"input", "expect", "tolerance", "params"}, "keys"));
        }
      }
      if (!table.find("expect")) diagnostics_.error(table.where, "a test needs expect = \"FILE\"");
      out_.tests.push_back(std::move(test));
    }
  }

  void nodes(const SourceMember& table, const RecipeParams& params, const std::string& prefix,
             const std::string& dir) {
    if (!table.value.is_table()) {
      faulty_nodes_ = true;
      return wrong_kind(table, "a table of nodes, [nodes.ID]");
    }
    for (const SourceMember& m : table.value.members) {
      if (!m.value.is_table()) {
        faulty_nodes_ = true;
        diagnostics_.error(m.value.where, "node '" + m.name + "' must be a table, [nodes." + m.name +
                                              "], not " + m.value.kind_name());
      } else if (!is_node_id(m.name)) {
        faulty_nodes_ = true;
        diagnostics_.error(m.where, "'" + m.name + "' is no id for a node: " + kIdentifierRule);
      } else if (m.name == "params") {
        faulty_nodes_ = true;
        diagnostics_.error(m.where,
                           "a node cannot be called 'params': --set params.NAME=VALUE would be ambiguous");
      } else if (m.value.find("include")) {
        include(m, params, prefix, dir);
      } else {
        node(m, params, prefix, dir);
      }
    }
  }

  /// TOML sees to it that a key stands once; [nodes."a.b"] and node `b` of the include `a` are left to us.
  bool fresh(const std::string& id, const Location& where) {
    if (ids_.insert(id).second) return true;
    faulty_nodes_ = true;
    diagnostics_.error(where, "there is a node '" + id + "' already");
    return false;
  }

  void node(const SourceMember& table, const RecipeParams& params, const std::string& prefix,
            const std::string& dir) {
    if (out_.nodes.size() >= kMostNodes) {
      if (!too_many_)
        diagnostics_.error(table.where, "a recipe of more than " + std::to_string(kMostNodes) + " nodes");
      too_many_ = true;
      return;
    }
    RecipeNode n;
    n.id = prefix + table.name;
    n.where = table.value.where;
    n.dir = dir;
    if (!fresh(n.id, table.where)) return;
    for (const SourceMember& m : table.value.members) {
      if (m.name == "use") {
        if (auto use = substituted_string(m, params, "the name of an operator"))
          set_use(*use, m.value.where, n);
      } else if (m.name == "from") {
        n.from_where = m.where;
        from(m.value, params, prefix, std::nullopt, {}, n.from);
      } else if (m.name == "mode") {
        if (auto mode = substituted_string(m, params, "\"lossless\" or \"live\""))
          set_mode(*mode, m.value.where, n.live);
      } else if (m.name == "on_error") {
        if (auto text = substituted_string(m, params, "\"stop\", \"skip\" or \"divert\""))
          set_on_error(*text, m.value.where, n.on_error);
      } else if (m.name == "keys_in_memory") {
        set_keys_in_memory(param_value(m, params), m.value.where, n);
      } else if (m.name == "doc") {
        string_of(m, "");
      } else {
        n.params.push_back({m.name, param_value(m, params), m.where, m.value.where});
      }
    }
    if (!table.value.find("use")) {
      diagnostics_.error(n.where, "node '" + n.id + "' has no operator: it needs use = \"OPERATOR\"" +
                                      misspelt_use(table.value));
    }
    out_.nodes.push_back(std::move(n));
  }

  /// " (or include = ...)" and, when a key looks like `use` misspelt, which.
  static std::string misspelt_use(const SourceValue& table) {
    for (const SourceMember& m : table.members) {
      for (const char* wrong : {"uses", "using", "operator", "op", "type", "kind"}) {
        if (m.name == wrong) return " (not '" + m.name + "')";
      }
    }
    return " or include = \"RECIPE\"";
  }

  Value param_value(const SourceMember& m, const RecipeParams& params) {
    if (m.value.kind == SourceValue::Kind::kDate || m.value.is_table()) {
      diagnostics_.error(m.value.where, "'" + m.name + "': no parameter is " + m.value.kind_name());
      return {};
    }
    for (const SourceValue& item : m.value.items) {
      if (item.kind == SourceValue::Kind::kScalar) continue;
      diagnostics_.error(item.where,
                         "'" + m.name + "': no parameter is a list that holds " + item.kind_name());
      return {};
    }
    return params.substitute(m.value.value(), m.value.where, diagnostics_);
  }

  std::optional<std::string> substituted_string(const SourceMember& m, const RecipeParams& params,
                                                const std::string& meaning) {
    const auto text = string_of(m, meaning);
    if (!text) return std::nullopt;
    const Value v = params.substitute(*text, m.value.where, diagnostics_);
    if (v.is_null()) return std::nullopt;
    if (v.is_string()) return v.as_string();
    diagnostics_.error(m.value.where, "'" + m.name + "' must be a string, " + meaning +
                                          "; the parameter is of type " + v.kind());
    return std::nullopt;
  }

  /// An operator that has no name has been reported; the rest of the node is still checked.
  void set_use(const std::string& name, const Location& where, RecipeNode& node) {
    node.use = name;
    node.use_where = where;
    if (name.empty()) diagnostics_.error(where, "'use' is empty: it must name an operator");
  }

  void set_mode(const std::string& mode, const Location& where, bool& live) {
    if (mode == "live" || mode == "lossless")
      live = mode == "live";
    else
      diagnostics_.error(where, "unknown mode '" + mode + "'" + hint(mode, {"lossless", "live"}, "modes"));
  }

  void set_on_error(const std::string& text, const Location& where, OnError& on_error) {
    if (text == "stop")
      on_error = OnError::kStop;
    else if (text == "skip")
      on_error = OnError::kSkip;
    else if (text == "divert")
      on_error = OnError::kDivert;
    else
      diagnostics_.error(where, "unknown value '" + text + "' of on_error" +
                                    hint(text, {"stop", "skip", "divert"}, "values"));
  }

  void set_keys_in_memory(const Value& value, const Location& where, RecipeNode& node) {
    node.keys_in_memory_where = where;
    if (value.is_null()) return;  // a placeholder that stands for nothing has been reported
    if (value.is_integer() && value.as_integer() >= 1)
      node.keys_in_memory = static_cast<std::size_t>(value.as_integer());
    else
      diagnostics_.error(where, "'keys_in_memory' must be a whole number from 1, found " + value.dump());
  }

  void from(const SourceValue& v, const RecipeParams& params, const std::string& scope,
            const std::optional<std::string>& port, const Location& port_where, std::vector<FromItem>& out) {
    if (v.is_string()) {
      const Value target = params.substitute(v.scalar, v.where, diagnostics_);
      if (target.is_string())
        out.push_back({target.as_string(), v.where, scope, port, port_where});
      else if (!target.is_null())
        diagnostics_.error(v.where,
                           std::string("'from' must name a node; the parameter is of type ") + target.kind());
    } else if (v.is_array()) {
      if (v.items.empty())
        diagnostics_.error(v.where, "'from' is an empty list: it must name at least one node");
      for (const SourceValue& item : v.items) {
        if (item.is_string())
          from(item, params, scope, port, port_where, out);
        else
          diagnostics_.error(item.where,
                             std::string("'from' must hold names of nodes, not ") + item.kind_name());
      }
    } else if (v.is_table() && !port) {
      if (v.members.empty())
        diagnostics_.error(v.where, "'from' is an empty table: it must name at least one node");
      for (const SourceMember& m : v.members) from(m.value, params, scope, m.name, m.where, out);
    } else {
      diagnostics_.error(
          v.where,
          std::string(
              "'from' must be \"NODE\", \"NODE.PORT\", a list of those, or a table PORT = \"NODE\", not ") +
              v.kind_name());
    }
  }

  static std::string identity(const std::string& file) {
    std::error_code failed;
    const auto path = fs::weakly_canonical(file, failed);
    return failed ? file : path.string();
  }

  void include(const SourceMember& table, const RecipeParams& outer, const std::string& prefix,
               const std::string& dir) {
    RecipeInclude inc;
    inc.id = prefix + table.name;
    inc.where = table.value.where;
    if (!fresh(inc.id, table.where)) return;
    const SourceMember& key = *table.value.find("include");
    const auto name = substituted_string(key, outer, "the file of a recipe");
    std::vector<RecipeNode::Param> given;
    for (const SourceMember& m : table.value.members) {
      if (m.name == "from") {
        inc.from_where = m.where;
        from(m.value, outer, prefix, std::nullopt, {}, inc.from);
      } else if (m.name == "mode") {
        if (auto mode = substituted_string(m, outer, "\"lossless\" or \"live\""))
          set_mode(*mode, m.value.where, inc.live);
      } else if (m.name == "doc") {
        string_of(m, "");
      } else if (m.name == "use" || m.name == "on_error" || m.name == "keys_in_memory") {
        diagnostics_.error(m.where, "'" + m.name + "' does not go with 'include'");
      } else if (m.name != "include") {
        given.push_back({m.name, param_value(m, outer), m.where, m.value.where});
      }
    }
    if (name)
      include_file(inc, *name, key.value.where, given, dir);
    else
      faulty_nodes_ = true;
    out_.includes.push_back(std::move(inc));
  }

  void include_file(RecipeInclude& inc, const std::string& name, const Location& where,
                    const std::vector<RecipeNode::Param>& given, const std::string& dir) {
    faulty_nodes_ = true;  // until it has been read
    std::string file =
        fs::path(name).is_absolute() ? name : (fs::path(dir) / name).lexically_normal().string();
    std::string text;
    try {
      if (!is_there(file)) file = find_recipe(name);
      text = read_file(file, kLargestRecipe);
    } catch (const Error& e) {
      diagnostics_.error(where, "cannot include '" + name + "': " + e.what());
      return;
    }
    const std::string self = identity(file);
    if (const auto it = std::find(stack_.begin(), stack_.end(), self); it != stack_.end()) {
      std::string chain;
      for (auto i = it; i != stack_.end(); ++i) chain += fs::path(*i).filename().string() + " -> ";
      diagnostics_.error(
          where, "recipes include each other in a cycle: " + chain + fs::path(self).filename().string());
      return;
    }
    if (stack_.size() >= kDeepestInclude || ++included_ > kMostIncludes) {
      diagnostics_.error(
          where, stack_.size() >= kDeepestInclude ? "includes nested too deeply" : "too many includes");
      return;
    }
    const auto document = parse_toml(text, file, diagnostics_);
    if (!document) return;
    stack_.push_back(self);
    RecipeParams params;
    declare_params(*document, params);
    const bool set_too = std::any_of(overrides_.begin(), overrides_.end(),
                                     [&](const Override& o) { return o.owner == inc.id; });
    for (const auto& p : given) {
      const bool overridden =
          set_too && std::any_of(overrides_.begin(), overrides_.end(),
                                 [&](const Override& o) { return o.owner == inc.id && o.name == p.name; });
      if (!overridden) params.assign(p.name, p.value, p.where, p.value_where, diagnostics_);
    }
    for (Override& o : overrides_) {
      if (o.owner != inc.id) continue;
      o.used = true;
      params.assign_text(o.name, o.text, o.where(), diagnostics_);
    }
    params.complete(inc.where, diagnostics_);
    faulty_nodes_ = false;
    const std::string inner_dir =
        fs::path(file).parent_path().empty() ? "." : fs::path(file).parent_path().string();
    const std::size_t first = out_.nodes.size();
    for (const SourceMember& m : document->members) {
      if (m.name == "input" || m.name == "output") {
        if (auto id = string_of(m, "the id of a node"))
          (m.name == "input" ? inc.input : inc.output) = {*id, m.value.where};
      } else if (m.name == "nodes") {
        nodes(m, params, inc.id + ".", inner_dir);
      } else if (std::find(kTopKeys.begin(), kTopKeys.end(), m.name) == kTopKeys.end()) {
        unknown_top_key(m);
      }
    }
    if (!document->find("nodes"))
      diagnostics_.error(where, "the included recipe '" + name + "' has no nodes");
    stack_.pop_back();
    for (std::size_t i = first; i < out_.nodes.size(); ++i) resolve_paths(out_.nodes[i]);
  }

  /// A file that lies beside an included recipe is found from the including one.
  void resolve_paths(RecipeNode& node) {
    const OperatorInfo* op = registry_.find(node.use);
    for (auto& p : node.params) {
      const Param* spec = op ? op->spec.find_param(p.name) : nullptr;
      if (!spec || spec->type != ParamType::kPath || !p.value.is_string()) continue;
      const fs::path path = p.value.as_string(), beside = fs::path(node.dir) / path;
      if (path != "-" && path.is_relative() && !is_there(path) && is_there(beside)) p.value = beside.string();
    }
  }

  /// Operators lose a packet that they refuse; a source must know by itself how to pass over bad input, which
  /// its parameter `faults` says.
  void apply_on_error() {
    const Location where{"--on-error"};
    for (RecipeNode& node : out_.nodes) {
      if (node.on_error == OnError::kDivert) continue;
      set_on_error(*on_error_, where, node.on_error);
      const OperatorInfo* op = registry_.find(node.use);
      if (!op || !op->spec.inputs().empty() || !op->spec.find_param("faults")) continue;
      std::erase_if(node.params, [](const auto& p) { return p.name == "faults"; });
      node.params.push_back({"faults", Value(*on_error_), where, where});
    }
  }

  void apply_overrides() {
    for (Override& o : overrides_) {
      if (o.used) continue;
      const Location where = o.where();
      const auto it = std::find_if(out_.nodes.begin(), out_.nodes.end(),
                                   [&](const RecipeNode& n) { return n.id == o.owner; });
      if (it == out_.nodes.end()) {
        std::vector<std::string> ids;
        for (const RecipeNode& n : out_.nodes) ids.push_back(n.id);
        for (const RecipeInclude& i : out_.includes) ids.push_back(i.id);
        diagnostics_.error(where, "unknown node '" + o.owner + "'" + hint(o.owner, ids, "nodes"));
      } else if (o.name == "use") {
        set_use(o.text, where, *it);
      } else if (o.name == "mode") {
        set_mode(o.text, where, it->live);
      } else if (o.name == "on_error") {
        set_on_error(o.text, where, it->on_error);
      } else if (o.name == "keys_in_memory") {
        Param count;
        count.type = ParamType::kInteger;
        set_keys_in_memory(value_of_text(count, o.text), where, *it);
      } else if (o.name == "from" || o.name == "include") {
        diagnostics_.error(where, "'" + o.name + "' can only be set in the recipe");
      } else {
        const OperatorInfo* op = registry_.find(it->use);
        const Param* spec = op ? op->spec.find_param(o.name) : nullptr;
        RecipeNode::Param p{o.name, spec ? value_of_text(*spec, o.text) : Value(o.text), where, where};
        const auto old = std::find_if(it->params.begin(), it->params.end(),
                                      [&](const auto& q) { return q.name == o.name; });
        if (old != it->params.end())
          *old = std::move(p);
        else
          it->params.push_back(std::move(p));
      }
    }
  }

  const Registry& registry_;
  Diagnostics& diagnostics_;
  std::vector<Override> overrides_;
  std::optional<std::string> on_error_;
  std::vector<std::string> stack_;
  std::set<std::string> ids_;
  std::size_t included_ = 0;
  bool faulty_nodes_ = false;  ///< nodes are missing for a reason already reported
  bool too_many_ = false;
  FlatRecipe out_;
};

}  // namespace

FlatRecipe flatten_recipe(const std::string& text, const std::string& file, const std::string& dir,
                          const Registry& registry, const Overrides& overrides, Diagnostics& diagnostics) {
  return Flattener(registry, overrides, diagnostics).top(text, file, dir);
}

}  // namespace stream
