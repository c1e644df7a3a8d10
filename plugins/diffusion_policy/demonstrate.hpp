/// diffusion_policy.demonstrate: a scripted expert fills a file of demonstrations.
#pragma once

#include "diffusion_policy/experts.hpp"
#include "stream/operator.hpp"

namespace stream::diffusion_policy {

class DemonstrateSource final : public Source {
 public:
  static Spec spec();
  explicit DemonstrateSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override { return static_cast<double>(done_) / static_cast<double>(count_); }
  /// Episodes are fixed by seed and index, so that their number is all there is to remember.
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  std::string path_;
  std::int64_t count_, done_ = 0;
  bool written_ = false;
  Demonstrator demonstrator_;
  Episodes episodes_;
};

}  // namespace stream::diffusion_policy
