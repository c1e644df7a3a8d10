/// What man/trust.7 promises about programs: plugins come from where one put them, never from where one
/// stands.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "cli.hpp"
#include "stream/plugin.hpp"

namespace stream::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class Trust : public ::testing::Test {
 protected:
  /// A folder that brings a plugin: the plain text operators under another name, and no library.
  /// Nothing here gets so far as to load one.
  void SetUp() override {
    const fs::path plugins = std::string(STREAM_BINARY_DIR) + "/lib/stream/plugins";
    std::ifstream in(plugins / "text.plugin.json");
    std::string manifest{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t at = 0; (at = manifest.find("\"text.read\"", at)) != std::string::npos; ++at)
      manifest.replace(at, 11, "\"evil.read\"");
    std::ofstream(folder / "evil.plugin.json") << manifest;
    std::ofstream(folder / "evil.toml") << "title = \"x\"\n[nodes.a]\nuse = \"evil.read\"\n";
  }
  ScratchFolder scratch;
  const fs::path folder = scratch.path();
};

TEST_F(Trust, ThePluginsOfTheCurrentFolderAreNotSeen) {
  const Outcome listed = stream_run({"list", "operators"}, {}, folder);
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_THAT(listed.out, Not(HasSubstr("evil.read")));
  const Outcome run = stream_run({"run", "evil.toml"}, {}, folder);
  EXPECT_EQ(run.exit_code, 78) << run.err;
  EXPECT_THAT(run.err, HasSubstr("evil.read"));
}

TEST_F(Trust, UntilTheyAreAskedFor) {
  const Outcome listed = shell("STREAM_PLUGIN_PATH=. stream list operators", folder);
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_THAT(listed.out, HasSubstr("evil.read"));
}

TEST_F(Trust, AnEmptyEntryOfThePluginPathIsNotTheCurrentFolder) {
  for (const char* path : {":", "", "::/nonexistent"}) {
    const Outcome listed =
        shell(std::string("STREAM_PLUGIN_PATH=") + path + " stream list operators", folder);
    EXPECT_THAT(listed.out, Not(HasSubstr("evil.read"))) << path;
  }
}

TEST_F(Trust, ABareRecipeNameIsNotLookedForInTheCurrentFolder) {
  std::ofstream(folder / "captions.toml") << "title = \"not the installed one\"\n";
  const Outcome shown = stream_run({"inspect", "captions"}, {}, folder);
  EXPECT_THAT(shown.out, Not(HasSubstr("not the installed one")));
}

TEST_F(Trust, AManifestCannotNameALibraryElsewhere) {
  for (const char* library : {"../libstream-text.so", "/lib/x86_64-linux-gnu/libm.so.6"}) {
    std::ofstream(folder / "evil.plugin.json")
        << R"({"name": "evil", "version": "1", "licence": "x", "api_version": )" << kApiVersion
        << R"(, "library": ")" << library << R"(", "operators": []})";
    const Outcome listed = shell("STREAM_PLUGIN_PATH=. stream list operators", folder);
    EXPECT_THAT(listed.err, HasSubstr("must be a file beside the manifest")) << library << listed.out;
  }
}

}  // namespace
}  // namespace stream::testing
