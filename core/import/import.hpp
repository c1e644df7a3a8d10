/// Tensors in other people's files, as archives: safetensors, PyTorch's files (one of them, or a
/// folder with its index), NumPy's .npz and .npy. The readers are our own and trust nothing: every offset is
/// checked against the file, and no allocation is sized by a number that the file's length does not bear out.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "stream/archive.hpp"
#include "stream/buffer.hpp"

namespace stream {

inline constexpr std::uint64_t kLargestTensorFile = std::uint64_t{1} << 40;

/// By the name's ending, or for a folder by what is in it. Names with '.' or '/' become groups
/// ("encoder.0.weight" is dataset `weight` of group `encoder/0`). Throws Error(kNoInput) for a missing file,
/// Error(kBadData) with offset and expectation for a damaged or unknown one.
Archive import_tensors(const std::string& path);

/// The content of a .safetensors file; `name` is for messages.
Archive read_safetensors(const Buffer& file, const std::string& name);
/// The content of a PyTorch file (.bin, .pt, .pth, .ckpt): the tensors of its dictionaries, lists and tuples,
/// by keys and places. Numbers and texts beside them are left out. The pickle in it is read as data: whatever
/// is no part of a state dict is refused, and nothing is called.
Archive read_torch(const Buffer& file, const std::string& name);
/// A folder that holds `model.safetensors`, or `model.safetensors.index.json` and the shards which that
/// names; else the same of `pytorch_model.bin`.
Archive read_tensor_folder(const std::string& folder);
/// The tensors of one file that are among `wanted` (all when it is null), added to `archive`; returns how
/// many.
std::size_t read_safetensors_into(Archive& archive, const Buffer& file, const std::string& name,
                                  const std::set<std::string>* wanted);
std::size_t read_torch_into(Archive& archive, const Buffer& file, const std::string& name,
                            const std::set<std::string>* wanted);
struct NpyHeader {
  std::string descr;                ///< of an element, as '<f4'
  bool fortran = false;             ///< the first dimension is the fastest
  std::vector<std::int64_t> shape;  ///< not checked against anything
  std::size_t size = 0;             ///< bytes before the first element
};
/// Of a .npy file that begins so; none when more of it is needed. Throws Error(kBadData).
std::optional<NpyHeader> npy_header(std::string_view begin, const std::string& name);
/// The content of a .npy file.
Tensor read_npy(const Buffer& file, const std::string& name);
/// The content of a .npz file: a zip of .npy members, stored or deflated.
Archive read_npz(const Buffer& file, const std::string& name);

/// Puts a tensor under its dotted or slashed name, making groups on the way. Throws Error(kBadData) for an
/// empty component, a NUL and for names that are both a tensor and a group.
void put_tensor(Archive& archive, std::string_view dotted, Tensor tensor, const std::string& file);

}  // namespace stream
