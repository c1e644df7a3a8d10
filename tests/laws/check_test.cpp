/// `stream check` on operators that are wrong: each is caught, the right law is named, and the counterexample
/// is small. And on some that only look wrong.
#include <gmock/gmock.h>

#include "checked.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

struct Wrong {
  const char* op;
  const char* law;                     ///< that it breaks
  std::vector<const char*> also = {};  ///< laws that fall with it, or may
};

class WrongOperator : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongOperator, IsCaughtByTheLawThatItBreaks) {
  const Wrong& wrong = GetParam();
  const Checked checked =
      check({std::string("broken.") + wrong.op, "--trials", "12", "--timeout", "1s", "--memory", "700"});
  EXPECT_EQ(checked.outcome.exit_code, 1) << checked.outcome.err;
  ASSERT_EQ(checked.reports.size(), 1u);
  const Object& report = checked.reports[0];
  EXPECT_FALSE(report.find("held")->as_bool());
  auto results = Checked::results(report);
  EXPECT_EQ(results[wrong.law], "broken");
  for (const auto& [law, result] : results) {
    const bool may_fall =
        law == wrong.law || std::find(wrong.also.begin(), wrong.also.end(), law) != wrong.also.end();
    if (!may_fall) {
      EXPECT_NE(result, "broken") << law << ": " << Value(report).dump(2);
    }
  }
  const Value* example = Checked::law(report, wrong.law).find("counterexample");
  ASSERT_NE(example, nullptr);
  // Shrunk: what breaks it needs few packets.
  EXPECT_LE(example->as_object().find("input")->as_array().size(), 6u) << Value(report).dump(2);
}

std::string name_of_case(const ::testing::TestParamInfo<Wrong>& info) { return info.param.op; }

INSTANTIATE_TEST_SUITE_P(
    Laws, WrongOperator,
    ::testing::Values(Wrong{"peeks_ahead", "causality", {"threads"}},
                      Wrong{"declares_too_little", "causality", {"threads"}},
                      Wrong{"goes_back", "causality", {"threads"}}, Wrong{"depends_on_chunks", "chunking"},
                      Wrong{"save_disturbs", "chunking", {"memory"}}, Wrong{"forgets_field", "resume"},
                      Wrong{"cannot_load", "resume"}, Wrong{"global_counter", "resume", {"threads"}},
                      Wrong{"races", "threads"}, Wrong{"mixes_keys", "threads", {"resume"}},
                      Wrong{"unseeded", "repeat"}, Wrong{"grows", "memory"}, Wrong{"squares", "memory"},
                      Wrong{"crashes", "robustness"}, Wrong{"hangs", "robustness"},
                      Wrong{"floods", "robustness"}, Wrong{"exits", "robustness"},
                      Wrong{"throws_anything", "robustness"}, Wrong{"refuses_late", "robustness"},
                      Wrong{"forgetful_source", "resume"}, Wrong{"reads_are_lines", "chunking", {"threads"}},
                      Wrong{"keeps_tail", "resume"}),
    name_of_case);

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitizers bring allocators of their own, which do not say how much is in use.
INSTANTIATE_TEST_SUITE_P(Allocator, WrongOperator,
                         ::testing::Values(Wrong{"leaks", "memory"}, Wrong{"hoards_slow_input", "memory"}),
                         name_of_case);
#endif

std::string counterexample(const Checked& checked, const char* law, const char* member) {
  const Value* example = Checked::law(checked.reports.at(0), law).find("counterexample");
  const Value* value = example != nullptr ? example->as_object().find(member) : nullptr;
  return value != nullptr ? value->as_string() : "";
}

TEST(Check, SaysWhatACrashDiedOfAndWhere) {
  const Checked checked = check({"broken.crashes", "--trials", "20"});
  EXPECT_THAT(counterexample(checked, "robustness", "fault"), HasSubstr("in processing packet 0: "));
  EXPECT_THAT(check({"broken.hangs", "--trials", "20", "--timeout", "500ms"}).outcome.out,
              HasSubstr("did not come back within 500 ms"));
  EXPECT_THAT(check({"broken.exits", "--trials", "20"}).outcome.out, HasSubstr("exit code 3"));
}

TEST(Check, TheSeedOfAFailureShowsItAgain) {
  const Checked first = check({"broken.forgets_field", "--trials", "40", "--seed", "7"});
  const auto& example = Checked::law(first.reports.at(0), "resume").find("counterexample")->as_object();
  const Checked again =
      check({"broken.forgets_field", "--trials", "1", "--seed", example.find("seed")->dump()});
  const auto& found = Checked::law(again.reports.at(0), "resume").find("counterexample")->as_object();
  EXPECT_EQ(Value(*example.find("input")), Value(*found.find("input")));
  EXPECT_EQ(*example.find("got"), *found.find("got"));
}

TEST(Check, RightOperatorsThatLookSuspicious) {
  const Checked checked = check(
      {"right.declares_too_much", "right.blocks", "right.window", "right.needs_members", "--trials", "30"});
  EXPECT_EQ(checked.outcome.exit_code, 0) << checked.outcome.out << checked.outcome.err;
  ASSERT_EQ(checked.reports.size(), 4u);
  for (const Object& report : checked.reports)
    EXPECT_EQ(report.find("notes"), nullptr) << Value(report).dump(2);
  EXPECT_THAT(Value(Checked::law(checked.reports[0], "causality")).dump(),
              HasSubstr("declares a lookahead of 1s, of which no stream needed more than 0s"));
}

TEST(Check, APluginByFileNeedsNoManifest) {
  const ScratchFolder folder;
  std::filesystem::copy_file(STREAM_BINARY_DIR "/lib/stream/plugins/libstream-basics.so",
                             folder / "libbasics.so");
  const Checked checked = check({(folder / "libbasics.so").string(), "--trials", "1"});
  EXPECT_EQ(checked.outcome.exit_code, 0) << checked.outcome.out << checked.outcome.err;
  EXPECT_GE(checked.reports.size(), 7u);
}

TEST(Check, APluginThatIsNoneOrOfAnotherKindIsRefused) {
  const ScratchFolder folder;
  write_contents(folder / "empty.so", "not a library");
  const Checked checked = check({(folder / "empty.so").string()});
  EXPECT_EQ(checked.outcome.exit_code, 78);
  EXPECT_THAT(checked.outcome.err, HasSubstr("empty.so"));
}

TEST(Check, AFileTakesThePlaceOfMadeUpPackets) {
  const ScratchFolder folder;
  write_contents(folder / "lines.txt", "one\ntwo\n\nfour\n");
  const Checked checked = check({"broken.crashes", "--trials", "20", "-i", (folder / "lines.txt").string()});
  EXPECT_EQ(checked.outcome.exit_code, 1);
  EXPECT_THAT(checked.outcome.out, HasSubstr("2ns"));
}

TEST(Check, WrongUsageIsSaid) {
  EXPECT_EQ(check({"identiti"}).outcome.exit_code, 66);
  EXPECT_THAT(check({"identiti"}).outcome.err, HasSubstr("did you mean 'identity'?"));
  EXPECT_EQ(check({"identity", "--set", "no_such=1"}).outcome.exit_code, 2);
  EXPECT_EQ(check({"identity", "--trials", "0"}).outcome.exit_code, 2);
  EXPECT_EQ(check({"delay", "--set", "milliseconds=-1"}).outcome.exit_code, 78);
}

TEST(Check, TheTableIsNoWiderThanAPage) {
  Program program{
      .argv = {(STREAM_BINARY_DIR "/bin/stream"), "check", "broken.forgets_field", "--trials", "20"}};
  program.environment = {"STREAM_PLUGIN_PATH=" BROKEN_FOLDER};
  const Outcome outcome = run(program);
  EXPECT_THAT(outcome.out, HasSubstr("resume is BROKEN: "));
  EXPECT_THAT(outcome.out, HasSubstr("again with --seed "));
  std::string_view rest = outcome.out;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1);
    EXPECT_LE(end, 102u) << rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
}

}  // namespace
}  // namespace stream::testing
