/// recommenders.cml_train: from tickets and plots to a model for recommenders.cml.
#pragma once

#include "nn/train_source.hpp"
#include "recommenders/cml_trainer.hpp"

namespace stream::recommenders {

class CmlTrainSource final : public nn::TrainSource<CmlTrainer> {
 public:
  static Spec spec();
  explicit CmlTrainSource(const Params& params);

 private:
  Object finish() const override;
  Object test() const;
  std::vector<std::string> amounts_;
  std::string path_;
};

}  // namespace stream::recommenders
