/// Models that cannot be used: every one ends the run with a message that names the file, before any word
/// comes out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "cli.hpp"
#include "hdf5/archive_file.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

const std::string kShipped = STREAM_SOURCE_DIR "/share/models/captions-en.h5";

/// `stream run captions` on a fifth of a second of silence, or on nothing.
Outcome captions(const ScratchFolder& folder, const std::string& model, std::size_t frames = 3200) {
  write_contents(folder / "silence.raw", std::string(2 * frames, '\0'));
  write_contents(folder / "captions.toml", R"([nodes.speech]
use    = "audio.read"
path   = "silence.raw"
format = "raw"

[nodes.asr]
use  = "asr.conformer"
from = "speech"

[nodes.words]
use  = "jsonl.write"
from = "asr.words"
)");
  return stream_run({"run", "captions.toml", "--set", "asr.model=" + model}, "", folder.path());
}

TEST(Models, TheShippedOneRuns) {
  const ScratchFolder folder;
  const Outcome outcome = captions(folder, kShipped);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
}

TEST(Models, AnEmptyStreamGivesNoWord) {
  const ScratchFolder folder;
  const Outcome outcome = captions(folder, kShipped, 0);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(Models, AMissingOneIsMissingInput) {
  const ScratchFolder folder;
  const Outcome outcome = captions(folder, "nowhere.h5");
  EXPECT_EQ(outcome.exit_code, 66) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("node 'asr': nowhere.h5: cannot open: No such file or directory"));
}

TEST(Models, WhatIsNoArchiveIsBadData) {
  const ScratchFolder folder;
  const std::string whole = contents(kShipped);
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  const std::pair<const char*, std::string> files[] = {{"empty.h5", ""},
                                                       {"text.h5", "this is no model\n"},
                                                       {"cut.h5", whole.substr(0, whole.size() / 2)},
                                                       {"flipped.h5", flipped}};
  for (const auto& [name, bytes] : files) {
    write_contents(folder / name, bytes);
    const Outcome outcome = captions(folder, name);
    EXPECT_EQ(outcome.exit_code, 65) << name << ": " << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(std::string("node 'asr': ") + name + ": "));
    EXPECT_EQ(outcome.out, "");
  }
}

/// An archive that differs from the shipped model in one thing.
struct Foreign {
  const char* name;
  std::function<void(Archive&)> change;
  int exit_code;
  const char* says;
};

Archive without(const Archive& group, const std::string& name) {
  Archive rest;
  for (const auto& [key, entry] : group.entries()) {
    if (key != name) rest.put(key, entry);
  }
  return rest;
}

void replace_group(Archive& archive, const char* name, Archive group) {
  archive.put(name, std::make_shared<Archive>(std::move(group)));
}

const Foreign kForeign[] = {
    {"checkpoint.h5",
     [](Archive& a) {
       a = Archive();
       a.group("nodes").set("lines", 1);
     },
     78, "not a model (a checkpoint?); expected one of architecture 'cache-aware-conformer-ctc'"},
    {"other-architecture.h5", [](Archive& a) { a.group("model").set("architecture", "whisper"); }, 78,
     "a model of architecture 'whisper', expected 'cache-aware-conformer-ctc'"},
    {"no-architecture.h5",
     [](Archive& a) { replace_group(a, "model", without(a.group("model"), "architecture")); }, 65,
     "'architecture'"},
    {"architecture-is-a-number.h5", [](Archive& a) { a.group("model").set("architecture", 3); }, 65,
     "'architecture'"},
    {"no-weight.h5", [](Archive& a) { replace_group(a, "weights", without(a.group("weights"), "ctc.bias")); },
     65, "weight 'ctc.bias' is missing"},
    {"another-weight.h5", [](Archive& a) { a.group("weights").set("ctc.bais", std::vector<float>{1}); }, 65,
     "weight 'ctc.bais' is not part of this model (did you mean 'ctc.bias'?)"},
    {"wrong-shape.h5",
     [](Archive& a) {
       a.group("weights").set("ctc.bias", std::vector<float>{1, 2, 3});
     },
     65, "weight 'ctc.bias' has the shape [3], expected ["},
    {"nan.h5",
     [](Archive& a) {
       const auto size = static_cast<std::size_t>(a.group("weights").tensor("ctc.bias").elements());
       std::vector<float> values(size);
       values[size / 2] = std::numeric_limits<float>::quiet_NaN();
       a.group("weights").set("ctc.bias", values);
     },
     65, "weight 'ctc.bias' holds values that are not finite"},
    {"more-layers.h5", [](Archive& a) { a.group("model").set("layers", 200); }, 65,
     "its weights are fewer than its hyper-parameters say"},
    {"negative-width.h5", [](Archive& a) { a.group("model").set("features", -8); }, 65,
     "features is -8, expected 2 to 4096"},
    {"fewer-pieces.h5", [](Archive& a) { a.group("model").set("pieces", "one\ntwo\n"); }, 65,
     "it names 2 pieces, expected "},
};

TEST(Models, AForeignOneIsRefusedWithItsReason) {
  const ScratchFolder folder;
  for (const Foreign& foreign : kForeign) {
    Archive archive = read_archive(kShipped);
    foreign.change(archive);
    write_archive((folder / foreign.name).string(), archive);
    const Outcome outcome = captions(folder, foreign.name);
    EXPECT_EQ(outcome.exit_code, foreign.exit_code) << foreign.name << ": " << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(std::string("node 'asr': ") + foreign.name + ": "));
    EXPECT_THAT(outcome.err, HasSubstr(foreign.says)) << foreign.name;
    EXPECT_EQ(outcome.out, "") << foreign.name;
  }
}

}  // namespace
}  // namespace stream::testing
