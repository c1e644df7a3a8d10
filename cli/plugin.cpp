/// stream plugin new: the skeleton of a plugin that builds, passes its tests and runs as it is.
#include <algorithm>
#include <filesystem>

#include "recipe/recipe.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

/// The three forms of a name in the template: @NAME@ as given, @IDENTIFIER@ for C++ files and operators,
/// @CLASS@.
struct Name {
  std::string given, identifier, class_name;
  explicit Name(std::string name) : given(std::move(name)) {
    const bool good = !given.empty() && given.size() <= 64 && given.front() >= 'a' && given.front() <= 'z' &&
                      given.back() != '-' && std::all_of(given.begin(), given.end(), [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                      });
    if (!good)
      throw Error(ExitCode::kUsage, "'" + given +
                                        "': expected a name of lower-case letters, digits and '-', beginning "
                                        "with a letter, such as my-filter");
    bool upper = true;
    for (const char c : given) {
      identifier += c == '-' ? '_' : c;
      if (c != '-') class_name += upper && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = c == '-';
    }
  }
  std::string in(std::string text) const {
    for (const auto& [mark, value] : {std::pair<std::string, std::string>{"@NAME@", given},
                                      {"@IDENTIFIER@", identifier},
                                      {"@CLASS@", class_name}}) {
      for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size())
        text.replace(at, mark.size(), value);
    }
    return text;
  }
};

class New final : public Verb {
 public:
  New() : Verb("plugin new", "Write a plugin to start from: an operator, its recipe and its test.") {
    option("NAME", "PLUGIN", &name_, "what it is called: lower-case letters, digits and '-'").required = true;
    option("--folder", "DIR", &folder_, "where to write it, instead of a folder of its name here");
    example("then build it and run its tests",
            "stream plugin new my-filter && cmake -S my-filter -B my-filter/build && cmake --build "
            "my-filter/build && ctest --test-dir my-filter/build");
  }

  int run() override {
    namespace fs = std::filesystem;
    const Name name(name_);
    const fs::path from = fs::path(share_dir()) / "plugin-template",
                   to = folder_.empty() ? fs::path(name_) : fs::path(folder_);
    if (!fs::is_directory(from))
      throw no_input(from.string() + ": the template is not there (is the installation complete?)");
    if (fs::exists(to)) throw cannot_write(to.string() + ": is there already; nothing was written");
    std::error_code error;
    std::vector<std::string> written;
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
      if (!entry.is_regular_file()) continue;
      const fs::path path = to / name.in(fs::relative(entry.path(), from).string());
      fs::create_directories(path.parent_path(), error);
      if (error) throw cannot_write(path.parent_path().string() + ": " + error.message());
      write_atomically(path.string(), name.in(read_file(entry.path().string(), 1 << 20)));
      written.push_back(path.string());
    }
    std::sort(written.begin(), written.end());
    print(join(written, "\n") + "\n");
    return 0;
  }

 private:
  std::string name_, folder_;
};

}  // namespace

std::unique_ptr<Verb> make_plugin_new() { return std::make_unique<New>(); }

}  // namespace stream::cli
