#include "nn/tensor_view.hpp"

#include "stream/error.hpp"

namespace stream::nn {

at::ScalarType scalar_type(DType type) {
  switch (type) {
    case DType::kU8:
      return at::kByte;
    case DType::kI32:
      return at::kInt;
    case DType::kI64:
      return at::kLong;
    case DType::kF16:
      return at::kHalf;
    case DType::kBF16:
      return at::kBFloat16;
    case DType::kF32:
      return at::kFloat;
    case DType::kF64:
      return at::kDouble;
    case DType::kU16:
      break;
  }
  throw bad_data(std::string("tensors of ") + name_of(type) + " cannot be used in tensor operations");
}

DType dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return DType::kU8;
    case at::kInt:
      return DType::kI32;
    case at::kLong:
      return DType::kI64;
    case at::kHalf:
      return DType::kF16;
    case at::kBFloat16:
      return DType::kBF16;
    case at::kFloat:
      return DType::kF32;
    case at::kDouble:
      return DType::kF64;
    default:
      throw bad_data(std::string("a tensor of ") + c10::toString(type) + " cannot be a payload");
  }
}

namespace {
at::Tensor over(const Buffer& buffer, at::IntArrayRef shape, at::IntArrayRef strides, at::ScalarType type) {
  // The deleter's copy of the owner is what keeps the memory alive.
  return at::from_blob(
      const_cast<std::byte*>(buffer.data()), shape, strides, [owner = buffer.owner()](void*) {},
      at::TensorOptions().dtype(type));
}
}  // namespace

at::Tensor view(const Tensor& tensor) {
  return over(tensor.buffer(), {tensor.shape().data(), tensor.shape().size()},
              {tensor.strides().data(), tensor.strides().size()}, scalar_type(tensor.dtype()));
}

at::Tensor view(const Audio& audio) {
  const std::int64_t frames = static_cast<std::int64_t>(audio.frames()), channels = audio.channels();
  return over(audio.buffer(), {frames, channels}, {channels, 1}, at::kFloat);
}

Tensor payload(const at::Tensor& tensor) {
  // The tensor itself where it can be: its count of references is ours to see, that of what two tensors share
  // is libtorch's, and ThreadSanitizer would call it a race when one is let go in another thread.
  const at::Tensor plain = tensor.requires_grad() ? tensor.detach() : tensor;
  auto dense = std::make_shared<const at::Tensor>(plain.cpu().contiguous());
  const auto* data = static_cast<const std::byte*>(dense->data_ptr());
  const std::size_t bytes = dense->nbytes();
  std::vector<std::int64_t> shape(dense->sizes().begin(), dense->sizes().end());
  const DType type = dtype_of(dense->scalar_type());
  return Tensor(Buffer(std::move(dense), data, bytes), type, std::move(shape));
}

Tensor snapshot(const at::Tensor& tensor) { return payload(tensor.detach().clone()); }

}  // namespace stream::nn
