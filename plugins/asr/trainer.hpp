/// Multi-look-ahead training of the Conformer with CTC: each batch draws one look-ahead and sees exactly the
/// context that a stream of that look-ahead will have.
#pragma once

#include <deque>

#include "asr/conformer.hpp"
#include "asr/corpus.hpp"
#include "asr/front_end.hpp"
#include "nn/adamw.hpp"
#include "stream/random.hpp"

namespace stream::asr {

struct TrainerOptions {
  std::int64_t steps = 8000;
  std::int64_t batch = 16;
  std::int64_t pool = 1024;     ///< utterances kept for replay
  double learning_rate = 2e-3;  ///< peak
  std::int64_t warmup = 100;
};

class Trainer {
 public:
  Trainer(const ConformerShape& shape, std::vector<std::string> pieces, TrainerOptions options,
          Random random);

  struct Example {
    at::Tensor mels;                          ///< [T, 80], float16
    std::vector<std::int64_t> labels;         ///< pieces
    std::vector<std::array<float, 2>> spans;  ///< of each label, in encoder frames
  };
  /// Features and labels of an utterance; words outside of the pieces become kUnknown.
  Example example(std::span<const float> samples, const std::vector<SpokenWord>& words) const;
  /// Puts it into the pool, over the oldest when that is full.
  void add(Example example);
  /// One update from a batch drawn from the pool. Precondition: the pool is not empty.
  void step();

  bool finished() const { return step_ >= options_.steps; }
  std::int64_t steps() const { return step_; }
  double loss() const { return loss_; }              ///< running mean of the CTC loss a label
  double time_error() const { return time_error_; }  ///< running mean, seconds
  const Conformer& model() const { return *model_; }
  const std::vector<std::string>& pieces() const { return pieces_; }
  std::size_t pool_size() const { return pool_.size(); }

  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const;

 private:
  /// An utterance of the pool, or two of them one after the other.
  Example draw();
  void augment(at::Tensor& mels, std::int64_t frames);
  /// Cross-entropy of each frame against its word in the second half of the word's span, blank elsewhere.
  at::Tensor aligned_loss(const Conformer::Heads& heads, const std::vector<std::int64_t>& lengths,
                          const std::vector<Example>& batch) const;
  at::Tensor times_loss(const Conformer::Heads& heads, const std::vector<std::int64_t>& lengths,
                        const std::vector<Example>& batch);

  TrainerOptions options_;
  std::vector<std::string> pieces_;
  std::map<std::string, std::int64_t> ids_;
  Random random_;
  FrontEnd front_end_;
  std::shared_ptr<Conformer> model_;
  std::unique_ptr<nn::AdamW> optimizer_;
  std::vector<Example> pool_;
  std::size_t oldest_ = 0;
  std::int64_t step_ = 0;
  double loss_ = 0, time_error_ = 0;
};

}  // namespace stream::asr
