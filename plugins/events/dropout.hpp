/// Dropout whose noise is a learner's own: the process-global generator would make results depend on the
/// order of threads.
#pragma once

#include "nn/torch.hpp"

namespace stream::events {

class Dropout {
 public:
  /// From here on a share of `rate` is dropped, as this seed has it.
  void begin(std::uint64_t seed, double rate) { generator_ = nn::generator(seed), rate_ = rate; }
  /// Nothing is.
  void end() { rate_ = 0; }
  at::Tensor operator()(const at::Tensor& x) const {
    if (rate_ <= 0) return x;
    return x * torch::rand(x.sizes(), generator_).ge(rate_) / (1 - rate_);
  }

 private:
  at::Generator generator_;
  double rate_ = 0;
};

}  // namespace stream::events
