/// Trains whatever answers questions about games: the same data, batches and loss for every kind of network.
#pragma once

#include <memory>

#include "events/dropout.hpp"
#include "events/game.hpp"
#include "nn/adamw.hpp"

namespace stream::events {

using Games = std::vector<Game>;

struct QuestionId {
  std::size_t game, question;
};

/// A network that answers questions.
class Answerer : public torch::nn::Module {
 public:
  /// [rows, outputs]: a row for each question, or for each node of each question's step, in their order.
  virtual at::Tensor logits(std::span<const QuestionId> questions) const = 0;
  std::int64_t parameter_count() const;
  Dropout dropout;
};

struct GameTrainerOptions {
  std::int64_t outputs = 1;
  bool classes = false;  ///< an answer is the number of a class, not a number of 0 and 1 for each output
  std::int64_t steps = 1000;
  std::int64_t games = 16;     ///< in an update
  std::int64_t questions = 1;  ///< of each of them
  double rate = 2e-3;
  double dropout = 0.2;
  double weight_decay = 1e-4;
};

/// Answers and probabilities of questions, in order: rows without an answer are left out.
struct Answers {
  at::Tensor probability, answer;      ///< [rows, outputs]; [rows, 1] numbers of classes in `answer`
  std::vector<std::int64_t> question;  ///< of each row, counted over all
  std::vector<std::size_t> game;       ///< of each row
};
/// [rows, outputs] of these questions, or [rows, 1] of classes; what is negative is not known.
at::Tensor answers_of(const Games& games, std::span<const QuestionId> questions, std::int64_t outputs,
                      bool classes);
/// The mean over what is known: binary cross-entropy, or cross-entropy of classes.
at::Tensor task_loss(const at::Tensor& logits, const at::Tensor& answers, bool classes);
/// Of all questions of these games.
Answers ask(const Answerer& answerer, const Games& games, std::span<const std::size_t> which,
            std::int64_t outputs, bool classes = false);

class GameTrainer {
 public:
  /// `games`: what the answerer was made for; `training`: which of them are learnt from.
  GameTrainer(std::shared_ptr<Answerer> answerer, std::shared_ptr<const Games> games,
              std::vector<std::size_t> training, GameTrainerOptions options, std::uint64_t seed);
  bool finished() const { return at_ == options_.steps; }
  /// One update.
  void step();
  std::int64_t steps() const { return at_; }
  const GameTrainerOptions& options() const { return options_; }
  double loss() const { return loss_; }
  Answers answers(std::span<const std::size_t> games) const {
    return ask(*answerer_, *games_, games, options_.outputs, options_.classes);
  }
  /// Mean loss on these games.
  double loss(std::span<const std::size_t> games) const;
  const Answerer& answerer() const { return *answerer_; }
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const { return optimiser_->state_bytes(); }

 private:
  std::shared_ptr<Answerer> answerer_;
  std::shared_ptr<const Games> games_;
  std::vector<std::size_t> training_;
  GameTrainerOptions options_;
  Random random_;
  std::unique_ptr<nn::AdamW> optimiser_;
  std::int64_t at_ = 0;
  double loss_ = 0;
};

/// Of rows, as the training has it.
double mean_loss(const Answers& answers, bool classes);
/// Share of questions of which every output is right, at 1/2; of those with at least one 1 among the answers
/// where `some`.
double exact_match(const Answers& answers, bool some = false);
/// 2 TP / (2 TP + FP + FN) over all outputs, at 1/2.
double micro_f1(const Answers& answers);
/// Area under the ROC curve, over all rows of the first output.
double area_under_curve(const Answers& answers);

}  // namespace stream::events
