/// recommenders.pisa_train: from a log of events to a model for recommenders.pisa.
#pragma once

#include "nn/train_source.hpp"
#include "recommenders/pisa_trainer.hpp"

namespace stream::recommenders {

class PisaTrainSource final : public nn::TrainSource<PisaTrainer> {
 public:
  static Spec spec();
  explicit PisaTrainSource(const Params& params);

 private:
  Object finish() const override;
  std::string path_;
};

}  // namespace stream::recommenders
