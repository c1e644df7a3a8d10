/// Every operator that `stream list operators` shows has its laws tested: a test Laws.NAME..., with NAME in
/// camel case (Laws.AudioReadChunks for audio.read), in one of the programs test-laws*.
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <sstream>

#include "program/program.hpp"
#include "registry/registry.hpp"

namespace stream {
namespace {

std::vector<std::string> tests_of_laws() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(STREAM_BINARY_DIR "/bin")) {
    if (!entry.path().filename().string().starts_with("test-laws")) continue;
    const auto listed = testing::run({.argv = {entry.path().string(), "--gtest_list_tests"}, .input = ""});
    EXPECT_EQ(listed.exit_code, 0) << entry.path() << ": " << listed.err;
    std::istringstream lines(listed.out);
    bool laws = false;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("  "))
        laws = line == "Laws.";
      else if (laws)
        found.push_back(line.substr(2));
    }
  }
  return found;
}

/// "records.generate" -> "RecordsGenerate"
std::string camel_case(const std::string& name) {
  std::string out;
  bool first = true;
  for (const char c : name) {
    if (c == '.' || c == '_') {
      first = true;
    } else {
      out += first ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      first = false;
    }
  }
  return out;
}

bool is_test_of(const std::string& test, const std::string& name) {
  return test.starts_with(name) &&
         (test.size() == name.size() || std::islower(static_cast<unsigned char>(test[name.size()])) == 0);
}

TEST(Coverage, EveryOperatorHasItsLawsTested) {
  Registry registry;
  registry.scan({STREAM_BINARY_DIR "/lib/stream/plugins"});
  ASSERT_GE(registry.names().size(), 18u);
  const auto tests = tests_of_laws();
  for (const std::string& name : registry.names()) {
    const bool tested = std::any_of(tests.begin(), tests.end(),
                                    [&](const auto& t) { return is_test_of(t, camel_case(name)); });
    EXPECT_TRUE(tested) << name << ": no test Laws." << camel_case(name) << "... in tests/laws";
  }
}

TEST(Coverage, AMissingTestIsNoticed) {
  EXPECT_TRUE(is_test_of("AudioReadChunks", camel_case("audio.read")));
  EXPECT_TRUE(is_test_of("CorpusSpokenText", camel_case("corpus.spoken_text")));
  EXPECT_FALSE(is_test_of("AudioReader", camel_case("audio.read")));
  EXPECT_FALSE(is_test_of("AudioRead", camel_case("audio.read_all")));
}

}  // namespace
}  // namespace stream
