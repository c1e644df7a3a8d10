/// `--help` of each verb: its examples run, and its options are in its man page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "cli.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> verbs() {
  std::vector<std::string> found;
  std::istringstream help(stream_run({"--help"}).out);
  bool inside = false;
  for (std::string line; std::getline(help, line);) {
    if (line == "Verbs:") {
      inside = true;
      continue;
    }
    if (inside && line.empty()) break;
    std::smatch match;
    if (inside && std::regex_match(line, match, std::regex("  ([a-z]+( [a-z]+)?)  +[A-Z].*")))
      found.push_back(match[1]);
  }
  return found;
}

std::string page_of(const std::string& verb) {
  std::vector<std::string> words;
  std::istringstream parts(verb);
  for (std::string word; parts >> word;) words.push_back(word);
  words.emplace_back("--help");
  const Outcome outcome = stream_run(words);
  EXPECT_EQ(outcome.exit_code, 0) << verb;
  return outcome.out;
}

TEST(Help, ListsEveryVerbOfTheDesign) {
  const auto found = verbs();
  for (const char* verb :
       {"run", "validate", "graph", "list", "inspect", "test", "bench", "reproduce", "checkpoint show",
        "checkpoint verify", "checkpoint diff", "plugin new", "import", "schema", "doctor", "completion"}) {
    EXPECT_THAT(found, ::testing::Contains(verb));
  }
}

TEST(Help, ExamplesRunAsTheyStand) {
  for (const std::string& verb : verbs()) {
    std::istringstream page(page_of(verb));
    bool inside = false;
    std::size_t count = 0;
    for (std::string line; std::getline(page, line);) {
      if (line == "Examples:") inside = true;
      if (!inside || !line.starts_with("  ") || line.starts_with("  #")) continue;
      ++count;
      // These need files that only their user has, or build for minutes: they have tests of their own.
      if (line.find("import ") != std::string::npos || line.find("plugin new") != std::string::npos ||
          verb == "doctor")
        continue;
      const ScratchFolder folder;
      const Outcome outcome = shell(line, folder.path());
      EXPECT_EQ(outcome.exit_code, 0) << line << "\n" << outcome.err;
    }
    EXPECT_GT(count, 0u) << verb << " has no example";
  }
}

TEST(Help, EveryOptionIsInTheManPage) {
  for (const std::string& verb : verbs()) {
    const std::string first = verb.substr(0, verb.find(' '));
    const std::filesystem::path file =
        std::filesystem::path(STREAM_BINARY_DIR) / "man" / ("stream-" + first + ".1");
    if (!std::filesystem::exists(std::filesystem::path(STREAM_BINARY_DIR) / "man/stream.1"))
      GTEST_SKIP() << "man pages are not built";
    const std::string page = std::regex_replace(contents(file), std::regex(R"(\\)"), "");
    const std::string help = page_of(verb);
    const std::regex flag("\\s(--?[a-z][a-z-]*)");
    const auto options = help.substr(0, help.find("\nExamples:"));
    for (std::sregex_iterator it(options.begin(), options.end(), flag), end; it != end; ++it) {
      EXPECT_THAT(page, HasSubstr((*it)[1].str())) << file;
    }
  }
}

}  // namespace
}  // namespace stream::testing
