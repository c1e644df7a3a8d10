/// The examples that operators carry run through the program, and give the same with any number of threads
/// (law 4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "program/program.hpp"
#include "recipe/recipe.hpp"
#include "registry/registry.hpp"
#include "stream_program.hpp"

namespace stream::testing {
namespace {

namespace fs = std::filesystem;

std::string lines() {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "line " + std::to_string(i * i) + "\n";
  return text;
}

/// With every member that an example asks for.
std::string records() {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += R"({"t": )" + std::to_string(i) + R"(.5, "word": "w)" + std::to_string(i * i) + R"(", "x": [)" +
            std::to_string(i % 7) + ", " + std::to_string(i % 3) + R"(], "c": )" + std::to_string(i % 7 % 2) +
            R"(, "r": )" + std::to_string(i % 3) + R"(, "a": )" +
            (i % 10 == 0 ? "null" : std::to_string(i % 2)) +
            R"(, "items": ["a", "b"], "targets": ["b"], "score": )" + std::to_string(i % 5) +
            R"(, "label": )" + std::to_string(i % 2) + R"(, "obs": [0, -0.9, 0, 0, 0.1, 0.8, 0.2, 0, )" +
            std::to_string(i % 3 - 1) + R"(], "action": [0.1, )" + std::to_string(i % 3 - 1) + "]}\n";
  return text;
}

std::string events() {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text +=
        R"({"user": "u)" + std::to_string(i % 7) + R"(", "item": "a", "ts": )" + std::to_string(i) + "}\n";
  return text;
}

std::string wav() {
  constexpr std::uint32_t kFrames = 8000, kRate = 16000;
  std::string out;
  const auto number = [&](std::uint32_t value, unsigned bytes) {
    for (unsigned b = 0; b < bytes; ++b) out += static_cast<char>(value >> (8 * b));
  };
  out += "RIFF";
  number(36 + 2 * kFrames, 4);
  out += "WAVEfmt ";
  number(16, 4), number(1, 2), number(1, 2), number(kRate, 4), number(2 * kRate, 4), number(2, 2),
      number(16, 2);
  out += "data";
  number(2 * kFrames, 4);
  for (std::uint32_t i = 0; i < kFrames; ++i)
    number(static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(8000 * std::sin(0.05 * i)))), 2);
  return out;
}

/// Five frames of 64x48, 4:2:0.
std::string y4m() {
  std::string out = "YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C420jpeg\n";
  for (int frame = 0; frame < 5; ++frame) {
    out += "FRAME\n";
    for (int i = 0; i < 64 * 48 * 3 / 2; ++i)
      out += static_cast<char>(16 + (i % 64 + i / 64 * 3 + 5 * frame) % 220);
  }
  return out;
}

/// What is given to an example on stdin, by the operator that reads it.
const std::map<std::string, std::string>& inputs() {
  static const std::map<std::string, std::string> kInputs = {
      {"text.read", lines()},  {"jsonl.read", records()}, {"events.read", events()},
      {"bytes.read", lines()}, {"audio.read", wav()},     {"video.read", y4m()}};
  return kInputs;
}

/// Two codes of vectors of eight numbers: one coefficient, 1 at index 2, and none.
std::string packed_codes() { return std::string("SPCODE1\n\x08\x00\x02\x00\x01\x02\x00\x3c\x00", 17); }

/// What is given on stdin to the examples of some operators, whatever reads it.
const std::map<std::string, std::string>& own_inputs() {
  static const std::map<std::string, std::string> kInputs = {
      {"signals.bytes_vectors", std::string(640, '\0')}, {"signals.unpack", packed_codes()}};
  return kInputs;
}

/// Examples that would take minutes, made small.
const std::map<std::string, std::vector<std::string>> kSettings = {
    {"asr.train",
     {"corpus.count=16", "train.steps=3", "train.pool=8", "train.batch=2", "train.features=16",
      "train.layers=1"}},
    {"asr.score", {"corpus.count=3"}},
    {"diffusion_policy.train", {"train.steps=3", "train.batch=4"}},
    {"superres.study", {"study.frames=4"}},
};

class SpecRuns : public ::testing::Test {
 protected:
  void SetUp() override { registry_.scan({STREAM_BINARY_DIR "/lib/stream/plugins"}); }

  /// Bytes for stdin; nothing when no node reads it.
  std::string input_of(const Plan& plan) const {
    for (const PlannedNode& node : plan.nodes) {
      const Param* path = node.op->spec.find_param("path");
      if (!node.op->spec.source() || path == nullptr) continue;
      const Value* given = node.params.find("path");
      if ((given != nullptr ? *given : path->fallback).as_string() != "-") continue;
      const auto found = inputs().find(node.op->spec.name());
      if (found == inputs().end())
        ADD_FAILURE() << "an example reads stdin through " << node.op->spec.name()
                      << ": say what, in inputs()";
      else
        return found->second;
    }
    return {};
  }

  /// stdout and every file that a run leaves, by name.
  static std::map<std::string, std::string> results(const std::string& recipe, const std::string& name,
                                                    const std::string& input, const char* threads) {
    const ScratchFolder folder;
    write_contents(folder / "recipe.toml", recipe);
    Program program{.argv = {kStream, "run", "recipe.toml", "--threads", threads},
                    .input = input,
                    .folder = folder.path(),
                    .deadline = std::chrono::minutes(3)};
    if (const auto settings = kSettings.find(name); settings != kSettings.end())
      for (const std::string& setting : settings->second)
        program.argv.insert(program.argv.end(), {"--set", setting});
    const Outcome outcome = run(program);
    EXPECT_EQ(outcome.exit_code, 0) << name << ":\n" << recipe << outcome.err;
    EXPECT_EQ(outcome.err, "") << name;
    std::map<std::string, std::string> found{{"stdout", outcome.out}};
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder.path()))
      if (entry.is_regular_file() && entry.path().filename() != "recipe.toml")
        found.emplace(fs::relative(entry.path(), folder.path()).string(), contents(entry.path()));
    return found;
  }

  Registry registry_;
};

TEST_F(SpecRuns, EveryExampleRunsAndThreadsDoNotMatter) {
  ASSERT_FALSE(registry_.names().empty());
  for (const std::string& name : registry_.names()) {
    SCOPED_TRACE(name);
    for (const Spec::Example& example : registry_.find(name)->spec.examples()) {
      Diagnostics diagnostics;
      const Plan plan = plan_recipe_text(example.recipe, registry_, {}, diagnostics);
      ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.text();
      const auto own = own_inputs().find(name);
      const std::string input = own != own_inputs().end() ? own->second : input_of(plan);
      const auto expected = results(example.recipe, name, input, "1");
      const auto found = results(example.recipe, name, input, "8");
      ASSERT_EQ(found.size(), expected.size());
      for (const auto& [file, bytes] : expected)
        EXPECT_TRUE(found.contains(file) && found.at(file) == bytes) << file << " differs with --threads 8";
    }
  }
}

}  // namespace
}  // namespace stream::testing
