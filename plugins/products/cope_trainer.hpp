/// Trains COPE on products whose pages, videos and live streams are known.
#pragma once

#include <memory>

#include "nn/adamw.hpp"
#include "products/cope_losses.hpp"
#include "products/cope_pretrained.hpp"
#include "stream/random.hpp"

namespace stream::products {

struct CopeTrainerOptions {
  CopeShape shape;  ///< size is the data's
  Objective objective = Objective::kCope;
  std::int64_t batch = 48, epochs = 100;
  double learning_rate = 1e-3, weight_decay = 1e-2;
  double text_factor = 1, visual_factor = 1;  ///< of the learning rate, for encoders that were trained before
  std::int64_t warm_up = 50;                  ///< updates
  double temperature = 0.05, smoothing = 0.1;
  double scale = 64, margin = 0.4, classification = 1;  ///< of CosFace; its weight beside the contrasts
  double crop = 0.64;                                   ///< least share of a picture that a view shows
  bool flip = true;
  double word_dropout = 0.2;  ///< of the words of a text, in training
  double clip = 5;            ///< of the gradient's norm
  /// What the encoders start from, if not at random; the shape is theirs. A vocabulary goes with BERT.
  std::shared_ptr<const nn::ForeignTensors> bert, xclip;
  std::shared_ptr<const WordPieces> vocabulary;
};

class CopeTrainer {
 public:
  /// `validation`: products that are not learnt from. Throws Error(kBadData) when there are not two products
  /// with a clip of every domain that the objective needs.
  CopeTrainer(std::shared_ptr<const ProductSet> training, std::shared_ptr<const ProductSet> validation,
              CopeTrainerOptions options, Random random);
  bool finished() const { return epoch_ >= options_.epochs; }
  void step();
  std::int64_t steps() const { return steps_; }
  std::int64_t epoch() const { return epoch_; }
  double loss() const { return loss_; }
  /// Mean rank-1 of the validation's products over the six directions, after every tenth epoch; 0 without
  /// any.
  double validation() const { return validation_; }
  double fraction() const;
  std::int64_t parameters() const;  ///< centres included
  std::int64_t steps_in_epoch() const;
  const CopeNetwork& network() const { return *network_; }
  CopeNetwork& network() { return *network_; }
  const CopeTrainerOptions& options() const { return options_; }
  const ProductSet& validation_set() const { return *validation_set_; }
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const;

 private:
  /// Projections and class centres: what has the whole learning rate.
  struct Rest : torch::nn::Module {
    at::Tensor centres;
  };
  void begin_epoch();
  at::Tensor loss_of(const std::vector<std::size_t>& products);
  CopeViews draw(const std::vector<std::size_t>& products, Domain domain,
                 const std::vector<std::size_t>& clips);
  at::Tensor augmented(const at::Tensor& frames);
  std::shared_ptr<const ProductSet> training_, validation_set_;
  CopeTrainerOptions options_;
  std::vector<std::size_t> usable_, order_;  ///< products; those of this epoch
  std::vector<Domain> domains_;              ///< that the objective needs ...
  std::array<bool, 3> reads_{}, looks_{};    ///< ... their text, their pictures
  Random random_, epoch_random_;             ///< the second as it was when the epoch began
  std::shared_ptr<CopeNetwork> network_;
  std::shared_ptr<Rest> rest_;
  std::vector<std::unique_ptr<nn::AdamW>> optimisers_;  ///< text, visual, head, centres
  std::int64_t steps_ = 0, epoch_ = 0, at_ = 0;
  double loss_ = 0, validation_ = 0;
};

}  // namespace stream::products
