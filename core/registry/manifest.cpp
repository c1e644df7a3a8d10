#include "registry/manifest.hpp"

#include <simdjson.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <new>

#include "registry/registry.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

namespace dom = simdjson::dom;

dom::element member(const dom::object& o, const char* name) {
  dom::element found;
  if (o.at_key(name).get(found)) throw bad_data(std::string("'") + name + "' is missing");
  return found;
}

std::string text(const dom::object& o, const char* name) {
  std::string_view found;
  if (member(o, name).get(found)) throw bad_data(std::string("'") + name + "' is no string");
  return std::string(found);
}

std::vector<Manifest::Listed> listed(const dom::element& list, const char* name) {
  dom::array items;
  if (list.get(items)) throw bad_data(std::string("'") + name + "' is no array");
  std::vector<Manifest::Listed> out;
  out.reserve(items.size());
  for (const dom::element item : items) {
    dom::object o;
    if (item.get(o)) throw bad_data(std::string("'") + name + "' holds something that is no object");
    std::string_view summary;
    if (o.at_key("summary").get(summary) == simdjson::INCORRECT_TYPE)
      throw bad_data(std::string("a 'summary' of '") + name + "' is no string");
    out.push_back({text(o, "name"), std::string(summary)});
  }
  return out;
}

const Array& list(const Object& o, std::string_view name) {
  static const Array kNone;
  const Value* found = o.find(name);
  return found ? found->as_array() : kNone;
}

/// What `read` makes of each; its faults begin with the name.
template <typename Read>
void each(const Array& items, const char* kind, const Read& read) {
  for (const Value& item : items) {
    try {
      read(item);
    } catch (const Error& e) {
      const Value* name = item.as_object().find("name");
      throw bad_data(std::string(kind) + " '" + (name ? name->as_string() : "") + "': " + e.what());
    }
  }
}

}  // namespace

Manifest parse_manifest(std::string_view json) {
  // Its buffers are large and there are many manifests: fresh pages cost more than the parsing.
  thread_local dom::parser parser;
  constexpr std::size_t kMost = 1 << 16;
  if (parser.capacity() < kMost && parser.allocate(kMost)) throw std::bad_alloc();
  dom::element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root)) {
    Value::validate(json);  // throws, with the place, for what is not JSON
    throw bad_data(simdjson::error_message(error));
  }
  dom::object o;
  if (root.get(o)) throw bad_data("is no object");
  Manifest manifest;
  if (member(o, "api_version").get(manifest.api_version)) throw bad_data("'api_version' is no integer");
  manifest.name = text(o, "name");
  manifest.version = text(o, "version");
  manifest.licence = text(o, "licence");
  manifest.library = text(o, "library");
  manifest.operators = listed(member(o, "operators"), "operators");
  dom::element environments;
  if (!o.at_key("environments").get(environments))
    manifest.environments = listed(environments, "environments");
  return manifest;
}

ManifestSpecs parse_manifest_specs(std::string_view json) {
  const Value value = Value::parse(json);
  const Object& o = value.as_object();
  ManifestSpecs specs;
  each(list(o, "operators"), "operator",
       [&specs](const Value& v) { specs.operators.push_back(Spec::from_value(v)); });
  each(list(o, "environments"), "environment", [&specs](const Value& v) {
    const Value *observation = v.as_object().find("observation"), *action = v.as_object().find("action");
    if (!observation || !action) throw bad_data("has no 'observation' or no 'action'");
    specs.environments.push_back(Spec::from_value(v));
    specs.spaces.push_back({Space::from_value(*observation), Space::from_value(*action)});
  });
  return specs;
}

void check_fit(const PluginDescriptor& plugin, const std::string& path) {
  if (std::memcmp(plugin.magic, "STREAMPL", 8) != 0)
    throw bad_recipe(path + ": is no plugin: its descriptor has another magic");
  // `environments` was appended after version 1 went out.
  if (plugin.api_version != kApiVersion || plugin.size < offsetof(PluginDescriptor, environments)) {
    throw bad_recipe(path + ": was built for plugin API " + std::to_string(plugin.api_version) +
                     ", this program has API " + std::to_string(kApiVersion) +
                     ": rebuild the plugin against the installed headers");
  }
  if (std::strcmp(plugin.compiler, plugin_detail::kCompiler) != 0 ||
      std::strcmp(plugin.stdlib, plugin_detail::kStdlib) != 0) {
    throw bad_recipe(path + ": was built with " + plugin.compiler + " and " + plugin.stdlib +
                     ", this program with " + plugin_detail::kCompiler + " and " + plugin_detail::kStdlib +
                     ": rebuild the plugin with the latter");
  }
}

std::vector<OperatorEntry> operators_in(const PluginDescriptor& plugin) {
  std::vector<OperatorEntry> entries;
  if (plugin.operators) plugin.operators(entries);
  return entries;
}

std::vector<EnvironmentEntry> environments_in(const PluginDescriptor& plugin) {
  std::vector<EnvironmentEntry> entries;
  if (plugin.size >= sizeof(PluginDescriptor) && plugin.environments) plugin.environments(entries);
  return entries;
}

Value manifest_of(const PluginDescriptor& plugin, const std::string& library_file) {
  check_fit(plugin, library_file);
  Array operators, environments;
  for (const auto& entry : operators_in(plugin)) operators.push_back(entry.spec.to_value());
  for (auto& entry : environments_in(plugin)) {
    environments.push_back(EnvironmentInfo{std::move(entry.spec), std::move(entry.spaces)}.to_value());
  }
  return Object{{"name", plugin.name},
                {"version", plugin.version},
                {"licence", plugin.licence},
                {"api_version", static_cast<std::int64_t>(plugin.api_version)},
                {"compiler", plugin.compiler},
                {"stdlib", plugin.stdlib},
                {"library", std::filesystem::path(library_file).filename().string()},
                {"operators", std::move(operators)},
                {"environments", std::move(environments)}};
}

}  // namespace stream
