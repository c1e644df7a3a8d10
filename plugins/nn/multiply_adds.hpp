/// How much arithmetic really happens: what libtorch's kernels multiply and add, counted while they run.
#pragma once

#include "nn/torch.hpp"

namespace stream::nn {

/// Counts on the thread that made it, from construction to destruction; one at a time on a thread.
///
/// Every product and convolution that reaches a kernel is seen with its operands, so padding, recomputed
/// frames and keys that a mask hides count like the rest: (elements of the result) x (terms in the sum behind
/// each). A plain product of two tensors counts one for each element: it is how CausalDepthwiseConv1d
/// multiplies. Factors that are single numbers, additions, norms, softmax, activations and the FFT do not
/// count.
class MultiplyAdds {
 public:
  MultiplyAdds();
  ~MultiplyAdds();
  MultiplyAdds(const MultiplyAdds&) = delete;
  MultiplyAdds& operator=(const MultiplyAdds&) = delete;

  /// Outside of every named scope.
  std::int64_t count() const { return within({}); }
  /// For kernels of our own (dense.hpp): this thread has just executed so many.
  static void note(std::int64_t multiply_adds);
  /// In the scope of that name (RECORD_USER_SCOPE), scopes inside of it not included.
  std::int64_t within(const std::string& scope) const;

 private:
  friend struct MultiplyAddsObserver;
  at::CallbackHandle handle_;
  std::vector<std::string> scopes_{{}};         ///< those we are in; the first stands for none
  bool inside_ = false;                         ///< of something that is counted as a whole
  std::map<std::string, std::int64_t> counts_;  ///< by scope
};

}  // namespace stream::nn
