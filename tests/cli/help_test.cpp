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
  for (const char* verb : {"run", "validate", "graph", "list", "inspect", "test", "check", "bench",
                           "reproduce", "checkpoint show", "checkpoint verify", "checkpoint diff",
                           "plugin new", "import", "schema", "doctor", "completion"}) {
    EXPECT_THAT(found, ::testing::Contains(verb));
  }
}

/// The commands under "Examples:" of a page.
std::vector<std::string> examples_of(const std::string& text) {
  std::vector<std::string> commands;
  std::istringstream page(text);
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "Examples:") {
      inside = true;
    } else if (line.empty()) {
      inside = false;
    } else if (inside && !line.starts_with("  #")) {
      commands.push_back(line);
    }
  }
  return commands;
}

/// In a folder that holds what they name: weights and a model from elsewhere.
void run_examples(const std::string& page, const std::string& verb) {
  const auto commands = examples_of(page);
  EXPECT_FALSE(commands.empty()) << verb << " has no example";
  const std::filesystem::path weights = STREAM_SOURCE_DIR "/tests/golden/import";
  for (const std::string& command : commands) {
    const ScratchFolder folder;
    std::filesystem::copy_file(weights / "types.safetensors", folder / "model.safetensors");
    std::filesystem::copy_file(weights / "types.npz", folder / "weights.npz");
    std::filesystem::copy(weights.parent_path() / "language_models/llama", folder / "Llama-3.2-1B");
    const Outcome outcome = shell(command, folder.path());
    EXPECT_EQ(outcome.exit_code, 0) << command << "\n" << outcome.out << outcome.err;
    EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("error"))) << command;
  }
}

TEST(Help, ExamplesRunAsTheyStand) {
  run_examples(stream_run({"--help"}).out, "stream");
  for (const std::string& verb : verbs()) {
    // It builds for a minute against an installation: the test plugin-author runs its examples.
    if (verb != "plugin new") run_examples(page_of(verb), verb);
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
