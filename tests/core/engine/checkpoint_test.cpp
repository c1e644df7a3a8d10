#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/checkpoint_lock.hpp"
#include "harness.hpp"
#include "hdf5/archive_file.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

class CheckpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(::testing::TempDir()) /
           ("checkpoint-" + std::to_string(::getpid()) + "-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  /// Two sources, a merge that holds packets back, keyed and unkeyed state, two sinks.
  std::string recipe(const std::string& out, const std::string& extra = "") const {
    return R"(
[nodes.a]
use = "test.numbers"
count = 4000
step = 2
pause = 100
keys = 5
)" + extra +
           R"(
[nodes.b]
use = "test.numbers"
count = 1500
step = 5
start = 301
pause = 200
[nodes.sum]
use = "test.heavy_sum"
from = "a"
[nodes.join]
use = "test.join"
from = ["sum", "b"]
[nodes.count]
use = "test.keyed_count"
from = "a"
[nodes.joined]
use = "test.lines"
from = "join"
path = ")" +
           path(out) + R"("
[nodes.counted]
use = "test.lines"
from = "count"
path = ")" +
           path(out + ".counts") + "\"\n";
  }
  RunOptions options() const {
    RunOptions o;
    o.threads = 2;
    o.checkpoint = path("state.h5");
    o.every = std::chrono::milliseconds(20);
    o.resume = true;
    return o;
  }

 private:
  std::filesystem::path dir_;
};

TEST_F(CheckpointTest, StoppedAnyNumberOfTimesTheOutputIsTheSame) {
  ASSERT_EQ(run_recipe(recipe("whole"), with_threads(2)).exit_code, 0);
  // Parts of different length, then to the end. A slow machine gets further in fewer of them.
  int runs = 0, resumed = 0;
  for (bool finished = false; !finished; ++runs) {
    ASSERT_LT(runs, 100);
    RunOptions o = options();
    if (runs < 5) o.max_time = std::chrono::milliseconds(10 + 15 * runs);
    const RunResult result = run_recipe(recipe("parts"), o);
    ASSERT_EQ(result.exit_code, 0) << result.error;
    resumed += result.resumed;
    finished = result.already_finished;
  }
  EXPECT_GE(resumed, 3);
  EXPECT_EQ(read_file(path("parts")), read_file(path("whole")));
  EXPECT_EQ(read_file(path("parts.counts")), read_file(path("whole.counts")));
}

TEST_F(CheckpointTest, ParallelKeysAreResumedExactly) {
  const auto recipe_to = [&](const std::string& name) {
    return "[limits]\npackets = 100\n[nodes.numbers]\nuse = \"test.numbers\"\ncount = 2000\nkeys = 7\n"
           "[nodes.work]\nuse = \"test.keyed_work\"\nfrom = \"numbers\"\n"
           "[nodes.out]\nuse = \"test.lines\"\nfrom = \"work\"\npath = \"" +
           path(name) + "\"\n";
  };
  ASSERT_EQ(run_recipe(recipe_to("whole"), with_threads(1)).exit_code, 0);
  int runs = 0, resumed = 0;
  for (bool finished = false; !finished; ++runs) {
    ASSERT_LT(runs, 100);
    RunOptions o = options();
    o.threads = 1 + runs % 3;  // another number of threads each time
    if (runs < 6) o.max_time = std::chrono::milliseconds(20 + 10 * runs);
    const RunResult result = run_recipe(recipe_to("parts"), o);
    ASSERT_EQ(result.exit_code, 0) << result.error;
    resumed += result.resumed;
    finished = result.already_finished;
  }
  EXPECT_GE(resumed, 3);
  EXPECT_EQ(read_file(path("parts")), read_file(path("whole")));
}

TEST_F(CheckpointTest, ABranchThatHadEndedDoesNotEndAgain) {
  const auto recipe = [&](const std::string& out) {
    return "[nodes.brief]\nuse = \"test.numbers\"\ncount = 20\n[nodes.sum]\nuse = \"test.sum\"\nfrom = "
           "\"brief\"\n"
           "[nodes.heavy]\nuse = \"test.heavy_sum\"\nfrom = \"brief\"\n[nodes.again]\nuse = "
           "\"test.sum\"\nfrom = "
           "\"heavy\"\n"
           "[nodes.long]\nuse = \"test.numbers\"\ncount = 3000\npause = 100\n"
           "[nodes.first]\nuse = \"test.lines\"\nfrom = \"sum\"\npath = \"" +
           path(out + ".1") +
           "\"\n"
           "[nodes.second]\nuse = \"test.lines\"\nfrom = \"again\"\npath = \"" +
           path(out + ".2") +
           "\"\n"
           "[nodes.third]\nuse = \"test.lines\"\nfrom = \"long\"\npath = \"" +
           path(out + ".3") + "\"\n";
  };
  ASSERT_EQ(run_recipe(recipe("whole"), with_threads(2)).exit_code, 0);
  RunOptions o = options();
  o.max_time = std::chrono::milliseconds(150);
  ASSERT_EQ(run_recipe(recipe("parts"), o).exit_code, 0);
  ASSERT_THAT(read_file(path("parts.1")), HasSubstr("total"));
  const RunResult result = run_recipe(recipe("parts"), options());
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(result.resumed);
  for (const char* suffix : {".1", ".2", ".3"})
    EXPECT_EQ(read_file(path(std::string("parts") + suffix)), read_file(path(std::string("whole") + suffix)));
}

TEST_F(CheckpointTest, ADamagedOneIsPassedOverForTheNewestGoodOne) {
  ASSERT_EQ(run_recipe(recipe("whole"), with_threads(2)).exit_code, 0);
  RunOptions o = options();
  o.max_time = std::chrono::milliseconds(150);
  ASSERT_EQ(run_recipe(recipe("parts"), o).exit_code, 0);
  ASSERT_TRUE(std::filesystem::exists(path("state.h5.1")));
  {
    std::fstream file(path("state.h5"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    const char original = static_cast<char>(file.get());
    file.seekp(1000);
    file.put(static_cast<char>(original ^ 1));
  }
  const RunResult result = run_recipe(recipe("parts"), options());
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(result.resumed);
  EXPECT_EQ(read_file(path("parts")), read_file(path("whole")));
}

/// A pipe that says nothing for a while must not hold a checkpoint back, and goes on afterwards.
TEST_F(CheckpointTest, ASourceThatWaitsForInputIsWokenForIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "ab", 2), 2);
  const std::string toml = "[nodes.in]\nuse = \"test.piped\"\npath = \"/dev/fd/" + std::to_string(ends[0]) +
                           "\"\n[nodes.out]\nuse = \"test.lines\"\nfrom = \"in\"\npath = \"" + path("out") +
                           "\"\n";
  std::uint64_t while_silent = 0;
  RunOptions o = options();
  o.every = std::chrono::milliseconds(1);
  o.max_time = std::chrono::minutes(1);  // only if no checkpoint ever comes
  const RunResult result = run_recipe(toml, o, [&](const RunMetrics& m, bool last) {
    if (last || while_silent > 0 || m.checkpoints < 3) return;
    while_silent = m.checkpoints;
    EXPECT_EQ(::write(ends[1], "cd", 2), 2);
    ::close(ends[1]);
  });
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_GE(while_silent, 3u);
  EXPECT_EQ(read_file(path("out")), "{\"byte\": 97}\n{\"byte\": 98}\n{\"byte\": 99}\n{\"byte\": 100}\n");
  ::close(ends[0]);
}

TEST_F(CheckpointTest, WhenAllAreDamagedTheRunIsRefused) {
  for (const char* name : {"state.h5", "state.h5.1"})
    std::ofstream(path(name)) << "not an archive, and a line that is long enough to hold a trailer.";
  const RunResult result = run_recipe(recipe("parts"), options());
  EXPECT_EQ(result.exit_code, 65);
  EXPECT_THAT(result.error, HasSubstr("state.h5: is no archive of stream"));
}

TEST_F(CheckpointTest, AnotherRecipesIsRefusedByName) {
  RunOptions o = options();
  o.max_time = std::chrono::milliseconds(60);
  ASSERT_EQ(run_recipe(recipe("parts"), o).exit_code, 0);
  const RunResult result = run_recipe(recipe("parts", "fail_at = 3"), options());
  EXPECT_EQ(result.exit_code, 78);
  EXPECT_THAT(result.error, HasSubstr("belongs to another recipe"));
}

TEST_F(CheckpointTest, WhatCannotBeSavedEndsTheRunOnlyWhenItIsAskedTo) {
  const std::string toml =
      "[nodes.a]\nuse = \"test.numbers\"\n[nodes.u]\nuse = \"test.unsavable\"\nfrom = "
      "\"a\"\n[nodes.out]\nuse = \"test.lines\"\nfrom = \"u\"\npath = \"" +
      path("out") + "\"\n";
  EXPECT_EQ(run_recipe(toml).exit_code, 0);
  const RunResult result = run_recipe(toml, options());
  EXPECT_EQ(result.exit_code, 78);
  EXPECT_THAT(result.error, HasSubstr("node 'u': cannot be saved"));
}

TEST_F(CheckpointTest, KeepsAsManyAsAskedFor) {
  RunOptions o = options();
  o.keep = 2;
  ASSERT_EQ(run_recipe(recipe("parts"), o).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(path("state.h5.1")));
  EXPECT_FALSE(std::filesystem::exists(path("state.h5.2")));
  EXPECT_FALSE(std::filesystem::exists(path("state.h5.tmp")));
}

TEST_F(CheckpointTest, TwoRunsNeverShareOne) {
  {
    const CheckpointLock other(path("state.h5"));
    const RunResult refused = run_recipe(recipe("parts"), options());
    EXPECT_EQ(refused.exit_code, 75);
    EXPECT_THAT(refused.error,
                HasSubstr("state.h5: another run (process " + std::to_string(::getpid()) + ")"));
    EXPECT_FALSE(std::filesystem::exists(path("parts"))) << "what the other run writes was touched";
  }
  // A run that was killed leaves a file that nobody holds.
  std::ofstream(path("state.h5.lock")) << "99999999 and something longer than any number of a process";
  EXPECT_EQ(run_recipe(recipe("parts"), options()).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(path("state.h5.lock")));
}

TEST_F(CheckpointTest, ARunThatStartsAnewIsNeverResumedFromWhatAnEarlierOneLeft) {
  ASSERT_EQ(run_recipe(recipe("parts"), options()).exit_code, 0);
  ASSERT_TRUE(std::filesystem::exists(path("state.h5.1")));
  RunOptions anew = options();
  anew.resume = false;
  anew.every = std::chrono::hours(1);
  anew.max_time = std::chrono::milliseconds(1);
  ASSERT_EQ(run_recipe(recipe("parts"), anew).exit_code, 0);
  for (const char* name : {"state.h5", "state.h5.1", "state.h5.2"}) {
    if (!std::filesystem::exists(path(name))) continue;
    EXPECT_FALSE(read_archive(path(name)).get<bool>("finished")) << name;
  }
  ASSERT_EQ(run_recipe(recipe("whole"), with_threads(2)).exit_code, 0);
  const RunResult result = run_recipe(recipe("parts"), options());
  EXPECT_FALSE(result.already_finished);
  EXPECT_EQ(read_file(path("parts")), read_file(path("whole")));
}

TEST_F(CheckpointTest, TheFirstIsWrittenBeforeAnythingElse) {
  RunOptions o = options();
  o.every = std::chrono::hours(1);
  const RunResult failed = run_recipe(recipe("parts", "fail_at = 0"), o);
  EXPECT_EQ(failed.exit_code, 65);
  EXPECT_EQ(read_archive(path("state.h5")).group("stages").group("0").get<bool>("ended"), false);
  // An operator that cannot be saved says so before an output is emptied.
  std::ofstream(path("out")) << "of another run";
  o.checkpoint = path("other.h5");
  const RunResult refused = run_recipe(
      "[nodes.a]\nuse = \"test.numbers\"\n[nodes.u]\nuse = \"test.unsavable\"\nfrom = \"a\"\n"
      "[nodes.out]\nuse = \"test.lines\"\nfrom = \"u\"\npath = \"" +
          path("out") + "\"\n",
      o);
  EXPECT_EQ(refused.exit_code, 78);
  EXPECT_EQ(read_file(path("out")), "of another run");
}

TEST_F(CheckpointTest, StartingAnewLeavesWhatIsNoArchive) {
  std::ofstream(path("state.h5.1")) << "somebody's notes, which happen to have the name of a checkpoint";
  RunOptions o = options();
  o.resume = false;
  o.keep = 1;
  ASSERT_EQ(run_recipe(recipe("parts"), o).exit_code, 0);
  EXPECT_THAT(read_file(path("state.h5.1")), HasSubstr("somebody's notes"));
}

TEST_F(CheckpointTest, ASinkThatCannotWriteStopsTheRunWhateverOnErrorSays) {
  const std::string toml =
      "[nodes.a]\nuse = \"test.numbers\"\ncount = 20000\n[nodes.out]\nuse = \"test.lines\"\nfrom = "
      "\"a\"\non_error = \"skip\"\npath = \"/dev/full\"\n";
  const RunResult result = run_recipe(toml);
  EXPECT_EQ(result.exit_code, 74);
  EXPECT_THAT(result.error, HasSubstr("/dev/full: cannot write at byte"));
}

TEST_F(CheckpointTest, ReceivedIsForOutputsThatCannotBeTakenBack) {
  RunOptions o = options();
  o.received = {{"joined", 5}};
  RunResult result = run_recipe(recipe("parts"), o);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("only for outputs that cannot be taken back"));
  o.received = {{"", 5}};
  result = run_recipe(recipe("parts"), o);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("several outputs; say NODE=BYTES"));
  o.received = {{"joind", 5}};
  EXPECT_THAT(run_recipe(recipe("parts"), o).error, HasSubstr("no such output (did you mean 'joined'?)"));
}

TEST_F(CheckpointTest, EqualArchivesAreEqualFilesWheneverTheyAreWritten) {
  Archive archive;
  archive.group("g").set("values", std::vector<float>{1, 2, 3});
  archive.set("n", std::int64_t{7});
  write_archive(path("a.h5"), archive);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5's times of creation count seconds
  write_archive(path("b.h5"), archive);
  EXPECT_TRUE(read_file(path("a.h5")) == read_file(path("b.h5")));
}

TEST_F(CheckpointTest, EveryCutAndEveryFlippedByteOfAnArchiveIsNoticed) {
  Archive archive;
  archive.set("n", std::int64_t{7});
  archive.group("g").set("text", "");
  archive.group("g").set("values", std::vector<float>{1, 2, 3});
  archive.set("flag", true);
  write_archive(path("a.h5"), archive);
  const Archive back = read_archive(path("a.h5"));
  EXPECT_EQ(back.get<std::int64_t>("n"), 7);
  EXPECT_EQ(back.group("g").get<std::string>("text"), "");
  EXPECT_EQ(back.group("g").get<std::vector<float>>("values"), (std::vector<float>{1, 2, 3}));
  EXPECT_TRUE(back.get<bool>("flag"));
  const std::string whole = read_file(path("a.h5"));
  const auto refused = [&](const std::string& bytes) {
    std::ofstream(path("b.h5"), std::ios::binary) << bytes;
    try {
      read_archive(path("b.h5"));
      return false;
    } catch (const Error& e) {
      return e.code() == ExitCode::kBadData;
    }
  };
  for (std::size_t cut = 0; cut < whole.size(); cut += 97) ASSERT_TRUE(refused(whole.substr(0, cut))) << cut;
  for (std::size_t at = 0; at < whole.size() - 64; at += 61) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    ASSERT_TRUE(refused(bytes)) << at;
  }
}

}  // namespace
}  // namespace stream::testing
