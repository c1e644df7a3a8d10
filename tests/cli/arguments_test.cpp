/// Wrong words get one message and the right exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Wrong {
  std::vector<std::string> words;
  int code;
  std::string says;
};

TEST(Arguments, EveryBadInputHasItsCodeAndOneMessage) {
  const ScratchFolder folder;
  write_contents(folder / "good.toml", kCopyLines);
  write_contents(folder / "bad.toml", "[nodes.a]\nuse = \"text.raed\"\n");
  const std::vector<Wrong> cases = {
      {{"lsit"}, 2, "did you mean 'list'?"},
      {{"--vresion"}, 2, "did you mean '--version'?"},
      {{"checkpoint"}, 2, "expected one of show, verify, diff"},
      {{"checkpoint", "shwo"}, 2, "did you mean 'show'?"},
      {{"run"}, 2, "RECIPE is required"},
      {{"run", "good.toml", "--thread", "4"}, 2, "did you mean '--threads'?"},
      {{"run", "good.toml", "--threads", "many"}, 2, "--threads"},
      {{"run", "good.toml", "--set", "lines"}, 2, "expected NODE.PARAM=VALUE"},
      {{"run", "good.toml", "--every", "soon"}, 2, "--every"},
      {{"run", "good.toml", "--resume"}, 2, "--resume needs --checkpoint"},
      {{"run", "good.toml", "--device", "gpu"}, 2, "expected cpu, cuda or cuda:N"},
      {{"run", "good.toml", "--pace", "slow"}, 2, "--pace"},
      {{"run", "good.toml", "--progress-fd", "77"}, 2, "descriptor"},
      {{"run", "good.toml", "--tap", "lines:x"}, 2, "expected EDGE"},
      {{"run", "missing.toml"}, 66, "missing.toml"},
      {{"run", "bad.toml"}, 78, "text.raed"},
      {{"validate"}, 2, "RECIPE is required"},
      {{"validate", "bad.toml"}, 78, "bad.toml:2:"},
      {{"graph", "bad.toml"}, 78, "bad.toml:2:"},
      {{"graph", "good.toml", "--format", "png"}, 2, "--format"},
      {{"list", "operatrs"}, 2, "operatrs"},
      {{"inspect", "text.raed"}, 66, "did you mean 'text.read'?"},
      {{"test"}, 2, "RECIPE is required"},
      {{"test", "good.toml"}, 1, "nothing to test"},
      {{"completion", "tcsh"}, 2, "tcsh"},
      {{"checkpoint", "show", "missing.h5"}, 66, "missing.h5"},
      {{"checkpoint", "verify", "good.toml"}, 65, "good.toml"},
      {{"import", "missing.npz", "x.h5"}, 66, "missing.npz"},
      {{"import", "good.toml", "x.h5"}, 65, ".safetensors"},
      {{"plugin", "new", "My Filter"}, 2, "lower-case"},
      {{"reproduce"}, 2, "--all"},
      {{"bench", "good.toml", "-r", "0"}, 2, "--repeats"},
  };
  for (const Wrong& wrong : cases) {
    const Outcome outcome = stream_run(wrong.words, "", folder.path());
    std::string shown;
    for (const auto& word : wrong.words) shown += word + " ";
    EXPECT_EQ(outcome.exit_code, wrong.code) << shown << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(wrong.says)) << shown;
    EXPECT_THAT(outcome.err, HasSubstr("stream: error: ")) << shown;
    if (wrong.code == 2) {
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
      EXPECT_EQ(outcome.out, "") << shown;
    }
  }
}

TEST(Arguments, WithoutAnyThePageGoesToStderr) {
  const Outcome outcome = stream_run({});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("Usage: stream VERB"));
}

TEST(Arguments, VersionAndListsGoToStdout) {
  EXPECT_THAT(stream_run({"--version"}).out, StartsWith("stream "));
  const Outcome list = stream_run({"list", "operators"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.err, "");
  EXPECT_THAT(list.out, HasSubstr("text.read"));
  EXPECT_THAT(stream_run({"list", "--json"}).out, HasSubstr("\"name\": \"text.read\""));
}

TEST(Arguments, FullDiskAndClosedReader) {
  const ScratchFolder folder;
  EXPECT_EQ(shell("stream list > /dev/full", folder.path()).exit_code, 74);
  const Outcome closed =
      shell("set -o pipefail; for i in 1 2 3; do stream inspect text.read | head -c 1; done", folder.path());
  EXPECT_EQ(closed.exit_code, 0);
  EXPECT_EQ(closed.err, "");
}

TEST(Arguments, ListingInspectingAndValidatingMapNoHeavyLibrary) {
  const ScratchFolder folder;
  write_contents(folder / "good.toml", kCopyLines);
  for (const std::string words : {"list operators", "list recipes", "inspect text.read", "validate good.toml",
                                  "graph good.toml", "schema"}) {
    const Outcome outcome =
        shell("LD_DEBUG=files stream " + words + " 2>&1 | grep -oE 'calling init: .*' ", folder.path());
    EXPECT_THAT(outcome.out, HasSubstr("libstream.so")) << words;
    for (const char* heavy :
         {"libhdf5", "libtbb", "libspdlog", "libtorch", "stream-engine", "openblas", "/plugins/"}) {
      EXPECT_THAT(outcome.out, ::testing::Not(HasSubstr(heavy))) << words;
    }
  }
}

}  // namespace
}  // namespace stream::testing
