/// Plugins that do not fit this program: refused with what to do about it, and without harm to the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli.hpp"
#include "stream/plugin.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

/// A folder with one plugin: a manifest that lists the operator foreign.nothing, and a library.
class Plugin : public ::testing::Test {
 protected:
  void SetUp() override {
    write_contents(folder_ / "recipe.toml", R"([nodes.lines]
use = "text.read"

[nodes.nothing]
use  = "foreign.nothing"
from = "lines"

[nodes.out]
use  = "text.write"
from = "nothing"
)");
    write_contents(folder_ / "copy.toml", kCopyLines);
  }

  void manifest(std::int64_t api, const std::string& library = "libforeign.so") {
    const Object port{{"name", "in"}, {"type", "text"}}, out{{"name", "out"}, {"type", "text"}};
    Spec spec = Spec{"foreign.nothing", "Pass on nothing."}.input<Text>("in").output<Text>("out");
    write_contents(folder_ / "foreign.plugin.json", Value(Object{{"name", "foreign"},
                                                                 {"version", "1.0.0"},
                                                                 {"licence", "Apache-2.0"},
                                                                 {"api_version", api},
                                                                 {"library", library},
                                                                 {"operators", Array{spec.to_value()}}})
                                                        .dump());
  }
  /// One of the libraries that the build made from foreign_plugin.cpp.
  void library(const std::string& variant) {
    std::filesystem::copy_file(std::string(STREAM_FOREIGN_PLUGINS) + "/libforeign-" + variant + ".so",
                               folder_ / "libforeign.so");
  }
  Outcome stream(std::vector<std::string> arguments, std::string input = "one\n") {
    Program program = stream_program(std::move(arguments), std::move(input));
    program.folder = folder_.path();
    program.environment = {"STREAM_PLUGIN_PATH=" + folder_.path().string()};
    return run(program);
  }
  /// Runs the recipe; expects code 78, the message, and that recipes without the plugin still run.
  void expect_refused(const std::string& says) {
    const Outcome outcome = stream({"run", "recipe.toml"});
    EXPECT_EQ(outcome.exit_code, 78) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(outcome.out, "");
    const Outcome other = stream({"run", "copy.toml"});
    EXPECT_EQ(other.exit_code, 0) << other.err;
    EXPECT_EQ(other.out, "one\n");
  }
  std::string path(const char* file) const { return (folder_ / file).string(); }
  ScratchFolder folder_;
};

TEST_F(Plugin, OneThatFitsRuns) {
  manifest(kApiVersion);
  library("fits");
  const Outcome outcome = stream({"run", "recipe.toml"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(Plugin, AManifestForAnotherApiIsPassedOver) {
  manifest(kApiVersion + 1);
  library("api");
  expect_refused(path("foreign.plugin.json") + ": was written for plugin API " +
                 std::to_string(kApiVersion + 1) + ", this program has API " + std::to_string(kApiVersion) +
                 ": rebuild the plugin against the installed headers");
  expect_refused("recipe.toml:5:8: error: unknown operator 'foreign.nothing'");
}

TEST_F(Plugin, WhatAManifestDescribesWronglyIsListedAndRefused) {
  manifest(kApiVersion);
  library("fits");
  std::string text = contents(folder_ / "foreign.plugin.json");
  const auto at = text.find("\"stateful\"");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 10, "\"odd\"");
  write_contents(folder_ / "foreign.plugin.json", text);
  expect_refused(path("foreign.plugin.json") + ": operator 'foreign.nothing': unknown name 'odd'");
  EXPECT_THAT(stream({"list", "operators"}).out, HasSubstr("foreign.nothing"));
  const Outcome doctor = stream({"doctor"});
  EXPECT_THAT(doctor.out, HasSubstr("operator 'foreign.nothing': unknown name 'odd'"));
  EXPECT_NE(doctor.exit_code, 0);
  write_contents(folder_ / "foreign.plugin.json", text.substr(0, text.size() / 2));
  expect_refused(path("foreign.plugin.json") + ": not JSON at byte ");
}

TEST_F(Plugin, ALibraryForAnotherApiIsRefused) {
  manifest(kApiVersion);
  library("api");
  expect_refused(path("libforeign.so") + ": was built for plugin API " + std::to_string(kApiVersion + 1) +
                 ", this program has API " + std::to_string(kApiVersion) +
                 ": rebuild the plugin against the installed headers");
}

TEST_F(Plugin, ALibraryOfAnotherCompilerIsRefused) {
  manifest(kApiVersion);
  library("compiler");
  expect_refused(path("libforeign.so") + ": was built with gcc 3 and ");
}

TEST_F(Plugin, ALibraryThatIsNoPluginIsRefused) {
  manifest(kApiVersion);
  library("magic");
  expect_refused(path("libforeign.so") + ": is no plugin: its descriptor has another magic");
  std::filesystem::remove(folder_ / "libforeign.so");
  library("none");
  expect_refused(path("libforeign.so") + ": is no plugin: it has no symbol 'stream_plugin'");
  write_contents(folder_ / "libforeign.so", "no library at all");
  expect_refused(path("libforeign.so") + ": cannot be loaded: ");
  std::filesystem::remove(folder_ / "libforeign.so");
  expect_refused(path("libforeign.so") + ": the plugin's library is missing");
}

TEST_F(Plugin, ADamagedManifestIsPassedOver) {
  manifest(kApiVersion);
  library("fits");
  const std::string whole = contents(folder_ / "foreign.plugin.json");
  write_contents(folder_ / "foreign.plugin.json", whole.substr(0, whole.size() / 2));
  expect_refused(path("foreign.plugin.json") + ": not JSON at byte ");
  manifest(kApiVersion, "../libforeign.so");
  expect_refused(path("foreign.plugin.json") + ": 'library' must be a file beside the manifest");
}

}  // namespace
}  // namespace stream::testing
