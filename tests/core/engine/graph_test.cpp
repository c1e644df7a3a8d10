#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "harness.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

class GraphTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(::testing::TempDir()) /
           ("graph-" + std::to_string(::getpid()) + "-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  /// A recipe that ends in `out`, fed from node `last`.
  std::string recipe(const std::string& nodes, const std::string& last,
                     const std::string& sink_extra = "") const {
    return nodes + "\n[nodes.sink]\nuse = \"test.lines\"\nfrom = \"" + last + "\"\npath = \"" + path("out") +
           "\"\n" + sink_extra;
  }
  std::string out() const { return read_file(path("out")); }
  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    std::string line;
    for (const char c : out()) {
      if (c == '\n')
        result.push_back(std::exchange(line, {}));
      else
        line.push_back(c);
    }
    EXPECT_TRUE(line.empty()) << "the output ends inside a line";
    return result;
  }

 private:
  std::filesystem::path dir_;
};

constexpr const char* kSumChain = R"(
[nodes.numbers]
use = "test.numbers"
count = 1000
[nodes.sum]
use = "test.sum"
from = "numbers"
)";

TEST_F(GraphTest, RunsAChainAndFlushesItAtTheEnd) {
  const RunResult result = run_recipe(recipe(kSumChain, "sum"));
  EXPECT_EQ(result.exit_code, 0) << result.error;
  const auto got = lines();
  ASSERT_EQ(got.size(), 1001u);
  EXPECT_EQ(got[0], R"({"n": 0, "sum": 0})");
  EXPECT_EQ(got[999], R"({"n": 999, "sum": 499500})");
  EXPECT_EQ(got[1000], R"({"total": 499500})");
  ASSERT_EQ(result.metrics.nodes.size(), 3u);
  EXPECT_EQ(result.metrics.nodes[0].packets_out, 1000u);
  EXPECT_EQ(result.metrics.nodes[2].packets_in, 1001u);
  // The total comes at the end of time, which is not where the stream is.
  EXPECT_DOUBLE_EQ(result.metrics.stream_seconds, 999e-9);
}

TEST_F(GraphTest, AnEmptyStreamEndsCleanly) {
  EXPECT_EQ(run_recipe(recipe("[nodes.a]\nuse = \"test.numbers\"\ncount = 0", "a")).exit_code, 0);
  EXPECT_EQ(out(), "");
}

/// Two sources at different paces and a diamond: what comes out depends on event time alone.
TEST_F(GraphTest, MergesByEventTimeWhateverTheThreadsDo) {
  const std::string nodes = R"(
[nodes.fast]
use = "test.numbers"
count = 3000
step = 3
[nodes.slow]
use = "test.numbers"
count = 300
step = 30
start = 5
pause = 20
[nodes.heavy]
use = "test.heavy_sum"
from = "fast"
[nodes.join]
use = "test.join"
from = { left = "heavy", right = "slow" }
)";
  std::string first;
  for (const int threads : {1, 2, 8, 2, 1}) {
    const RunResult result = run_recipe(recipe(nodes, "join"), with_threads(threads));
    ASSERT_EQ(result.exit_code, 0) << result.error;
    if (first.empty()) first = out();
    ASSERT_EQ(out(), first) << threads << " threads";
  }
  ASSERT_EQ(lines().size(), 3300u);
}

/// One branch says almost nothing. The other must not wait for it beyond the credits, and order must hold.
TEST_F(GraphTest, ASilentBranchHoldsNobodyUp) {
  const std::string nodes = R"(
[limits]
packets = 64
[nodes.numbers]
use = "test.numbers"
count = 20000
[nodes.thin]
use = "test.thin"
from = "numbers"
every = 7000
[nodes.join]
use = "test.join"
from = { left = "thin", right = "numbers" }
)";
  const RunResult result = run_recipe(recipe(nodes, "join"), with_threads(2));
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto got = lines();
  ASSERT_EQ(got.size(), 20003u);
  EXPECT_EQ(got[0], R"({"n": 0, "port": 0, "at": 0})");
  EXPECT_EQ(got[1], R"({"n": 0, "port": 1, "at": 1})");
  EXPECT_EQ(got[7001], R"({"n": 7000, "port": 0, "at": 7001})");
}

TEST_F(GraphTest, ASlowSinkSlowsTheSource) {
  std::size_t most = 0;
  const auto observe = [&](const RunMetrics& m, bool) {
    for (const auto& node : m.nodes) most = std::max(most, node.queued);
  };
  const std::string nodes =
      "[limits]\npackets = 100\n[nodes.numbers]\nuse = \"test.numbers\"\ncount = 4000\n";
  const RunResult result = run_recipe(recipe(nodes, "numbers", "pause = 100"), with_threads(2), observe);
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(lines().size(), 4000u);
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 100u);
}

TEST_F(GraphTest, KeysHaveStateOfTheirOwn) {
  const std::string nodes = R"(
[nodes.numbers]
use = "test.numbers"
count = 9
keys = 3
[nodes.count]
use = "test.keyed_count"
from = "numbers"
)";
  ASSERT_EQ(run_recipe(recipe(nodes, "count")).exit_code, 0);
  const auto got = lines();
  ASSERT_EQ(got.size(), 9u);
  EXPECT_EQ(got[8], R"({"key": "k2", "count": 3})");
}

/// What comes out of heavy work for many keys, and the errors in it, do not show that keys are computed side
/// by side.
TEST_F(GraphTest, ParallelKeysGiveWhatOneThreadGives) {
  for (const char* on_error : {"skip", "divert"}) {
    const std::string nodes =
        std::string(R"(
[nodes.numbers]
use = "test.numbers"
count = 700
keys = 9
[nodes.work]
use = "test.keyed_work"
from = "numbers"
throw_at = 31
on_error = ")") +
        on_error + "\"\n[nodes.count]\nuse = \"test.keyed_count\"\nfrom = \"work.more\"\n" +
        "[nodes.counts]\nuse = \"test.lines\"\nfrom = \"count\"\npath = \"" + path("counts") + "\"\n" +
        (*on_error == 'd' ? "[nodes.bad]\nuse = \"test.lines\"\nfrom = \"work.errors\"\npath "
                            "= \"" +
                                path("bad") + "\"\n"
                          : "");
    std::string first, first_counts, first_bad;
    for (const int threads : {1, 2, 8}) {
      const RunResult result = run_recipe(recipe(nodes, "work"), with_threads(threads));
      ASSERT_EQ(result.exit_code, 0) << result.error;
      EXPECT_EQ(result.metrics.nodes[1].errors, 23u);
      EXPECT_EQ(result.metrics.nodes[1].packets_in, 700u);
      const std::string bad = *on_error == 'd' ? read_file(path("bad")) : "";
      if (threads == 1) first = out(), first_counts = read_file(path("counts")), first_bad = bad;
      ASSERT_EQ(out(), first) << threads << " threads";
      ASSERT_EQ(read_file(path("counts")), first_counts) << threads << " threads";
      ASSERT_EQ(bad, first_bad) << threads << " threads";
    }
    EXPECT_THAT(first_counts, HasSubstr(R"({"key": "k8", "count": 64})"));
  }
}

TEST_F(GraphTest, AnErrorInOneOfSeveralKeysEndsTheRunAtItsPacket) {
  std::string first, first_error;
  for (const int threads : {1, 8}) {
    const RunResult result = run_recipe(
        recipe("[nodes.numbers]\nuse = \"test.numbers\"\ncount = 400\nkeys = 5\n[nodes.work]\nuse = "
               "\"test.keyed_work\"\nfrom = \"numbers\"\nthrow_at = 300\n",
               "work"),
        with_threads(threads));
    EXPECT_EQ(result.exit_code, 65);
    EXPECT_THAT(result.error, HasSubstr("node 'work': packet 6: cannot digest 5"));
    if (threads == 1) first = out(), first_error = result.error;
    EXPECT_EQ(result.error, first_error);
    EXPECT_EQ(out(), first);
  }
  EXPECT_THAT(first, HasSubstr("\"again\": 4}"));
}

TEST_F(GraphTest, KeysAreComputedAtTheSameTime) {
  KeyedWork::met = false;
  ASSERT_EQ(
      run_recipe(recipe("[nodes.numbers]\nuse = \"test.numbers\"\ncount = 200\nkeys = 4\n[nodes.work]\nuse = "
                        "\"test.keyed_work\"\nfrom = \"numbers\"\nmeet = true\n",
                        "work"),
                 with_threads(2))
          .exit_code,
      0);
  EXPECT_TRUE(KeyedWork::met);
}

TEST_F(GraphTest, AnErrorStopsTheRunAfterWhatCameBefore) {
  const RunResult result = run_recipe(recipe(R"(
[nodes.numbers]
use = "test.numbers"
count = 1000
fail_at = 500
[nodes.sum]
use = "test.heavy_sum"
from = "numbers"
)",
                                             "sum"));
  EXPECT_EQ(result.exit_code, 65);
  EXPECT_THAT(result.error, HasSubstr("node 'numbers': the input is damaged at number 500"));
  EXPECT_EQ(lines().size(), 500u);
}

TEST_F(GraphTest, SkipLosesThePacketAndDivertKeepsIt) {
  const std::string nodes = R"(
[nodes.numbers]
use = "test.numbers"
count = 100
[nodes.sum]
use = "test.sum"
from = "numbers"
throw_at = 10
on_error = "MODE"
)";
  std::string skip = nodes, divert = nodes;
  skip.replace(skip.find("MODE"), 4, "skip");
  divert.replace(divert.find("MODE"), 4, "divert");
  RunResult result = run_recipe(recipe(skip, "sum"));
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.metrics.nodes[1].errors, 10u);
  EXPECT_EQ(lines().size(), 91u);
  result = run_recipe(recipe(divert, "sum") +
                      "[nodes.bad]\nuse = \"test.lines\"\nfrom = \"sum.errors\"\npath = \"" + path("bad") +
                      "\"\n");
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(lines().size(), 91u);
  EXPECT_THAT(read_file(path("bad")), HasSubstr("{\"n\": 10}\n{\"n\": 20}\n"));
}

TEST_F(GraphTest, AnOperatorThatBreaksItsPromiseIsNamed) {
  const RunResult result = run_recipe(recipe(
      "[nodes.numbers]\nuse = \"test.numbers\"\n[nodes.early]\nuse = \"test.early\"\nfrom = \"numbers\"",
      "early"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.error, HasSubstr("node 'early'"));
  EXPECT_THAT(result.error, HasSubstr("declared lookahead"));
}

TEST_F(GraphTest, LiveEdgesKeepTheNewestAndCountTheRest) {
  const std::string nodes = "[nodes.numbers]\nuse = \"test.numbers\"\ncount = 2000\n";
  const RunResult result =
      run_recipe(recipe(nodes, "numbers", "mode = \"live\"\npause = 300"), with_threads(2));
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto got = lines();
  EXPECT_LT(got.size(), 2000u);
  EXPECT_EQ(got.back(), R"({"n": 1999})");
  EXPECT_EQ(result.metrics.nodes[0].dropped + got.size(), 2000u);
}

TEST_F(GraphTest, EndsInTimeWhenAskedTo) {
  RunOptions options = with_threads(2);
  options.max_time = std::chrono::milliseconds(200);
  const RunResult result = run_recipe(
      recipe("[nodes.numbers]\nuse = \"test.numbers\"\ncount = 1000000\npause = 500", "numbers"), options);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_LT(result.metrics.wall_seconds, 20.0);
  EXPECT_GT(lines().size(), 0u);
}

}  // namespace
}  // namespace stream::testing
