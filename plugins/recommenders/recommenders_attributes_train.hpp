/// recommenders.attributes_train: from playlists and known attributes to a model for recommenders.attributes.
#pragma once

#include "recommenders/deepset_trainer.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class AttributesTrainSource final : public Source {
 public:
  static Spec spec();
  explicit AttributesTrainSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override { return trainer_.fraction(); }
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return trainer_.state_bytes(); }
  std::string progress() const override;

 private:
  std::string path_;
  DeepSetTrainer trainer_;
  bool written_ = false;
};

}  // namespace stream::recommenders
