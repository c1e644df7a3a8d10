#include "registry/registry.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstdlib>
#include <cstring>
#include <mutex>

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

/// Refuses what was built for another host, with what to do about it.
void check_fit(const PluginDescriptor& plugin, const std::string& path) {
  if (std::memcmp(plugin.magic, "STREAMPL", 8) != 0)
    throw bad_recipe(path + ": is no plugin: its descriptor has another magic");
  if (plugin.api_version != kApiVersion || plugin.size < sizeof(PluginDescriptor)) {
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
        const Value value = Value::parse(read_file(manifest.string(), kLargestManifest));
        const Object& o = value.as_object();
        const auto text = [&](const char* name) {
          const Value* v = o.find(name);
          if (!v) throw bad_data(std::string("'") + name + "' is missing");
          return v->as_string();
        };
        const Value* api = o.find("api_version");
        if (!api) throw bad_data("'api_version' is missing");
        if (api->as_integer() != kApiVersion) {
          throw bad_data("was written for plugin API " + std::to_string(api->as_integer()) +
                         ", this program has API " + std::to_string(kApiVersion) +
                         ": rebuild the plugin against the installed headers");
        }
        PluginInfo plugin{
            text("name"), text("version"), text("licence"), folder / text("library"), manifest, {}};
        if (fs::path(text("library")).has_parent_path())
          throw bad_data("'library' must be a file beside the manifest");
        const Value* operators = o.find("operators");
        if (!operators) throw bad_data("'operators' is missing");
        std::vector<Spec> specs;
        for (const Value& v : operators->as_array()) specs.push_back(Spec::from_value(v));
        PluginInfo& kept = plugins_.emplace_back(std::move(plugin));
        for (auto& spec : specs) {
          kept.operators.push_back(spec.name());
          const std::string name = spec.name();
          operators_.try_emplace(name, OperatorInfo{std::move(spec), &kept, nullptr});
        }
      } catch (const Error& e) {
        problems_.push_back(manifest.string() + ": " + e.what());
        log_warning("", "plugin passed over: " + problems_.back());
      }
    }
  }
}

void Registry::add(std::vector<OperatorEntry> entries, const std::string& plugin) {
  PluginInfo& info = plugins_.emplace_back(PluginInfo{plugin, "", "", {}, {}, {}});
  for (auto& entry : entries) {
    info.operators.push_back(entry.spec.name());
    const std::string name = entry.spec.name();
    operators_.insert_or_assign(name, OperatorInfo{std::move(entry.spec), &info, entry.make});
  }
}

const PluginInfo& Registry::load(const fs::path& library) {
  const PluginDescriptor& plugin = open_plugin(library);
  check_fit(plugin, library.string());
  std::vector<OperatorEntry> entries;
  plugin.operators(entries);
  add(std::move(entries), plugin.name);
  PluginInfo& info = plugins_.back();
  info.version = plugin.version;
  info.licence = plugin.licence;
  info.library = library;
  return info;
}

const OperatorInfo* Registry::find(std::string_view name) const {
  const auto found = operators_.find(name);
  return found == operators_.end() ? nullptr : &found->second;
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> out;
  for (const auto& entry : operators_) out.push_back(entry.first);
  return out;
}

std::unique_ptr<Operator> Registry::make(std::string_view name, const Object& params, Context context) {
  const auto found = operators_.find(name);
  if (found == operators_.end()) {
    throw bad_recipe("unknown operator '" + std::string(name) + "'" + did_you_mean(name, names()));
  }
  OperatorInfo& info = found->second;
  if (!info.make) {
    const PluginDescriptor& plugin = open_plugin(info.plugin->library);
    check_fit(plugin, info.plugin->library.string());
    std::vector<OperatorEntry> entries;
    plugin.operators(entries);
    // The loaded specs replace the manifest's: they know contracts that depend on parameters.
    for (auto& entry : entries) {
      const auto known = operators_.find(entry.spec.name());
      if (known == operators_.end() || known->second.plugin != info.plugin) continue;
      known->second.make = entry.make;
      known->second.spec = std::move(entry.spec);
    }
    if (!info.make) {
      throw bad_recipe(info.plugin->library.string() + ": has no operator '" + std::string(name) +
                       "', though its manifest lists it: rebuild the plugin");
    }
  }
  return info.make(Params(info.spec, params, std::move(context)));
}

Value manifest_of(const PluginDescriptor& plugin, const std::string& library_file) {
  check_fit(plugin, library_file);
  std::vector<OperatorEntry> entries;
  plugin.operators(entries);
  Array operators;
  for (const auto& entry : entries) operators.push_back(entry.spec.to_value());
  return Object{{"name", plugin.name},
                {"version", plugin.version},
                {"licence", plugin.licence},
                {"api_version", static_cast<std::int64_t>(plugin.api_version)},
                {"compiler", plugin.compiler},
                {"stdlib", plugin.stdlib},
                {"library", fs::path(library_file).filename().string()},
                {"operators", std::move(operators)}};
}

}  // namespace stream
