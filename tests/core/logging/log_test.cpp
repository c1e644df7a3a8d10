#include "logging/log_library.hpp"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "stream/value.hpp"

extern "C" const stream::LogLibrary* stream_log_library();

namespace stream {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override { lines().clear(); }
  static std::vector<std::string>& lines() {
    static std::vector<std::string> instance;
    return instance;
  }
  static std::unique_ptr<Log> open(LogFormat format) {
    return stream_log_library()->open(format, [](std::string_view line) { lines().emplace_back(line); });
  }
};

constexpr const char* kNasty = "quote \" brace {} %v {0} newline \n tab \t";

TEST_F(LogTest, TextNamesLevelAndNode) {
  const auto log = open(LogFormat::kText);
  log->tell(LogLevel::kWarning, "speech", "the input is silent");
  log->tell(LogLevel::kError, "", kNasty);
  log->tell(LogLevel::kDebug, "%v {}", "x");
  EXPECT_THAT(lines(),
              ElementsAre("stream: warning: speech: the input is silent\n",
                          std::string("stream: error: ") + kNasty + "\n", "stream: debug: %v {}: x\n"));
}

TEST_F(LogTest, JsonSurvivesAnyMessage) {
  const auto log = open(LogFormat::kJson);
  log->tell(LogLevel::kWarning, "no\"de", kNasty);
  log->tell(LogLevel::kInfo, "", "");
  ASSERT_EQ(lines().size(), 2u);
  EXPECT_EQ(lines()[0].find('\n'), lines()[0].size() - 1);
  const Value first = Value::parse(lines()[0]), second = Value::parse(lines()[1]);
  EXPECT_EQ(first.as_object().find("message")->as_string(), kNasty);
  EXPECT_EQ(first.as_object().find("node")->as_string(), "no\"de");
  EXPECT_EQ(first.as_object().find("level")->as_string(), "warning");
  EXPECT_THAT(first.as_object().find("time")->as_string(),
              MatchesRegex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
  EXPECT_EQ(second.as_object().find("node"), nullptr);
}

TEST_F(LogTest, LinesOfSeveralThreadsDoNotMix) {
  const auto log = open(LogFormat::kText);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) log->tell(LogLevel::kInfo, std::to_string(t), std::string(50, 'x'));
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(lines().size(), 2000u);
  for (const std::string& line : lines()) ASSERT_THAT(line, MatchesRegex("stream: info: [0-3]: x{50}\n"));
}

}  // namespace
}  // namespace stream
