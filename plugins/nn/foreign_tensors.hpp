/// Tensors of a checkpoint that others have trained, as `stream import` writes them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "nn/torch.hpp"
#include "stream/archive.hpp"

namespace stream::nn {

class ForeignTensors {
 public:
  /// Names are those of the checkpoint, dots and all; what all names begin with may be one of `prefixes`,
  /// which is cut off then. Throws Error(kNoInput) or Error(kBadData) that name the file.
  explicit ForeignTensors(const std::string& path, std::initializer_list<std::string_view> prefixes = {});
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// As float32, of any shape. Throws Error(kBadData) that names file and tensor, with the nearest name, when
  /// it is missing, not of floating point or not finite.
  at::Tensor get(const std::string& name) const;
  /// The same of that shape.
  at::Tensor get(const std::string& name, at::IntArrayRef shape) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace stream::nn
