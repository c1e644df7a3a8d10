/// Where recipes and shared files lie.
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "recipe/recipe.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

namespace fs = std::filesystem;

/// `<prefix>/share` of the installation or build tree that this library lies in.
fs::path share_of_library() {
  // The address of a function that only this library has: that of an exported one may be a stub in the
  // program.
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&share_of_library), &info) == 0 || !info.dli_fname) return {};
  std::error_code failed;
  const fs::path library = fs::weakly_canonical(info.dli_fname, failed);
  return failed ? fs::path() : library.parent_path().parent_path() / "share";
}

bool is_folder(const fs::path& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

bool is_file(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed) && !fs::is_directory(path, failed);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    if (it->path().extension() == ".toml") out.push_back(it->path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::string share_dir() {
  const fs::path share = share_of_library();
  return share.empty() ? "" : (share / "stream").string();
}

std::vector<std::string> recipe_folders() {
  std::vector<fs::path> places;
  const auto add = [&](const fs::path& folder) {
    places.push_back(folder);
    places.push_back(folder / "studies");
  };
  if (const char* list = std::getenv("STREAM_RECIPES")) {
    std::string_view rest = list;
    while (!rest.empty()) {
      const auto colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) add(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config && *config)
    add(fs::path(config) / "stream/recipes");
  else if (home && *home)
    add(fs::path(home) / ".config/stream/recipes");
  if (const fs::path share = share_of_library(); !share.empty()) add(share / "stream/recipes");
  std::vector<std::string> out;
  for (const fs::path& p : places) {
    if (is_folder(p) && std::find(out.begin(), out.end(), p.string()) == out.end()) out.push_back(p.string());
  }
  return out;
}

std::string find_recipe(const std::string& name) {
  if (is_file(name)) return name;
  std::vector<std::string> known;
  // Only a bare name is looked up: what has a slash or an extension is meant as a path.
  const bool bare = !name.empty() && name.find('/') == std::string::npos;
  if (bare) {
    const std::string file = fs::path(name).extension() == ".toml" ? name : name + ".toml";
    for (const std::string& folder : recipe_folders()) {
      if (const fs::path path = fs::path(folder) / file; is_file(path)) return path.string();
      for (std::string& n : names_in(folder)) known.push_back(std::move(n));
    }
  }
  if (is_folder(name)) throw no_input("'" + name + "' is a folder, not a recipe");
  const std::string stem = bare ? fs::path(name).stem().string() : name;
  throw no_input("there is no recipe '" + name + "'" + (bare ? did_you_mean(stem, known) : ""));
}

}  // namespace stream
