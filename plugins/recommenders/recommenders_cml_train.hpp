/// recommenders.cml_train: from tickets and plots to a model for recommenders.cml.
#pragma once

#include "recommenders/cml_trainer.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class CmlTrainSource final : public Source {
 public:
  static Spec spec();
  explicit CmlTrainSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override { return trainer_.fraction(); }
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return trainer_.state_bytes(); }
  std::string progress() const override;

 private:
  Object test() const;
  std::string path_;
  std::vector<std::string> amounts_;
  CmlTrainer trainer_;
  bool written_ = false;
};

}  // namespace stream::recommenders
