/// Finds the heads that need the whole context: DuoAttention's optimisation of one gate for each key and
/// value head of a frozen model (Xiao et al. 2024, section 2.2; arXiv 2410.10819).
///
/// A sample passes twice: with full attention (F), and with each head's output mixed from full attention and
/// from attention to the first and the last tokens alone (M). The gates make M's last hidden states like F's,
/// and are drawn to 0:
///
///     a_M = gate a_full + (1 - gate) a_streaming
///     loss = mean over labelled tokens of mean((h_F - h_M)^2) + weight mean|gate|
#pragma once

#include "llm/memory_duo.hpp"
#include "llm/network.hpp"
#include "nn/adamw.hpp"

namespace stream::llm {

/// Where the full attention that M mixes in comes from.
enum class Mix : std::uint8_t {
  kTeacher,  ///< copy F: the released code
  kSelf,     ///< M's own queries, keys and values: the paper's formula
};

struct IdentificationOptions {
  std::int64_t steps = 2000;  ///< N of the schedule
  std::int64_t sinks = 128, recent = 256;
  double regularisation = 0.05;
  double learning_rate = 0.02;
  Mix mix = Mix::kTeacher;
};

/// N steps: up from a tenth in the first fifth, down to it in the last.
double identification_rate(std::int64_t step, const IdentificationOptions& options);

class Identification {
 public:
  /// Gates begin at 1. Throws Error(kBadRecipe) for a model whose positions Network does not know, for
  /// another score than softmax, and when nothing recent is kept.
  Identification(const LanguageModel& model, IdentificationOptions options);

  /// One update. tokens [B, T] int64; labelled [B, T] bool: where hidden states are compared, at least one. T
  /// is at most the model's context. Returns the loss.
  double step(const at::Tensor& tokens, const at::Tensor& labelled);
  bool finished() const { return step_ >= options_.steps; }
  std::int64_t steps() const { return step_; }
  double loss() const { return loss_; }
  /// In [0, 1].
  HeadGates gates() const;
  const IdentificationOptions& options() const { return options_; }
  /// The frozen model; for tests.
  LanguageModel model() const { return network_.model(); }
  const ModelConfig& config() const { return network_.config(); }

  /// Gates, moments and step: what comes after is bitwise what it would have been.
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimizer_->state_bytes(); }

 private:
  struct Gates final : torch::nn::Module {
    Gates(std::int64_t layers, std::int64_t kv_heads)
        : values(register_parameter("gates", torch::ones({layers, kv_heads}))) {}
    at::Tensor values;
  };
  at::Tensor mixed(std::int64_t layer, const at::Tensor& full, const at::Tensor& streaming) const;

  Network network_;
  IdentificationOptions options_;
  Gates gates_;
  std::unique_ptr<nn::AdamW> optimizer_;
  std::int64_t step_ = 0;
  double loss_ = 0;
};

}  // namespace stream::llm
