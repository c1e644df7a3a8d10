/// What README, CONTRIBUTING and the man pages claim.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "program/program.hpp"

namespace stream::testing {
namespace {

namespace fs = std::filesystem;
const fs::path kSource = STREAM_SOURCE_DIR;

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) found.insert((*i)[1]);
  return found;
}

Outcome stream(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), STREAM_BINARY_DIR "/bin/stream");
  return run({.argv = std::move(arguments), .input = ""});
}

class Document : public ::testing::TestWithParam<const char*> {
 protected:
  static std::string text() { return contents(kSource / GetParam()); }
};

TEST_P(Document, NamesOnlyCommandsThatExist) {
  // `stream VERB` at the start of a command: a line of a code block, after a pipe, or in backquotes.
  const auto verbs = all_matches(text(), R"((?:^|\n    |[|`&] ?|bin/)stream ([a-z]+) )");
  EXPECT_FALSE(verbs.empty());
  for (const std::string& verb : verbs) {
    const Outcome help = stream({verb, "--help"});
    EXPECT_EQ(help.exit_code, 0) << "stream " << verb << ": " << help.err;
  }
}

TEST_P(Document, NamesOnlySetupCommandsThatExist) {
  const std::string usage = run({.argv = {(kSource / "setup").string(), "help"}, .input = ""}).out;
  for (const std::string& command : all_matches(text(), R"(\./setup ([a-z]+))")) {
    EXPECT_THAT(usage, ::testing::HasSubstr("\n  " + command)) << "./setup " << command;
  }
}

TEST_P(Document, LinksLeadSomewhere) {
  for (const std::string& target : all_matches(text(), R"(\]\(([^)#:]+)\))")) {
    EXPECT_TRUE(fs::exists(kSource / target)) << target;
  }
}

TEST_P(Document, NamesOnlyFoldersThatExist) {
  for (const std::string& target :
       all_matches(text(), R"(`((?:core|formats|plugins|cli|tests|recipes|share|man)/[a-z/]+)`)")) {
    EXPECT_TRUE(fs::exists(kSource / target)) << target;
  }
}

INSTANTIATE_TEST_SUITE_P(Tree, Document, ::testing::Values("README.md", "CONTRIBUTING.md"),
                         [](const ::testing::TestParamInfo<const char*>& info) {
                           return fs::path(info.param).stem().string();
                         });

TEST(ManPages, Build) {
  std::size_t pages = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(kSource / "man")) {
    if (entry.path().extension() != ".scd") continue;
    const Outcome page = run({.argv = {"scdoc"}, .input = contents(entry.path())});
    EXPECT_EQ(page.exit_code, 0) << entry.path() << ": " << page.err;
    EXPECT_THAT(page.out, ::testing::HasSubstr(".TH ")) << entry.path();
    ++pages;
  }
  EXPECT_GT(pages, 0u);
}

TEST(Setup, RefusesAnUnknownCommandWithItsUsage) {
  const Outcome outcome = run({.argv = {(kSource / "setup").string(), "tset"}, .input = ""});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, ::testing::HasSubstr("usage: ./setup"));
}

}  // namespace
}  // namespace stream::testing
