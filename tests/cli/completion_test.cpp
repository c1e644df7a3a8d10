#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

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

TEST(Completion, CheckKnowsOperatorsFilesAndParameters) {
  EXPECT_THAT(answers({"check", "text.r"}), HasSubstr("text.read\t"));
  EXPECT_THAT(answers({"check", ""}), HasSubstr(":files\n"));
  EXPECT_EQ(answers({"check", "audio.gain", "--set", "d"}), "db=\tgain\n");
  EXPECT_THAT(answers({"check", "identity", "--tr"}), HasSubstr("--trials\t"));
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
}

/// What a shell makes of a line when the tabulator is pressed at its end.
const std::pair<const char*, const char*> kCompleted[] = {
    {"stream va", "stream validate "},
    {"stream checkpoint ve", "stream checkpoint verify "},
    {"stream run mi", "stream run mine.toml "},
    {"stream run mine.toml --pace r", "stream run mine.toml --pace realtime "},
    {"stream run mine.toml --thr", "stream run mine.toml --threads "},
    {"stream run mine.toml --set lines.p", "stream run mine.toml --set lines.path="},
    {"stream run mine.toml --set lines.invalid=rep", "stream run mine.toml --set lines.invalid=replace "},
    {"stream inspect text.r", "stream inspect text.read "},
};

bool installed(const char* shell_name) {
  return run({.argv = {"sh", "-c", std::string("command -v ") + shell_name}, .input = ""}).exit_code == 0;
}

std::string lines_to_complete() {
  std::string lines;
  for (const auto& [typed, completed] : kCompleted) lines += std::string(typed) + "\n";
  return lines;
}

TEST(Completion, InZsh) {
  if (!installed("zsh")) GTEST_SKIP() << "zsh is not installed (apt-get install zsh)";
  // An interactive zsh on a terminal of its own; ctrl-X hands over the line as it stands.
  constexpr const char* kScript = R"(zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit; compinit -u -D; source <(stream completion zsh)'
zpty -w shell 'report() { print -r -- "$BUFFER" > line.new; mv line.new line; BUFFER= }; zle -N report; bindkey "^X" report; : > ready'
wait_for() { for ((i = 0; i < 600; ++i)) { [[ -e $1 ]] && return; sleep 0.05 }; print -r -- "$1 did not come"; exit 1 }
wait_for ready
while IFS= read -r typed; do
  rm -f line
  zpty -w -n shell "$typed"$'\t\C-X'
  wait_for line
  print -r -- "$(<line)|"
done
zpty -d shell
)";
  const ScratchFolder folder;
  write_contents(folder / "mine.toml", kCopyLines);
  write_contents(folder / "complete.zsh", kScript);
  Program program{.argv = {"/bin/sh", "-c", "PATH=" STREAM_BINARY_DIR "/bin:$PATH exec zsh -f complete.zsh"},
                  .input = lines_to_complete(),
                  .folder = folder.path()};
  const Outcome zsh = run(program);
  std::string expected;
  for (const auto& [typed, completed] : kCompleted) expected += std::string(completed) + "|\n";
  EXPECT_EQ(zsh.out, expected) << zsh.err;
}

TEST(Completion, InFish) {
  if (!installed("fish")) GTEST_SKIP() << "fish is not installed (apt-get install fish)";
  const ScratchFolder folder;
  write_contents(folder / "mine.toml", kCopyLines);
  Program program{
      .argv = {"/bin/sh", "-c",
               "PATH=" STREAM_BINARY_DIR
               "/bin:$PATH exec fish --no-config -c 'stream completion fish | source; while read -l "
               "line; complete -C \"$line\"; end'"},
      .input = lines_to_complete(),
      .folder = folder.path()};
  const Outcome fish = run(program);
  // Each answer is the completed word alone, a tabulator and its description behind it.
  std::istringstream answers(fish.out);
  for (const auto& [typed, completed] : kCompleted) {
    std::string word(completed);
    if (word.back() == ' ') word.pop_back();
    word = word.substr(word.rfind(' ') + 1);
    std::string answer;
    std::getline(answers, answer);
    EXPECT_EQ(answer.substr(0, answer.find('\t')), word) << typed << "\n" << fish.err;
  }
  std::string more;
  EXPECT_FALSE(std::getline(answers, more)) << more;
}

}  // namespace
}  // namespace stream::testing
