/// The network: a conditional 1-D U-Net over the positions of an action sequence, whose diffusion-step
/// encoder takes the step of every position.
///
/// C. Chi et al., Diffusion Policy, RSS 2023 (the U-Net with FiLM); S. H. Hoeg, Y. Du, O. Egeland, Streaming
/// Diffusion Policy, arXiv 2406.04806 (the step encoder).
#pragma once

#include "nn/blocks.hpp"
#include "stream/archive.hpp"

namespace stream::diffusion_policy {

struct DenoiserShape {
  std::int64_t horizon = 20;  ///< Tp; a multiple of 2^(levels-1)
  std::int64_t observed = 2;  ///< To, observations in the condition
  std::int64_t observation = 9, action = 2;
  std::int64_t noise_steps = 48;  ///< N
  std::int64_t step_code = 32;
  std::vector<std::int64_t> dims = {32, 64};  ///< channels of each level

  /// The first thing that cannot be, or empty.
  std::string fault() const;
  void save(Archive& about) const;
  /// Throws Error(kBadData) when it holds what cannot be.
  static DenoiserShape load(const Archive& about);
};

class ConvBlock;
class Level;

class Denoiser final : public torch::nn::Module {
 public:
  Denoiser(const DenoiserShape& shape, const at::Generator& generator);

  /// x: [B, Tp, Da]; steps: [B, Tp] int64, -1 for clean; observations: [B, To * Do], normalised.
  /// Returns the predicted noise, [B, Tp, Da].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& steps, const at::Tensor& observations) const;
  const DenoiserShape& shape() const { return shape_; }

 private:
  DenoiserShape shape_;
  at::Tensor codes_;  ///< [N+1, code]: sinusoids of k = -1 ... N-1
  std::shared_ptr<nn::Linear> code1_, code2_;
  std::vector<std::shared_ptr<Level>> down_, up_;
  std::shared_ptr<Level> middle_;
  std::shared_ptr<ConvBlock> final_;
  at::Tensor out_weight_, out_bias_;
};

}  // namespace stream::diffusion_policy
