/// The examples of recipe(5) are recipes: planned with the operators that are built, none has a fault.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "recipe/recipe.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> examples() {
  const std::string page = read_file(STREAM_SOURCE_DIR "/man/recipe.5.scd");
  std::vector<std::string> out;
  const std::string fence = "\n```\n";
  for (std::size_t at = page.find(fence); at != std::string::npos;) {
    const std::size_t begin = at + fence.size(), end = page.find(fence, begin - 1);
    out.push_back(page.substr(begin, end - begin) + "\n");
    at = end == std::string::npos ? end : page.find(fence, end + fence.size() - 1);
  }
  return out;
}

TEST(ManPage, ExamplesAreSound) {
  Registry registry;
  registry.scan({STREAM_BINARY_DIR "/lib/stream/plugins"});
  if (registry.names().empty()) GTEST_SKIP() << "no plugins are built";
  const fs::path dir = fs::temp_directory_path() / ("stream-man-" + std::to_string(::getpid()));
  fs::create_directories(dir);
  const auto all = examples();
  EXPECT_EQ(all.size(), 4u);
  for (const std::string& example : all) {
    // "# NAME.toml": a file that a later example includes.
    if (example.rfind("# ", 0) == 0)
      std::ofstream(dir / example.substr(2, example.find('\n') - 2)) << example;
    Diagnostics diagnostics;
    plan_recipe_text(example, registry, {}, diagnostics, dir.string());
    EXPECT_EQ(diagnostics.text(), "");
  }
  fs::remove_all(dir);
}

}  // namespace
}  // namespace stream
