/// Imported models against the logits of the reference: tests/golden/language_models/make*.py wrote both.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "import/import.hpp"
#include "llm/hugging_face/import.hpp"
#include "llm/memory_full.hpp"
#include "llm/session.hpp"
#include "program/program.hpp"

namespace stream::llm {
namespace {

const std::filesystem::path kModels = STREAM_SOURCE_DIR "/tests/golden/language_models";

using Change = std::function<void(ModelConfig&)>;

/// Largest difference from the reference over all tokens, fed in blocks of `block`, with some of the config
/// changed. Logits have a standard deviation of 1.7.
double difference(const std::string& name, std::int64_t block, const Change& change = {}) {
  const std::filesystem::path folder = kModels / name;
  const Archive expected = import_tensors((folder / "expected.npz").string());
  LanguageModel model = std::filesystem::exists(folder / "lit_config.json")
                            ? read_lit_gpt(folder.string())
                            : read_hugging_face(folder.string());
  if (change) change(model.config);
  const auto decoder = std::make_shared<const Decoder>(model);
  const auto logits = expected.tensor("logits").values<float>();
  std::vector<std::int32_t> tokens;
  for (const std::int64_t id : expected.tensor("tokens").values<std::int64_t>())
    tokens.push_back(static_cast<std::int32_t>(id));
  EXPECT_GE(tokens.size(), 32u);
  EXPECT_EQ(logits.size(), tokens.size() * static_cast<std::size_t>(decoder->config().vocabulary));
  Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()), block);
  double worst = 0;
  std::size_t seen = 0;
  session.feed(tokens, [&](std::size_t index, std::span<const float> row) {
    ++seen;
    for (std::size_t i = 0; i < row.size(); ++i)
      worst = std::max(worst, std::abs(double{row[i]} - double{logits[index * row.size() + i]}));
  });
  EXPECT_EQ(seen, tokens.size());
  return worst;
}

class Logits : public ::testing::TestWithParam<std::string> {};

TEST_P(Logits, AreThoseOfTheReference) {
  const double at_once = difference(GetParam(), 256), one_by_one = difference(GetParam(), 1);
  std::printf("%s: at once %.2e, one by one %.2e\n", GetParam().c_str(), at_once, one_by_one);
  EXPECT_LE(at_once, 1e-4);
  EXPECT_LE(one_by_one, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Layouts, Logits,
                         ::testing::Values("llama", "llama_tied_bf16", "llama_linear_f16", "mistral_sharded",
                                           "qwen2", "pythia", "neox_sequential", "gpt2", "opt", "opt_post",
                                           "lit_gpt", "lit_gpt_neox"),
                         [](const auto& info) { return info.param; });

/// Whatever a config says shows in the logits: reading one of them wrongly would not pass.
TEST(LogitsOf, EverySwitchShows) {
  const std::vector<std::tuple<std::string, std::string, Change>> changes{
      {"mistral_sharded", "window", [](ModelConfig& c) { c.sliding_window = 8; }},
      {"mistral_sharded", "rope base", [](ModelConfig& c) { c.rope_base = 10000; }},
      {"llama_linear_f16", "rope factor", [](ModelConfig& c) { c.rope_factor = 2; }},
      {"llama_tied_bf16", "rope factor", [](ModelConfig& c) { c.rope_factor = 4; }},
      {"llama_tied_bf16", "rope scaling", [](ModelConfig& c) { c.rope_scaling = RopeScaling::kNone; }},
      {"llama_tied_bf16", "low frequencies", [](ModelConfig& c) { c.rope_low_frequency = 2; }},
      {"llama_tied_bf16", "original context", [](ModelConfig& c) { c.rope_original_context = 64; }},
      {"llama", "epsilon", [](ModelConfig& c) { c.norm_epsilon = 1e-2; }},
      {"llama", "activation", [](ModelConfig& c) { c.activation = Activation::kGelu; }},
      {"pythia", "rotated part", [](ModelConfig& c) { c.rope_fraction = 0.5; }},
      {"pythia", "parallel residual", [](ModelConfig& c) { c.parallel_residual = false; }},
      {"neox_sequential", "activation", [](ModelConfig& c) { c.activation = Activation::kGelu; }},
      {"opt", "activation", [](ModelConfig& c) { c.activation = Activation::kGelu; }},
      {"opt_post", "activation", [](ModelConfig& c) { c.activation = Activation::kRelu; }},
      {"lit_gpt", "rotated part", [](ModelConfig& c) { c.rope_fraction = 0.5; }},
      {"lit_gpt_neox", "parallel residual", [](ModelConfig& c) { c.parallel_residual = false; }},
  };
  for (const auto& [name, what, change] : changes)
    EXPECT_GT(difference(name, 256, change), 3e-4) << name << ": " << what;
}

}  // namespace
}  // namespace stream::llm
