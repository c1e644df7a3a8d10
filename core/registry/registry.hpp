/// Which operators and environments there are, where they live, and how to make one. Reading manifests loads
/// no library; specs are read when they are first asked for.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stream/plugin.hpp"

namespace stream {

struct PluginInfo {
  std::string name, version, licence;
  std::filesystem::path library;  ///< empty for operators added in process
  std::filesystem::path manifest;
  std::vector<std::string> operators;
  std::vector<std::string> environments;
};

struct OperatorInfo {
  Spec spec;
  const PluginInfo* plugin = nullptr;
  std::unique_ptr<Operator> (*make)(const Params&) = nullptr;  ///< null until its library is loaded
};

struct EnvironmentInfo {
  Spec spec;
  Spaces spaces;  ///< under default parameters
  const PluginInfo* plugin = nullptr;
  std::unique_ptr<Environment> (*make)(const Params&) = nullptr;  ///< null until its library is loaded

  /// Name, summary, about, paper, parameters and spaces.
  Value to_value() const;
};

class Registry : public EnvironmentMaker {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Reads what every `*.plugin.json` of the folders lists, in order; an operator that an earlier folder has
  /// wins. A manifest that cannot be read is logged and passed over (`problems` keeps the messages).
  void scan(const std::vector<std::filesystem::path>& folders);
  /// $STREAM_PLUGIN_PATH (colon-separated), the user's folder (~/.local/lib/stream/plugins), the installed
  /// one, the build tree's when the program runs from it. The current folder is not among them.
  static std::vector<std::filesystem::path> default_folders();

  /// Operators that live in this program (tests, hosts). Later ones replace earlier ones.
  void add(std::vector<OperatorEntry> entries, const std::string& plugin = "built-in");
  void add(std::vector<EnvironmentEntry> entries, const std::string& plugin = "built-in");
  /// Loads a library by path and adds what it offers, manifest or not. Throws Error(kBadRecipe) for what is
  /// no plugin, or one built for another API version, compiler or standard library, with what to rebuild.
  const PluginInfo& load(const std::filesystem::path& library);

  /// Null when unknown. Throws Error(kBadRecipe) when its manifest describes it, or another one,
  /// wrongly.
  const OperatorInfo* find(std::string_view name) const;
  std::vector<std::string> names() const;  ///< sorted
  /// What one line says of it; empty when unknown. Reads no spec.
  std::string summary(std::string_view name) const;
  const EnvironmentInfo* find_environment(std::string_view name) const;
  std::vector<std::string> environment_names() const;  ///< sorted
  std::string environment_summary(std::string_view name) const;
  const std::deque<PluginInfo>& plugins() const { return plugins_; }
  const std::vector<std::string>& problems() const { return problems_; }

  /// Loads the library when needed. Throws Error(kBadRecipe) for unknown names (with the nearest).
  std::unique_ptr<Operator> make(std::string_view name, const Object& params, Context context);
  /// For many of the same: parameters are checked, and the plugin is loaded, once. Throws as `make` does.
  std::function<std::unique_ptr<Operator>()> maker(std::string_view name, const Object& params,
                                                   Context context);
  /// May be called by several operators at once.
  std::unique_ptr<Environment> make_environment(std::string_view description,
                                                const Context& context) override;

 private:
  template <typename Info>
  struct Entry {
    Info info;
    std::string summary;
    bool read = true;  ///< whether `info` has its spec
  };
  template <typename Info>
  using Entries = std::map<std::string, Entry<Info>, std::less<>>;

  void read_manifest(const std::filesystem::path& manifest);
  void read_specs(const PluginInfo& plugin) const;
  template <typename Info>
  const Info* with_spec(Entries<Info>& entries, std::string_view name) const;
  void add_to(PluginInfo& info, std::vector<EnvironmentEntry> entries);
  void load_environments(const PluginInfo& plugin);
  std::deque<PluginInfo> plugins_;
  mutable Entries<OperatorInfo> operators_;        ///< specs are filled in
  mutable Entries<EnvironmentInfo> environments_;  ///< the same
  mutable std::mutex reading_;
  std::mutex loading_environments_;
  std::vector<std::string> problems_;
};

}  // namespace stream
