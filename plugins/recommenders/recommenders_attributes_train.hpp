/// recommenders.attributes_train: from playlists and known attributes to a model for recommenders.attributes.
#pragma once

#include "nn/train_source.hpp"
#include "recommenders/deepset_trainer.hpp"

namespace stream::recommenders {

class AttributesTrainSource final : public nn::TrainSource<DeepSetTrainer> {
 public:
  static Spec spec();
  explicit AttributesTrainSource(const Params& params);

 private:
  Object finish() const override;
  std::string path_;
};

}  // namespace stream::recommenders
