#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string answers(std::vector<std::string> words, const std::filesystem::path& folder = {}) {
  words.insert(words.begin(), {"__complete", "--"});
  const Outcome outcome = stream_run(words, "", folder);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome.out;
}

TEST(Completion, VerbsAndTheirSecondWords) {
  EXPECT_EQ(answers({"va"}), "validate\n");
  EXPECT_THAT(answers({"checkpoint", ""}), HasSubstr("verify\t"));
  EXPECT_THAT(answers({"plugin", "n"}), HasSubstr("new\t"));
}

TEST(Completion, FlagsChoicesAndNames) {
  EXPECT_THAT(answers({"run", "x", "--thr"}), HasSubstr("--threads\t"));
  EXPECT_EQ(answers({"run", "--pace", "r"}), "realtime\n");
  EXPECT_EQ(answers({"list", "rec"}), "recipes\n");
  EXPECT_THAT(answers({"inspect", "text.r"}), HasSubstr("text.read\t"));
  EXPECT_THAT(answers({"run", ""}), HasSubstr(":files\n"));
}

TEST(Completion, NodesAndParametersOfTheRecipeAtHand) {
  const ScratchFolder folder;
  write_contents(folder / "mine.toml", kCopyLines);
  EXPECT_THAT(answers({"run", "mine.toml", "--set", "lin"}, folder.path()), HasSubstr("lines.path=\t"));
  EXPECT_THAT(answers({"run", "mine.toml", "--set", "out."}, folder.path()), Not(HasSubstr("lines.")));
  EXPECT_EQ(answers({"run", "mine.toml", "--tap", "o"}, folder.path()), "out\n");
}

TEST(Completion, WhatTheRecipeLetsItsUserSet) {
  const ScratchFolder folder;
  write_contents(folder / "mine.toml", std::string(kCopyLines) +
                                           "[params.language]\ndefault = \"en\"\nchoices = [\"en\", \"de\"]\n"
                                           "doc = \"what is spoken\"\nenv = \"SPOKEN\"\n");
  EXPECT_EQ(answers({"run", "mine.toml", "--set", "params."}, folder.path()),
            "params.language=\twhat is spoken\n");
  EXPECT_EQ(answers({"run", "mine.toml", "--set", "params.language=d"}, folder.path()),
            "params.language=de\n");
  const Outcome page = stream_run({"inspect", "mine.toml"}, "", folder.path());
  EXPECT_THAT(page.out, HasSubstr("params.language"));
  EXPECT_THAT(page.out, HasSubstr("string = \"en\" (en, de)"));
  EXPECT_THAT(page.out, HasSubstr("what is spoken (or $SPOKEN)"));
  EXPECT_THAT(stream_run({"inspect", "mine.toml", "--json"}, "", folder.path()).out,
              HasSubstr("\"default\": \"en\""));
}

TEST(Completion, ScriptsAreAcceptedByTheirShell) {
  const ScratchFolder folder;
  EXPECT_EQ(shell("stream completion bash > s && bash -n s", folder.path()).exit_code, 0);
  const Outcome bash = shell(
      "source <(stream completion bash); COMP_LINE='stream va'; COMP_POINT=9; COMP_WORDS=(stream va); "
      "COMP_CWORD=1; "
      "_stream; echo \"${COMPREPLY[@]}\"",
      folder.path());
  EXPECT_EQ(bash.out, "validate\n") << bash.err;
  for (const char* other : {"zsh", "fish"})
    EXPECT_THAT(stream_run({"completion", other}).out, HasSubstr("__complete"));
}

}  // namespace
}  // namespace stream::testing
