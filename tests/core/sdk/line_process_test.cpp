#include "stream/line_process.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "stream/error.hpp"

namespace stream {
namespace {

using Status = LineProcess::Status;
auto in(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}

TEST(LineProcess, SpeaksLineByLine) {
  LineProcess echo("cat");
  std::string line;
  for (const char* text : {"one", "", "three"}) {
    echo.say(text, in(10'000));
    ASSERT_EQ(echo.hear(line, in(10'000)), Status::kLine);
    EXPECT_EQ(line, text);
  }
  EXPECT_EQ(echo.hear(line, in(1)), Status::kTimeout);
}

TEST(LineProcess, ALastLineNeedsNoEndAndTheFateIsTold) {
  LineProcess process("printf 'a\\nb'; exit 4");
  std::string line;
  ASSERT_EQ(process.hear(line, in(10'000)), Status::kLine);
  ASSERT_EQ(process.hear(line, in(10'000)), Status::kLine);
  EXPECT_EQ(line, "b");
  EXPECT_EQ(process.hear(line, in(10'000)), Status::kEnd);
  EXPECT_EQ(process.fate(), "exit code 4");
}

TEST(LineProcess, ThisProgramIsFoundByItsNameWhereverItLies) {
  LineProcess process("command -v test-sdk");
  std::string line;
  ASSERT_EQ(process.hear(line, in(10'000)), Status::kLine);
  EXPECT_EQ(line, STREAM_BINARY_DIR "/bin/test-sdk");
}

TEST(LineProcess, ATalkToTheDeadEndsNobody) {
  LineProcess process("kill -9 $$");
  std::string line;
  EXPECT_EQ(process.hear(line, in(10'000)), Status::kEnd);
  process.say("anybody?", in(100));
  EXPECT_EQ(process.fate(), "signal 9 (Killed)");
}

TEST(LineProcess, WaitingIsInterrupted) {
  LineProcess process("sleep 60");
  std::thread other([&] { process.interrupt(); });
  std::string line;
  EXPECT_EQ(process.hear(line, in(30'000)), Status::kInterrupted);
  other.join();
  EXPECT_EQ(process.hear(line, in(1)), Status::kTimeout);
}

TEST(LineProcess, OneThatReadsNothingIsNotWaitedForWithoutEnd) {
  LineProcess process("sleep 60");
  EXPECT_THROW(process.say(std::string(16 << 20, 'x'), in(50)), Error);
}

TEST(LineProcess, WhatItStartedIsEndedWithIt) {
  const auto start = std::chrono::steady_clock::now();
  { LineProcess stubborn("trap '' TERM; sleep 60 | sleep 60"); }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace stream
