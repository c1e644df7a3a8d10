#include "plans.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "stream/error.hpp"

namespace stream::cli {

void scan_plugins(Registry& registry) { registry.scan(Registry::default_folders()); }

std::vector<std::pair<std::string, std::string>> parse_settings(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    const auto dot = word.find('.');
    if (equals == std::string::npos || dot == std::string::npos || dot == 0 || dot + 1 >= equals) {
      throw Error(ExitCode::kUsage, "--set " + word + ": expected NODE.PARAM=VALUE or params.NAME=VALUE");
    }
    settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return settings;
}

Plan load_plan(const std::string& recipe, const Registry& registry, const Overrides& overrides) {
  Diagnostics diagnostics;
  const std::string file = find_recipe(recipe);
  Plan plan = plan_recipe(file, registry, overrides, diagnostics);
  std::fputs(diagnostics.text().c_str(), stderr);
  if (diagnostics.has_errors()) {
    const auto count = std::count_if(diagnostics.list().begin(), diagnostics.list().end(),
                                     [](const Diagnostic& d) { return !d.warning; });
    throw bad_recipe(file + ": " + std::to_string(count) + (count == 1 ? " fault" : " faults"));
  }
  return plan;
}

std::vector<NamedRecipe> named_recipes(bool studies) {
  std::vector<NamedRecipe> found;
  for (const std::string& folder : recipe_folders()) {
    const std::filesystem::path dir = std::filesystem::path(folder).lexically_normal();
    const auto last = dir.has_filename() ? dir.filename() : dir.parent_path().filename();
    if ((last == "studies") != studies) continue;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
      if (entry.path().extension() != ".toml") continue;
      const std::string name = entry.path().stem().string();
      const bool shadowed =
          std::any_of(found.begin(), found.end(), [&](const NamedRecipe& r) { return r.name == name; });
      if (!shadowed) found.push_back({name, entry.path().string()});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

}  // namespace stream::cli
