/// Models for studies: read from files, or trained in the run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "llm/pair_text.hpp"
#include "llm/throw_text.hpp"
#include "llm/trainer.hpp"

namespace stream::llm {

/// How a model of a study comes about: what recipes/train-pair-text.toml or recipes/train-throws.toml does
/// with these numbers.
struct ModelRecipe {
  PairTextShape text;
  std::optional<ThrowShape> throws;  ///< learnt instead of pair text
  std::int64_t length = 64, hidden = 32, ffn = 64, steps = 1600;
  bool begin = true;
  std::int64_t begin_at = 0;
  Score score = Score::kSoftmax;
  double score_offset = 0;
  AttentionBias attention_bias = AttentionBias::kNone;

  std::int64_t vocabulary() const { return throws ? throws->vocabulary() : text.vocabulary(); }
};

/// Makes one model, a little at a time.
class ModelMaker {
 public:
  /// With an empty path the model is trained.
  ModelMaker(std::string path, ModelRecipe recipe, std::uint64_t seed);
  /// Some seconds of work; true when the model is there.
  bool step();
  const LanguageModel& model() const { return *model_; }
  bool trained() const { return path_.empty(); }
  std::string progress() const;

 private:
  std::string path_;
  ModelRecipe recipe_;
  std::uint64_t seed_;
  std::int64_t texts_ = 0;
  std::unique_ptr<Trainer> trainer_;
  std::optional<LanguageModel> model_;
};

/// "models/pairs-begin-0.h5" and 1 -> "models/pairs-begin-1.h5". Throws Error(kBadRecipe) unless `first` ends
/// in
/// "-0.h5".
std::string path_of_seed(const std::string& first, std::int64_t seed);

/// Mean surprisal (nats) of unseen pair texts of the kind that the model learnt from, within its context:
/// `samples` of them, the probability of taking a key up again spaced as in training.
double loss_in_context(const LanguageModel& model, const ModelRecipe& recipe, std::int64_t samples,
                       std::uint64_t seed);

}  // namespace stream::llm
