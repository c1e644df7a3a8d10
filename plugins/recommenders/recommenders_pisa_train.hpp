/// recommenders.pisa_train: from a log of events to a model for recommenders.pisa.
#pragma once

#include "recommenders/pisa_trainer.hpp"
#include "recommenders/train_source.hpp"

namespace stream::recommenders {

class PisaTrainSource final : public TrainSource<PisaTrainer> {
 public:
  static Spec spec();
  explicit PisaTrainSource(const Params& params);

 private:
  Object finish() const override;
  std::string path_;
};

}  // namespace stream::recommenders
