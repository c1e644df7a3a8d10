#include "registry/registry.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstdlib>
#include <mutex>
#include <sstream>

#include "recipe/recipe_params.hpp"
#include "registry/manifest.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/log.hpp"

namespace stream {
namespace {

namespace fs = std::filesystem;

/// Libraries stay loaded until the process ends: what plugins bring (tensor libraries, thread pools) does not
/// survive being unloaded. The list is never destroyed for the same reason.
const PluginDescriptor& open_plugin(const fs::path& library) {
  static std::mutex mutex;
  static auto* const loaded = new std::map<std::string, boost::dll::shared_library>;
  const std::scoped_lock lock(mutex);
  const std::string path = library.string();
  auto found = loaded->find(path);
  if (found == loaded->end()) {
    std::error_code missing;
    if (!fs::exists(library, missing)) throw bad_recipe(path + ": the plugin's library is missing");
    std::error_code error;
    boost::dll::shared_library opened;
    opened.load(fs::absolute(library), error, boost::dll::load_mode::rtld_now);
    if (error) {
      // Boost's message leaves out what the loader said; asking it again gives the reason.
      const char* why = dlopen(fs::absolute(library).c_str(), RTLD_NOW | RTLD_LOCAL) ? nullptr : dlerror();
      throw bad_recipe(path + ": cannot be loaded: " + (why ? why : error.message()));
    }
    found = loaded->emplace(path, std::move(opened)).first;
  }
  if (!found->second.has("stream_plugin")) {
    throw bad_recipe(path +
                     ": is no plugin: it has no symbol 'stream_plugin' (is STREAM_PLUGIN missing in it?)");
  }
  return found->second.get<const PluginDescriptor>("stream_plugin");
}

fs::path own_library() {
  Dl_info info{};
  dladdr(reinterpret_cast<const void*>(&check_fit), &info);
  return info.dli_fname ? fs::path(info.dli_fname) : fs::path();
}

constexpr std::uint64_t kLargestManifest = 16u << 20;

}  // namespace

std::vector<fs::path> Registry::default_folders() {
  std::vector<fs::path> folders;
  if (const char* path = std::getenv("STREAM_PLUGIN_PATH")) {
    std::string_view rest = path;
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) folders.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  if (const char* home = std::getenv("HOME"); home && *home) {
    folders.push_back(fs::path(home) / ".local/lib/stream/plugins");
  }
  const fs::path library = own_library();
  if (library.has_parent_path()) folders.push_back(library.parent_path() / "stream/plugins");
  return folders;
}

void Registry::scan(const std::vector<fs::path>& folders) {
  constexpr std::string_view kEnding = ".plugin.json";
  for (const auto& folder : folders) {
    std::error_code error;
    std::vector<fs::path> manifests;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (it->path().filename().string().ends_with(kEnding)) manifests.push_back(it->path());
    }
    std::sort(manifests.begin(), manifests.end());
    for (const auto& manifest : manifests) {
      try {
        read_manifest(manifest);
      } catch (const Error& e) {
        problems_.push_back(manifest.string() + ": " + e.what());
        log_warning("", "plugin passed over: " + problems_.back());
      }
    }
  }
}

void Registry::read_manifest(const fs::path& path) {
  Manifest manifest = parse_manifest(read_file(path.string(), kLargestManifest));
  if (manifest.api_version != kApiVersion) {
    throw bad_data("was written for plugin API " + std::to_string(manifest.api_version) +
                   ", this program has API " + std::to_string(kApiVersion) +
                   ": rebuild the plugin against the installed headers");
  }
  const fs::path library = manifest.library;
  if (library.has_parent_path()) throw bad_data("'library' must be a file beside the manifest");
  PluginInfo& plugin = plugins_.emplace_back(PluginInfo{std::move(manifest.name),
                                                        std::move(manifest.version),
                                                        std::move(manifest.licence),
                                                        path.parent_path() / library,
                                                        path,
                                                        {},
                                                        {}});
  for (auto& [name, summary] : manifest.operators) {
    plugin.operators.push_back(name);
    operators_.try_emplace(name, Entry<OperatorInfo>{{Spec(name, ""), &plugin}, std::move(summary), false});
  }
  for (auto& [name, summary] : manifest.environments) {
    plugin.environments.push_back(name);
    environments_.try_emplace(
        name, Entry<EnvironmentInfo>{{Spec(name, ""), {}, &plugin}, std::move(summary), false});
  }
}

void Registry::read_specs(const PluginInfo& plugin) const {
  try {
    ManifestSpecs specs = parse_manifest_specs(read_file(plugin.manifest.string(), kLargestManifest));
    for (auto& spec : specs.operators) {
      const auto known = operators_.find(spec.name());
      if (known == operators_.end() || known->second.info.plugin != &plugin || known->second.read) continue;
      known->second.info.spec = std::move(spec);
      known->second.read = true;
    }
    for (std::size_t i = 0; i < specs.environments.size(); ++i) {
      const auto known = environments_.find(specs.environments[i].name());
      if (known == environments_.end() || known->second.info.plugin != &plugin || known->second.read)
        continue;
      known->second.info.spec = std::move(specs.environments[i]);
      known->second.info.spaces = std::move(specs.spaces[i]);
      known->second.read = true;
    }
  } catch (const Error& e) {
    throw bad_recipe(plugin.manifest.string() + ": " + e.what());
  }
}

template <typename Info>
const Info* Registry::with_spec(Entries<Info>& entries, std::string_view name) const {
  const auto found = entries.find(name);
  if (found == entries.end()) return nullptr;
  Entry<Info>& entry = found->second;
  const std::scoped_lock lock(reading_);
  if (!entry.read) read_specs(*entry.info.plugin);
  if (!entry.read)
    throw bad_recipe(entry.info.plugin->manifest.string() + ": has changed: it no longer describes '" +
                     found->first + "'");
  return &entry.info;
}

void Registry::add(std::vector<OperatorEntry> entries, const std::string& plugin) {
  PluginInfo& info = plugins_.emplace_back(PluginInfo{plugin, "", "", {}, {}, {}, {}});
  for (auto& entry : entries) {
    info.operators.push_back(entry.spec.name());
    const std::string name = entry.spec.name();
    std::string summary = entry.spec.summary();
    operators_.insert_or_assign(
        name, Entry<OperatorInfo>{{std::move(entry.spec), &info, entry.make}, std::move(summary)});
  }
}

void Registry::add(std::vector<EnvironmentEntry> entries, const std::string& plugin) {
  PluginInfo& info = plugins_.emplace_back(PluginInfo{plugin, "", "", {}, {}, {}, {}});
  add_to(info, std::move(entries));
}

void Registry::add_to(PluginInfo& info, std::vector<EnvironmentEntry> entries) {
  for (auto& entry : entries) {
    info.environments.push_back(entry.spec.name());
    const std::string name = entry.spec.name();
    std::string summary = entry.spec.summary();
    environments_.insert_or_assign(
        name, Entry<EnvironmentInfo>{{std::move(entry.spec), std::move(entry.spaces), &info, entry.make},
                                     std::move(summary)});
  }
}

const PluginInfo& Registry::load(const fs::path& library) {
  const PluginDescriptor& plugin = open_plugin(library);
  check_fit(plugin, library.string());
  add(operators_in(plugin), plugin.name);
  PluginInfo& info = plugins_.back();
  add_to(info, environments_in(plugin));
  info.version = plugin.version;
  info.licence = plugin.licence;
  info.library = library;
  return info;
}

const OperatorInfo* Registry::find(std::string_view name) const { return with_spec(operators_, name); }

std::vector<std::string> Registry::names() const {
  std::vector<std::string> out;
  for (const auto& entry : operators_) out.push_back(entry.first);
  return out;
}

std::string Registry::summary(std::string_view name) const {
  const auto found = operators_.find(name);
  return found == operators_.end() ? "" : found->second.summary;
}

const EnvironmentInfo* Registry::find_environment(std::string_view name) const {
  return with_spec(environments_, name);
}

std::vector<std::string> Registry::environment_names() const {
  std::vector<std::string> out;
  for (const auto& entry : environments_) out.push_back(entry.first);
  return out;
}

std::string Registry::environment_summary(std::string_view name) const {
  const auto found = environments_.find(name);
  return found == environments_.end() ? "" : found->second.summary;
}

std::function<std::unique_ptr<Operator>()> Registry::maker(std::string_view name, const Object& params,
                                                           Context context) {
  const auto found = operators_.find(name);
  if (found == operators_.end()) {
    throw bad_recipe("unknown operator '" + std::string(name) + "'" + did_you_mean(name, names()));
  }
  OperatorInfo& info = found->second.info;
  if (!info.make) {
    const PluginDescriptor& plugin = open_plugin(info.plugin->library);
    check_fit(plugin, info.plugin->library.string());
    // The loaded specs replace the manifest's: they know contracts that depend on parameters.
    const std::scoped_lock lock(reading_);
    for (auto& entry : operators_in(plugin)) {
      const auto known = operators_.find(entry.spec.name());
      if (known == operators_.end() || known->second.info.plugin != info.plugin) continue;
      known->second.info.make = entry.make;
      known->second.info.spec = std::move(entry.spec);
      known->second.read = true;
    }
    if (!info.make) {
      throw bad_recipe(info.plugin->library.string() + ": has no operator '" + std::string(name) +
                       "', though its manifest lists it: rebuild the plugin");
    }
  }
  context.environments = this;
  return [make = info.make, checked = std::make_shared<const Params>(info.spec, params, std::move(context))] {
    return make(*checked);
  };
}

std::unique_ptr<Operator> Registry::make(std::string_view name, const Object& params, Context context) {
  return maker(name, params, std::move(context))();
}

void Registry::load_environments(const PluginInfo& plugin) {
  const PluginDescriptor& loaded = open_plugin(plugin.library);
  check_fit(loaded, plugin.library.string());
  for (const auto& entry : environments_in(loaded)) {
    const auto known = environments_.find(entry.spec.name());
    if (known != environments_.end() && known->second.info.plugin == &plugin)
      known->second.info.make = entry.make;
  }
}

std::unique_ptr<Environment> Registry::make_environment(std::string_view description,
                                                        const Context& context) {
  std::istringstream words{std::string(description)};
  std::string name, word;
  words >> name;
  const auto found = environments_.find(name);
  if (found == environments_.end())
    throw bad_recipe("unknown environment '" + name + "'" + did_you_mean(name, environment_names()));
  find_environment(name);  // for its spec
  EnvironmentInfo& info = found->second.info;
  Object params;
  while (words >> word) {
    const auto equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw bad_recipe("environment " + name + ": '" + word + "' where NAME=VALUE is expected");
    const Param* param = info.spec.find_param(word.substr(0, equals));
    const std::string text = word.substr(equals + 1);
    params.set(word.substr(0, equals), param ? value_of_text(*param, text) : Value(text));
  }
  {
    const std::scoped_lock lock(loading_environments_);
    if (!info.make) load_environments(*info.plugin);
    if (!info.make) {
      throw bad_recipe(info.plugin->library.string() + ": has no environment '" + name +
                       "', though its manifest lists it: rebuild the plugin");
    }
  }
  return info.make(Params(info.spec, params, context));
}

std::unique_ptr<Environment> make_environment(std::string_view description, const Context& context) {
  if (context.environments) return context.environments->make_environment(description, context);
  // Never destroyed: what plugins made may outlive any order of destruction.
  static Registry* const registry = [] {
    auto* made = new Registry;
    made->scan(Registry::default_folders());
    return made;
  }();
  return registry->make_environment(description, context);
}

Value EnvironmentInfo::to_value() const {
  const Value whole = spec.to_value();
  Object o;
  for (const auto& [name, value] : whole.as_object()) {
    if (name != "inputs" && name != "outputs" && name != "contract" && name != "examples") o.set(name, value);
  }
  o.set("observation", spaces.observation.to_value());
  return o.set("action", spaces.action.to_value());
}

}  // namespace stream
