/// Trains a language model on a stream of token texts that is kept in a pool of bounded size.
#pragma once

#include <algorithm>
#include <deque>
#include <span>

#include "llm/network.hpp"
#include "nn/adamw.hpp"
#include "stream/random.hpp"

namespace stream::llm {

/// What the learning rate does behind the warm-up: half a cosine down to a tenth, or nothing.
enum class Schedule : std::uint8_t { kCosine, kFlat };

struct TrainerOptions {
  std::int64_t steps = 1600, batch = 64;
  std::int64_t length = 64;     ///< inputs of a sample, the begin token among them
  double learning_rate = 8e-3;  ///< at its peak
  std::int64_t warmup = 100;    ///< updates through which it rises to that
  Schedule schedule = Schedule::kCosine;
  double weight_decay = 0.1;      ///< on matrices
  std::int64_t pool = 2'000'000;  ///< tokens kept to draw from, the newest
  /// Ordinary tokens in front of the begin token in every sample.
  std::int64_t begin_at = 0;
  /// The first so many tokens of every sample are replaced by uniformly random ones.
  std::int64_t random_first = 0;
  /// Stands at place `fixed_at` of every sample instead of what is there; -1: none.
  std::int64_t fixed_token = -1, fixed_at = 0;
  /// Samples kept from learning: one from the front of each text that is long enough, until there are so
  /// many.
  std::int64_t held_out = 0;
};

class Trainer {
 public:
  /// With a begin token in the config every sample has it in front (or behind `begin_at` tokens of the text).
  /// Throws Error(kBadRecipe) for shapes and options that cannot be.
  Trainer(const ModelConfig& config, TrainerOptions options, Random random);

  /// A sample of length + 1 tokens from `text_needed` tokens of a text, by the switches of the options.
  std::vector<std::int32_t> sample(std::span<const std::int32_t> text);
  /// Text tokens that a sample takes: one more than its inputs, but the begin token is no text.
  std::int64_t text_needed() const { return options_.length + (config_.begin_token >= 0 ? 0 : 1); }
  /// Samples that are not learnt from.
  const std::vector<std::vector<std::int32_t>>& held_out() const { return held_out_; }
  /// Mean loss over them; NaN while there are none.
  double held_out_loss() const;

  /// One text. Samples are drawn from within a text. Throws Error(kBadData) for a token that is not in the
  /// vocabulary.
  void add(std::span<const std::int32_t> tokens);
  /// Tokens that samples can be drawn from.
  std::int64_t pooled() const { return pooled_; }
  /// One update. Some text must be long enough for a sample.
  void step();
  bool ready() const { return samples_ > 0; }
  bool finished() const { return step_ >= options_.steps; }
  std::int64_t steps() const { return step_; }
  /// Of the next update.
  double learning_rate() const;
  /// Mean over the last fifty updates or so.
  double loss() const { return loss_; }
  const TrainerOptions& options() const { return options_; }
  LanguageModel model() const { return network_->model(); }
  const Network& network() const { return *network_; }

  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const {
    return optimizer_->state_bytes() + (static_cast<std::size_t>(pooled_) +
                                        held_out_.size() * static_cast<std::size_t>(options_.length + 1)) *
                                           sizeof(std::int32_t);
  }

 private:
  void check_options() const;
  /// What `add` leaves of a text goes into the pool.
  void pool(std::span<const std::int32_t> tokens);
  std::int64_t samples_in(const std::vector<std::int32_t>& text) const {
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(text.size()) - text_needed() + 1);
  }

  /// Mean cross-entropy (nats) of the targets y [B, T] of inputs x [B, T], those behind the prefix.
  at::Tensor loss_of(const at::Tensor& x, const at::Tensor& y) const;

  ModelConfig config_;
  TrainerOptions options_;
  Random random_;
  std::shared_ptr<Network> network_;
  std::unique_ptr<nn::AdamW> optimizer_;
  std::deque<std::vector<std::int32_t>> texts_;
  std::vector<std::vector<std::int32_t>> held_out_;
  std::int64_t pooled_ = 0, samples_ = 0;
  std::int64_t step_ = 0;
  double loss_ = 0;
};

}  // namespace stream::llm
