/// The same memory seen as a payload and as a libtorch tensor.
#pragma once

#include "nn/torch.hpp"
#include "stream/payload.hpp"

namespace stream::nn {

/// libtorch's name for the type; throws Error(kBadData) for uint16, which libtorch 1.13 lacks.
at::ScalarType scalar_type(DType type);
/// The inverse; throws Error(kBadData) for types that payloads lack.
DType dtype_of(at::ScalarType type);

/// A tensor over the payload's buffer, which it keeps alive. Payloads are immutable: do not write to it.
at::Tensor view(const Tensor& tensor);
/// Samples as [frames, channels]; the same rule.
at::Tensor view(const Audio& audio);
/// A payload over the tensor's memory (copied to the CPU or made contiguous first only when it is not).
/// The caller must not write to the tensor afterwards.
Tensor payload(const at::Tensor& tensor);
/// The same with a copy: for state that goes on changing.
Tensor snapshot(const at::Tensor& tensor);

}  // namespace stream::nn
