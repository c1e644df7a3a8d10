/// What TimeGraphs is compared with: sequence models over steps, which see everything that a step holds.
#pragma once

#include "events/game_trainer.hpp"
#include "nn/blocks.hpp"

namespace stream::events {

struct SequenceShape {
  std::int64_t outputs = 1;
  bool per_node = false;
  std::int64_t parameters = 18000;  ///< to come near to
};

/// Steps as vectors: of each node, by its place in the list of nodes, state, change and type; of each pair
/// and relation whether there is an edge; the time since the step before. Nothing of a scene is left out.
class StepVectors {
 public:
  StepVectors(const Games& games, const SceneVocabulary& vocabulary);
  /// [steps, width] of a game.
  const at::Tensor& operator[](std::size_t game) const { return games_[game]; }
  std::int64_t width() const { return width_; }
  std::int64_t nodes() const { return nodes_; }
  /// Other games, in the same units.
  void set_games(const Games& games);

 private:
  SceneVocabulary vocabulary_;
  std::int64_t nodes_ = 0, width_ = 0;
  at::Tensor mean_, scale_;
  std::vector<at::Tensor> games_;
};

/// Games and their steps; a network below turns steps into an answer.
class SequenceAnswerer : public Answerer {
 public:
  at::Tensor logits(std::span<const QuestionId> questions) const override;
  void set_games(const Games& games);

 protected:
  SequenceAnswerer(const Games& games, const SceneVocabulary& vocabulary, SequenceShape shape);
  /// [B, d] from the steps [B, T, width] up to each question, whose last step is at [B].
  virtual at::Tensor summary(const std::vector<at::Tensor>& steps) const = 0;
  std::int64_t outputs() const { return shape_.outputs * (shape_.per_node ? vectors_.nodes() : 1); }
  StepVectors vectors_;
  SequenceShape shape_;
  std::vector<std::vector<std::int64_t>> at_;  ///< of each game's questions
  std::shared_ptr<nn::Linear> out_;
};

/// A GRU over all steps from the game's first, back-propagated through all of them.
class GruAnswerer final : public SequenceAnswerer {
 public:
  GruAnswerer(const Games& games, const SceneVocabulary& vocabulary, SequenceShape shape, std::uint64_t seed);

 private:
  at::Tensor summary(const std::vector<at::Tensor>& steps) const override;
  std::shared_ptr<nn::Linear> in_;
  std::vector<at::Tensor> gates_;
  std::int64_t hidden_ = 0;
};

/// A causal transformer over the last 64 steps: two layers, pre-norm, two heads, learnt places.
class TransformerAnswerer final : public SequenceAnswerer {
 public:
  static constexpr std::int64_t kSteps = 64;
  TransformerAnswerer(const Games& games, const SceneVocabulary& vocabulary, SequenceShape shape,
                      std::uint64_t seed);

 private:
  at::Tensor summary(const std::vector<at::Tensor>& steps) const override;
  struct Block {
    std::shared_ptr<nn::Linear> mix, back, up, down;
    std::shared_ptr<nn::LayerNorm> first, second;
  };
  std::shared_ptr<nn::Linear> in_;
  std::shared_ptr<nn::LayerNorm> last_;
  at::Tensor places_;
  std::vector<Block> blocks_;
  std::int64_t hidden_ = 0;
};

}  // namespace stream::events
