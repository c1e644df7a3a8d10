/// Where tensors live.
#pragma once

#include <string>

#include "nn/torch.hpp"

namespace stream::nn {

/// "cpu", "cuda" or "cuda:N". Throws Error(kBadRecipe) for another name, or when this libtorch or this
/// machine has no such device.
torch::Device device(const std::string& name);

/// Runs `f` under InferenceMode: no autograd bookkeeping. The mode belongs to the thread and the graph moves
/// operators between threads, so every call enters it anew.
template <typename F>
auto inference(F&& f) {
  const c10::InferenceMode guard;
  return f();
}

}  // namespace stream::nn
