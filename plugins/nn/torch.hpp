/// libtorch, and what differs between its versions (1.13 in Debian 12 up to 2.x, with or without CUDA).
/// This is the precompiled header of everything that uses libtorch.
#pragma once

// Not <torch/torch.h>: its layers, optimisers and data loaders cost every file two seconds more.
#include <ATen/CPUGeneratorImpl.h>
#include <torch/autograd.h>
#include <torch/cuda.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>
#include <torch/version.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stream::nn {

/// libtorch moved from c10::optional to std::optional in 2.x; functions take what this names.
template <typename T>
using Optional = c10::optional<T>;

/// A generator of one operator's own. The process-global one would make results depend on the order of
/// threads.
inline at::Generator generator(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

}  // namespace stream::nn
