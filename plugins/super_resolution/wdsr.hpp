/// WDSR as it is trained: weight norm on every convolution, and CaFM's modulation for one of several chunks.
#pragma once

#include "nn/torch.hpp"
#include "stream/archive.hpp"
#include "super_resolution/network.hpp"

namespace stream::super_resolution {

/// w = g v / |v|, the norm over all but the output channels (Salimans and Kingma 2016).
class NormedConvolution : public torch::nn::Module {
 public:
  /// `chunks` > 0: for each chunk a factor and a shift of every output channel, at 1 and 0 to begin with.
  NormedConvolution(WdsrShape::Layer layer, double gain, std::int64_t chunks, const at::Generator& generator);
  at::Tensor forward(const at::Tensor& x, std::int64_t chunk) const;
  /// Weights and bias with everything folded in.
  std::pair<at::Tensor, at::Tensor> folded(std::int64_t chunk) const;
  at::Tensor weight_v, weight_g, bias;  ///< [out, in, k, k], [out, 1, 1, 1], [out]
  at::Tensor factor, shift;             ///< [chunks, out], or not defined
};

class Wdsr : public torch::nn::Module {
 public:
  Wdsr(WdsrShape shape, const at::Generator& generator, std::int64_t chunks = 0);
  const WdsrShape& shape() const { return shape_; }
  /// x: RGB in 0 to 1, [n, 3, h, w]; returns [n, 3, s h, s w], not clamped. `chunk` counts where there is
  /// modulation.
  at::Tensor forward(const at::Tensor& x, std::int64_t chunk = 0) const;
  Weights folded(std::int64_t chunk = 0) const;
  /// Parameters of the modulation of one chunk; 0 without.
  std::int64_t modulation() const;

 private:
  WdsrShape shape_;
  std::vector<std::shared_ptr<NormedConvolution>> layers_;  ///< in WdsrShape::layer's order
  std::int64_t chunks_;
};

/// In the layout and with the names of STDO's published checkpoints: body.0.weight_v, body.1.body.0.weight_g,
/// ..., skip.0.bias.
void save_wdsr(const std::string& path, const Wdsr& network);
/// Such a file, ours or what `stream import` made of a published checkpoint (as safetensors). The shape is
/// read off the tensors. Throws Error(kBadData) that names the tensor that is missing or has another shape.
std::shared_ptr<Wdsr> load_wdsr(const std::string& path);
/// The same from tensors by their dotted names.
std::shared_ptr<Wdsr> wdsr_of(const Archive& tensors, const std::string& name);
/// A network of `features` channels that computes what `from` does: its further channels are drawn at random,
/// and count for nothing until they are trained (Chen, Goodfellow and Shlens, "Net2Net", ICLR 2016).
/// Precondition: no fewer channels, no modulation.
std::shared_ptr<Wdsr> widened(const Wdsr& from, int features, const at::Generator& generator);
/// A copy without modulation.
std::shared_ptr<Wdsr> copy_of(const Wdsr& network);
/// Copies head to skip from one of the same shape; modulation stays.
void assign(Wdsr& to, const Wdsr& from);

}  // namespace stream::super_resolution
