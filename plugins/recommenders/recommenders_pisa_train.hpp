/// recommenders.pisa_train: from a log of events to a model for recommenders.pisa.
#pragma once

#include "recommenders/pisa_trainer.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class PisaTrainSource final : public Source {
 public:
  static Spec spec();
  explicit PisaTrainSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override { return trainer_.fraction(); }
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return trainer_.state_bytes(); }
  std::string progress() const override;

 private:
  std::string path_;
  PisaTrainer trainer_;
  bool written_ = false;
};

}  // namespace stream::recommenders
