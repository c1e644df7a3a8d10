/// Trains PISA, or what it is compared with, on a log of sessions.
#pragma once

#include <functional>
#include <memory>

#include "nn/adamw.hpp"
#include "recommenders/pisa_network.hpp"
#include "stream/random.hpp"

namespace stream::recommenders {

/// Of each user the last sessions are for the test, those before for validation, the rest for training.
struct Split {
  std::size_t test = 10, validation = 5;
};
/// How many sessions of each user are for training: none of who has fewer than test + validation + 2.
std::vector<std::size_t> training_sessions(const SessionLog& log, Split split);

struct TrainerOptions {
  bool sasrec = false;  ///< the baseline on sequences of items instead
  PisaShape shape;      ///< `items` is filled in
  PisaLoss loss;
  Split split;
  std::int64_t step = 5;                   ///< sessions from one training sample of a user to the next
  std::int64_t batch = 128;                ///< samples
  std::int64_t epochs = 60, patience = 5;  ///< epochs at the most, and without a gain in validation
  double learning_rate = 1e-3;
  double popularity = 0.5;  ///< negatives are drawn in proportion to count^popularity; 0: uniformly
  bool decomposed = true;  ///< items start as the leading eigenvectors of the co-occurrence; false: at random
  std::int64_t sequence = 50;  ///< items that SASRec sees
};

/// How good lists of ten are, over users and sessions: means over what has such targets.
struct Quality {
  double ndcg = 0, recall = 0, ndcg_repeat = 0, ndcg_explore = 0;
  double repetition = 0;     ///< share of the listed items that the user had heard
  std::vector<double> each;  ///< NDCG of every list
};

/// What a scorer is asked: everything before session `next` of a user.
struct Question {
  std::span<const Session> past;
  double now;
  std::int32_t user;
};
/// Scores of all items (entry 0 is none) for several questions.
using Scorer = std::function<std::vector<std::vector<float>>(std::span<const Question>)>;
/// Asks for the sessions [begin, end) counted from the end of each user's: 10, 0 are the last ten.
Quality measure(const SessionLog& log, std::size_t begin, std::size_t end, const Scorer& scorer);
/// The best k of scores by falling score, then by item; never item 0.
std::vector<std::int32_t> best_items(std::span<const float> scores, std::size_t k);

class PisaTrainer {
 public:
  /// `log` with at least one user whose sessions suffice; throws Error(kBadData) otherwise.
  PisaTrainer(std::shared_ptr<const SessionLog> log, TrainerOptions options, Random random);

  bool finished() const { return epoch_ >= options_.epochs || stale_ >= options_.patience; }
  /// One update, and at the end of an epoch the validation.
  void step();
  std::int64_t steps() const { return steps_; }
  std::int64_t epoch() const { return epoch_; }
  std::int64_t steps_in_epoch() const;
  double loss() const { return loss_; }
  double validation() const { return validation_; }
  double fraction() const;
  /// Scores with the best weights so far.
  Scorer scorer(bool best = true) const;
  /// The weights with the best validation.
  const PisaNetwork& best() const { return *best_pisa_; }
  const Cooccurrence& cooccurrence() const { return cooccurrence_; }
  /// The log, with the spreading of every session filled in: what questions are to be made of.
  const SessionLog& log() const { return *log_; }
  const TrainerOptions& options() const { return options_; }
  std::int64_t parameters() const { return optimiser_->parameters(); }
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimiser_->state_bytes(); }

 private:
  struct Sample {
    std::int32_t user;
    std::int32_t next;  ///< the session to be foretold
  };
  void shuffle();
  PisaBatch pisa_batch(std::span<const Sample> samples);
  at::Tensor sasrec_loss(std::span<const Sample> samples);
  std::int32_t negative();
  void validate();

  std::shared_ptr<const SessionLog> log_;
  TrainerOptions options_;
  Random random_;
  Cooccurrence cooccurrence_;
  std::vector<std::size_t> training_;
  std::vector<Sample> samples_;
  std::vector<double> cumulated_;  ///< of the weights of negatives
  std::shared_ptr<PisaNetwork> pisa_, best_pisa_;
  std::shared_ptr<SasrecNetwork> sasrec_, best_sasrec_;
  std::unique_ptr<nn::AdamW> optimiser_;
  std::int64_t steps_ = 0, epoch_ = 0, at_ = 0, stale_ = 0;
  double loss_ = 0, validation_ = -1, best_validation_ = -1;
};

/// The leading `features` eigenvectors of the co-occurrence, rows of length 1: [items + 1, features].
at::Tensor decomposed(const Cooccurrence& cooccurrence, std::int64_t items, std::int64_t features,
                      Random random);

/// Features of questions, as tensors (targets and negatives left out).
PisaBatch batch_of(std::span<const Question> questions, std::size_t length);

}  // namespace stream::recommenders
