#include "program/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <csignal>

namespace stream::testing {
namespace {

TEST(Program, CollectsBothOutputsAndTheExitCode) {
  const Outcome o = run({.argv = {"sh", "-c", "cat; echo oops >&2; exit 65"}, .input = "line\n"});
  EXPECT_EQ(o.out, "line\n");
  EXPECT_EQ(o.err, "oops\n");
  EXPECT_EQ(o.exit_code, 65);
  EXPECT_EQ(o.signal, 0);
  EXPECT_FALSE(o.timed_out);
}

TEST(Program, PassesMoreThanAPipeHoldsInSmallPieces) {
  const std::string bytes(1'000'003, 'x');
  EXPECT_EQ(run({.argv = {"cat"}, .input = bytes, .piece = 997}).out, bytes);
}

TEST(Program, SurvivesAProgramThatReadsNothing) {
  EXPECT_EQ(run({.argv = {"true"}, .input = std::string(1'000'000, 'x')}).exit_code, 0);
}

TEST(Program, ReportsTheSignal) {
  const Outcome o = run({.argv = {"cat"}, .input = "x", .when_fed = [](int pid) { ::kill(pid, SIGTERM); }});
  EXPECT_EQ(o.signal, SIGTERM);
  EXPECT_EQ(o.exit_code, 128 + SIGTERM);
}

TEST(Program, KillsAtTheDeadline) {
  const Outcome o = run({.argv = {"sleep", "60"}, .input = "", .deadline = std::chrono::milliseconds(50)});
  EXPECT_TRUE(o.timed_out);
  EXPECT_LT(o.wall_seconds, 30);
}

TEST(Program, MeasuresMemoryOfTheChildAlone) {
  const Outcome o = run({.argv = {"true"}, .input = ""});
  EXPECT_GT(o.peak_bytes, 100'000u);
}

TEST(Program, RunsInItsFolderWithItsEnvironment) {
  const ScratchFolder scratch;
  const Outcome o = run({.argv = {"sh", "-c", "pwd -P; echo $GREETING"},
                         .input = "",
                         .folder = scratch.path(),
                         .environment = {"GREETING=hello"}});
  EXPECT_EQ(o.out, std::filesystem::canonical(scratch.path()).string() + "\nhello\n");
}

TEST(Program, AnUnknownProgramGivesTheShellsCode) {
  EXPECT_EQ(run({.argv = {"no-such-program"}, .input = ""}).exit_code, 127);
}

}  // namespace
}  // namespace stream::testing
