/// `stream check` accuses nobody who is innocent: what is shipped holds every law.
#include <gmock/gmock.h>

#include "checked.hpp"

namespace stream::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr const char* kTrials = "10";
#else
constexpr const char* kTrials = "200";
#endif

/// All laws on these operators, with nothing broken, nothing left untried and nothing refused throughout.
void expect_held(std::vector<std::string> arguments, std::size_t operators) {
  arguments.insert(arguments.end(), {"--max-time", "9min"});
  const Checked checked = check(std::move(arguments));
  EXPECT_EQ(checked.outcome.exit_code, 0) << checked.outcome.out << checked.outcome.err;
  EXPECT_EQ(checked.reports.size(), operators);
  for (const Object& report : checked.reports) {
    ASSERT_NE(report.find("laws"), nullptr) << Value(report).dump(2);
    for (const auto& [law, result] : Checked::results(report)) {
      EXPECT_NE(result, "broken") << Value(report).dump(2);
      EXPECT_NE(result, "not tried") << Value(report).dump(2);
    }
    EXPECT_EQ(report.find("notes"), nullptr) << Value(report).dump(2);
  }
}

TEST(Shipped, PlainOperators) {
  expect_held({"identity", "discard", "audio.gain", "text.to_record", "record.to_text", "csv.to_record",
               "record.to_csv", "records.generate", "--trials", kTrials},
              8);
}

TEST(Shipped, DelayBySleepsTooShortToWaitFor) {
  expect_held({"delay", "--set", "milliseconds=0.001", "--trials", kTrials}, 1);
}

TEST(Shipped, Writers) {
  expect_held({"text.write", "jsonl.write", "bytes.write", "audio.write", "--trials", kTrials}, 4);
}

TEST(Shipped, WritersOfWhatCannotBeResumedSaySo) {
  const Checked checked = check({"audio.write", "--set", "path=sound.flac", "--trials", "5"});
  EXPECT_EQ(checked.outcome.exit_code, 0) << checked.outcome.out;
  EXPECT_EQ(Checked::results(checked.reports.at(0))["resume"], "not applicable");
}

TEST(Shipped, Readers) {
  expect_held({"text.read", "jsonl.read", "bytes.read", "audio.read", "--trials", kTrials}, 4);
}

/// Studies are left out, which run for seconds each time, and bandits.idle_times and bandits.recovering,
/// whose events count periods and must not begin again: their laws have tests of their own.
TEST(Shipped, Bandits) {
  expect_held(
      {"bandits.arms", "bandits.world", "bandits.curves", "bandits.recovering_arms", "--trials", "50"}, 4);
  expect_held(
      {"bandits.ical", "--input", (STREAM_SOURCE_DIR "/tests/laws/data/calendar.jsonl"), "--trials", "50"},
      1);
  expect_held(
      {"bandits.calendar", "--input", (STREAM_SOURCE_DIR "/share/examples/recovery.jsonl"), "--trials", "20"},
      1);
  expect_held({"bandits.single_pass", "--set", "arms=1000", "--set", "trials=1000000", "--set",
               "world=simulated", "--set", "algorithm=log-tower", "--input",
               (STREAM_SOURCE_DIR "/share/examples/ads.jsonl"), "--trials", "50"},
              1);
}

TEST(Shipped, Signals) {
  expect_held({"signals.sparse_vectors", "signals.audio_vectors", "--set", "signals.audio_vectors.size=16",
               "--trials", "50"},
              2);
}

#ifdef HAS_ASR
/// Heavy ones: two trials on made-up sound.
TEST(Shipped, Captions) { expect_held({"asr.conformer", "corpus.spoken_text", "--trials", "2"}, 2); }
#endif

TEST(Shipped, RunningScores) { expect_held({"evaluate.prequential", "--trials", kTrials}, 1); }

TEST(Shipped, LearnersAndTheirWorlds) {
  const std::string examples = STREAM_SOURCE_DIR "/share/examples/";
  expect_held({"rl.predict", "--input", examples + "series.jsonl", "--trials", "20"}, 1);
  expect_held({"rl.control", "--input", examples + "observations.jsonl", "--trials", "20"}, 1);
  expect_held({"rl.environment", "--set", "environment=cartpole", "--input", examples + "actions.jsonl",
               "--trials", "20"},
              1);
  expect_held({"rl.run", "--set", "environment=cartpole", "--set", "steps=3000", "--trials", "3"}, 1);
}

TEST(Shipped, PoliciesAndTheirTraining) {
  const std::string examples = STREAM_SOURCE_DIR "/share/examples/";
  expect_held({"diffusion_policy.act", "--input", examples + "gate-world.jsonl", "--trials", "2"}, 1);
  const ScratchFolder folder;
  expect_held(
      {"diffusion_policy.train", "--set", "episodes=" + examples + "gate-world.h5", "--set", "steps=4",
       "--set", "batch=4", "--set", "model=" + (folder / "policy.h5").string(), "--trials", "2"},
      1);
}

/// As a whole on made-up lines, and node by node.
TEST(Shipped, ARecipe) { expect_held({"copy-lines", "--trials", "2"}, 3); }

}  // namespace
}  // namespace stream::testing
