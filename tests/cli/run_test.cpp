/// stream run and what is built on it: stdout is data, stderr is silent unless something is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "cli.hpp"
#include "stream/value.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class Run : public ::testing::Test {
 protected:
  void SetUp() override { write_contents(folder_ / "copy.toml", kCopyLines); }
  ScratchFolder folder_;
};

TEST_F(Run, StdoutIsByteExactAndStderrIsSilent) {
  const std::string lines = "one\n\nthree: grüße\n\tfour\n";
  const Outcome outcome = stream_run({"run", "copy.toml"}, lines, folder_.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, lines);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Run, FilesThroughInputAndOutput) {
  write_contents(folder_ / "in.txt", "a\nb\n");
  const Outcome outcome = stream_run(
      {"run", "copy.toml", "-i", "in.txt", "-o", "out.txt", "--report", "r.html", "--metrics", "m.prom"}, "",
      folder_.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(contents(folder_ / "out.txt"), "a\nb\n");
  EXPECT_THAT(contents(folder_ / "r.html"), HasSubstr("<svg"));
  EXPECT_THAT(
      contents(folder_ / "m.prom"),
      HasSubstr("stream_node_packets_in_total{recipe=\"copy.toml\",node=\"out\",operator=\"text.write\"} 2"));
}

TEST_F(Run, MissingInputAndUnwritableOutput) {
  EXPECT_EQ(stream_run({"run", "copy.toml", "-i", "missing.txt"}, "", folder_.path()).exit_code, 66);
  EXPECT_EQ(stream_run({"run", "copy.toml", "-o", "no/such/folder/x"}, "a\n", folder_.path()).exit_code, 74);
  EXPECT_EQ(shell("printf 'a\\n' | stream run copy.toml > /dev/full", folder_.path()).exit_code, 74);
}

TEST_F(Run, ALimitOfFileSizeIsAMessageAndNotASignal) {
  write_contents(folder_ / "in.txt", std::string(40'000, 'x') + "\n");
  const Outcome outcome = shell("ulimit -f 10; stream run copy.toml -i in.txt -o out.txt", folder_.path());
  EXPECT_EQ(outcome.exit_code, 74);
  EXPECT_THAT(outcome.err, HasSubstr("out.txt: cannot write at byte 10240: File too large"));
}

TEST_F(Run, WhatTheReaderOfAPipeHasIsNotWrittenAgain) {
  EXPECT_EQ(stream_run({"run", "copy.toml", "--received", "6"}, "one\ntwo\nthree\n", folder_.path()).out,
            "o\nthree\n");
  EXPECT_EQ(stream_run({"run", "copy.toml", "--received", "out=14"}, "one\ntwo\nthree\n", folder_.path()).out,
            "");
  const Outcome more =
      stream_run({"run", "copy.toml", "--received", "15"}, "one\ntwo\nthree\n", folder_.path());
  EXPECT_EQ(more.exit_code, 65);
  EXPECT_THAT(more.err, HasSubstr("the whole output has 14 bytes"));
  EXPECT_EQ(stream_run({"run", "copy.toml", "--received", "some"}, "", folder_.path()).exit_code, 2);
  EXPECT_EQ(stream_run({"run", "copy.toml", "--received", "3", "-o", "f"}, "", folder_.path()).exit_code, 2);
}

TEST_F(Run, AReaderThatLostTheEndOfAFinishedRunGetsItAgain) {
  write_contents(folder_ / "in.txt", "one\ntwo\nthree\n");
  const std::vector<std::string> command = {"run",          "copy.toml", "-i",      "in.txt",
                                            "--checkpoint", "c.h5",      "--resume"};
  const auto again = [&](const char* received) {
    auto argv = command;
    argv.insert(argv.end(), {"--received", received});
    return stream_run(argv, "", folder_.path());
  };
  EXPECT_EQ(stream_run(command, "", folder_.path()).out, "one\ntwo\nthree\n");
  EXPECT_EQ(again("14").out, "");
  EXPECT_EQ(again("5").out, "wo\nthree\n");
  EXPECT_EQ(again("15").exit_code, 65);
}

TEST_F(Run, StdoutThatIsAFileIsResumedWithTwoArrowsAndNotWithOne) {
  write_contents(folder_ / "slow.toml",
                 "[limits]\npackets = 16\n[nodes.lines]\nuse = \"text.read\"\npath = "
                 "\"in.txt\"\n[nodes.slow]\nuse = \"delay\"\nfrom = "
                 "\"lines\"\nmilliseconds = 1.0\n[nodes.out]\nuse = \"text.write\"\nfrom = \"slow\"\n");
  std::string lines;
  for (int i = 0; i < 1500; ++i) lines += "line " + std::to_string(i) + "\n";
  write_contents(folder_ / "in.txt", lines);
  const std::string run = "stream run slow.toml --checkpoint c.h5 --every 100ms --resume ";
  // A busy machine may be stopped before the first line is out; and few packets may be under way, or the
  // whole input would be when it is stopped.
  EXPECT_EQ(
      shell("until [ -s out.txt ]; do " + run + "--max-time 600ms >> out.txt || exit; done", folder_.path())
          .exit_code,
      0);
  const Outcome emptied = shell("cp out.txt kept.txt; " + run + "> out.txt", folder_.path());
  EXPECT_EQ(emptied.exit_code, 74);
  EXPECT_THAT(emptied.err, HasSubstr(">> FILE"));
  // What a killed run wrote behind its last checkpoint.
  EXPECT_EQ(
      shell("echo 'line that comes again' >> kept.txt; " + run + ">> kept.txt", folder_.path()).exit_code, 0);
  EXPECT_EQ(contents(folder_ / "kept.txt"), lines);
}

TEST_F(Run, InvalidUtf8IsBadDataAndWhatCameBeforeIsDelivered) {
  const Outcome outcome = stream_run({"run", "copy.toml"}, "good\n\xff\xfe\n", folder_.path());
  EXPECT_EQ(outcome.exit_code, 65);
  EXPECT_EQ(outcome.out, "good\n");
  EXPECT_THAT(outcome.err, HasSubstr("stream: error: "));
}

TEST_F(Run, AReaderThatLeavesEndsItQuietly) {
  const Outcome outcome =
      shell("set -o pipefail; seq 1000000 | stream run copy.toml 2>err.txt | head -n 1", folder_.path());
  EXPECT_EQ(outcome.out, "1\n");
  EXPECT_EQ(contents(folder_ / "err.txt"), "");
}

/// Whether a process has a handler for a signal by now, or is gone.
bool catches(int pid, int signal) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  const std::string field = "SigCgt:";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field))
      return ((std::stoull(line.substr(field.size()), nullptr, 16) >> (signal - 1)) & 1) != 0;
  return true;
}

TEST_F(Run, ASignalEndsItInOrderWithItsNumber) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Program program = stream_program({"run", "copy.toml"}, "one\n");
    program.folder = folder_.path();
    program.when_fed = [signal](int pid) {
      while (!catches(pid, signal)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      std::this_thread::sleep_for(std::chrono::milliseconds(300));  // for the line to be read
      ::kill(pid, signal);
    };
    const Outcome outcome = run(program);
    EXPECT_EQ(outcome.exit_code, 128 + signal) << outcome.err;
    EXPECT_EQ(outcome.signal, 0) << "the program itself must end, not the signal end it";
    EXPECT_EQ(outcome.out, "one\n");
  }
}

TEST_F(Run, ProgressKeysEndWithEnd) {
  const Outcome outcome =
      shell("printf 'a\\n' | stream run copy.toml --progress-fd 3 3>keys.txt", folder_.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string keys = contents(folder_ / "keys.txt");
  EXPECT_THAT(keys, HasSubstr("wall_seconds="));
  EXPECT_TRUE(keys.ends_with("progress=end\n")) << keys;
}

TEST_F(Run, JsonLogsAreJson) {
  const Outcome outcome =
      stream_run({"run", "copy.toml", "-i", "mis\"sing\n.txt", "--log-format", "json"}, "", folder_.path());
  EXPECT_EQ(outcome.exit_code, 66);
  const Value line = Value::parse(outcome.err.substr(0, outcome.err.find('\n')));
  EXPECT_EQ(line.as_object().find("level")->as_string(), "error");
  EXPECT_THAT(line.as_object().find("message")->as_string(), HasSubstr("mis\"sing\n.txt"));
}

TEST_F(Run, TestsOfARecipeAreRunAndAMismatchIsShown) {
  write_contents(folder_ / "in.txt", "a\nb\n");
  write_contents(folder_ / "good.txt", "a\nb\n");
  write_contents(folder_ / "bad.txt", "a\nc\n");
  const std::string table = "\n[[test]]\ninput = \"in.txt\"\nexpect = ";
  write_contents(folder_ / "ok.toml", std::string(kCopyLines) + table + "\"good.txt\"\n");
  write_contents(folder_ / "not.toml", std::string(kCopyLines) + table + "\"bad.txt\"\n");
  const Outcome good = stream_run({"test", "ok.toml"}, "", folder_.path());
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.out, "ok   ok.toml test 1\n1 passed, 0 failed\n");
  const Outcome bad = stream_run({"test", "not.toml"}, "", folder_.path());
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("line 2:\n  expected \"c\"\n  found    \"b\""));
}

TEST_F(Run, BenchPrintsADigestInEachFormat) {
  write_contents(folder_ / "in.txt", "a\nb\n");
  const Outcome md = stream_run({"bench", "copy.toml", "-i", "in.txt", "-r", "2"}, "", folder_.path());
  EXPECT_EQ(md.exit_code, 0) << md.err;
  EXPECT_THAT(md.out, HasSubstr("| recipe | runs |"));
  const Outcome json =
      stream_run({"bench", "copy.toml", "-i", "in.txt", "-r", "1", "-f", "jsonl"}, "", folder_.path());
  EXPECT_THAT(Value::parse(json.out.substr(0, json.out.find('\n'))).as_object().find("output")->as_string(),
              MatchesRegex("[0-9a-f]{16}"));
}

constexpr const char* kStudy = R"([params.quick]
type = "boolean"
default = false
doc = "seconds instead of minutes"

[nodes.claims]
use = "jsonl.read"
path = "claims.jsonl"

[nodes.out]
use = "jsonl.write"
from = "claims"
path = "-"
)";

TEST_F(Run, StudiesHoldOrMissTheirBars) {
  write_contents(folder_ / "study.toml", kStudy);
  const std::string held =
      R"({"claim":"lower is better","paper":0.1,"baseline":0.5,"measured":0.2,"bar":0.25,"held":true})"
      "\n";
  const std::string missed =
      R"({"claim":"faster","paper":2,"baseline":1,"measured":1.1,"bar":1.5,"held":false})"
      "\n";
  write_contents(folder_ / "claims.jsonl", held);
  const Outcome good =
      stream_run({"reproduce", "study.toml", "--quick", "--json", "--report", "r.html"}, "", folder_.path());
  EXPECT_EQ(good.exit_code, 0) << good.err;
  const Value facts = Value::parse(good.out.substr(0, good.out.find('\n')));
  EXPECT_EQ(facts.as_object().find("claims")->as_array().size(), 1u);
  EXPECT_THAT(contents(folder_ / "r.html"), HasSubstr("lower is better"));

  write_contents(folder_ / "claims.jsonl", held + missed);
  const Outcome bad = stream_run({"reproduce", "study.toml"}, "", folder_.path());
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, HasSubstr("MISSED"));
  // A figure without a bar is shown and judges nothing; alone it is no study, and half of it is a mistake.
  const std::string figure =
      R"({"claim":"seen on the way","paper":null,"baseline":1,"measured":3,"bar":null,"held":null})"
      "\n";
  write_contents(folder_ / "claims.jsonl", held + figure);
  const Outcome shown = stream_run({"reproduce", "study.toml"}, "", folder_.path());
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("seen on the way"));
  write_contents(folder_ / "claims.jsonl", missed + figure);
  EXPECT_EQ(stream_run({"reproduce", "study.toml"}, "", folder_.path()).exit_code, 1);
  write_contents(folder_ / "claims.jsonl", figure);
  EXPECT_EQ(stream_run({"reproduce", "study.toml"}, "", folder_.path()).exit_code, 1);
  write_contents(folder_ / "claims.jsonl",
                 R"({"claim":"a","paper":null,"baseline":1,"measured":3,"bar":null,"held":true})"
                 "\n");
  const Outcome half = stream_run({"reproduce", "study.toml"}, "", folder_.path());
  EXPECT_EQ(half.exit_code, 65);
  EXPECT_THAT(half.err, HasSubstr("null together"));
  write_contents(folder_ / "claims.jsonl", "");
  EXPECT_EQ(stream_run({"reproduce", "study.toml"}, "", folder_.path()).exit_code, 1);
}

TEST_F(Run, QuickIsAParameterOfTheStudy) {
  std::string study = kStudy;
  study.replace(study.find("claims.jsonl"), 12, "claims-${params.quick}.jsonl");
  write_contents(folder_ / "study.toml", study);
  const std::string claim = R"({"claim":"c","paper":null,"baseline":1,"measured":2,"bar":1,"held":)";
  write_contents(folder_ / "claims-true.jsonl", claim + "true}\n");
  write_contents(folder_ / "claims-false.jsonl", claim + "false}\n");
  const auto code = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"reproduce", "study.toml"});
    return stream_run(words, "", folder_.path()).exit_code;
  };
  EXPECT_EQ(code({}), 1);
  EXPECT_EQ(code({"--quick"}), 0);
  EXPECT_EQ(code({"--set", "params.quick=true"}), 0) << "what is set by hand stays";
}

}  // namespace
}  // namespace stream::testing
