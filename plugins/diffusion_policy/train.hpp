/// diffusion_policy.train: from demonstrations to a policy.
#pragma once

#include "diffusion_policy/trainer.hpp"
#include "stream/operator.hpp"

namespace stream::diffusion_policy {

class TrainSource final : public Source {
 public:
  static Spec spec();
  explicit TrainSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return trainer_.state_bytes(); }
  std::string progress() const override;

 private:
  std::string path_;
  std::int64_t total_, report_;
  Trainer trainer_;
  bool written_ = false;
};

}  // namespace stream::diffusion_policy
