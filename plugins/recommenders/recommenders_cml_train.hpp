/// recommenders.cml_train: from tickets and plots to a model for recommenders.cml.
#pragma once

#include "recommenders/cml_trainer.hpp"
#include "recommenders/train_source.hpp"

namespace stream::recommenders {

class CmlTrainSource final : public TrainSource<CmlTrainer> {
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
