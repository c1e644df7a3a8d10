#include "events/neural_hawkes.hpp"

namespace stream::events {

NeuralHawkes::NeuralHawkes(std::int64_t types, std::int64_t features, std::uint64_t seed)
    : features_(features) {
  const at::Generator g = nn::generator(seed);
  types_ = register_parameter("types", torch::randn({types, features}, g));
  gates_ = register_module("gates", std::make_shared<nn::Linear>(2 * features, 7 * features, g));
  intensity_ = register_module("intensity", std::make_shared<nn::Linear>(features, types, g));
}

at::Tensor NeuralHawkes::intensities(const TppBatch& batch, const at::Tensor& times) const {
  const std::int64_t b = batch.times.size(0), m = times.size(1), d = features_;
  const at::Tensor embedded = at::embedding(types_, batch.types);  // [B, n, d]
  const at::Tensor gaps = batch.times.diff(1, 1);                  // [B, n - 1]
  at::Tensor memory = torch::zeros({b, d}), target = memory, hidden = memory;
  std::vector<at::Tensor> memories, targets, decays, outputs;
  for (std::int64_t i = 0; i < m; ++i) {
    // Equations 5 and 6: the gates of the ordinary LSTM, those of the memory's target, the rate of decay.
    const auto gates = gates_->forward(at::cat({embedded.select(1, i), hidden}, -1)).split(d, -1);
    const at::Tensor in = gates[0].sigmoid(), forget = gates[1].sigmoid(), fresh = gates[2].tanh(),
                     out = gates[3].sigmoid(), in_target = gates[4].sigmoid(),
                     forget_target = gates[5].sigmoid(), decay = at::softplus(gates[6]);
    memory = forget * memory + in * fresh;
    target = forget_target * target + in_target * fresh;
    memories.push_back(memory), targets.push_back(target), decays.push_back(decay), outputs.push_back(out);
    // Equation 7: as it has become when the next event happens.
    memory = target + (memory - target) * (-decay * gaps.select(1, i).unsqueeze(-1)).exp();
    hidden = out * memory.tanh();
  }
  const auto rows = [](const std::vector<at::Tensor>& all) { return at::stack(all, 1).unsqueeze(2); };
  const at::Tensor to = rows(targets),
                   since = (times - batch.times.narrow(1, 0, m).unsqueeze(-1)).unsqueeze(-1);
  const at::Tensor c = to + (rows(memories) - to) * (-rows(decays) * since).exp();  // [B, m, S, d]
  return at::softplus(intensity_->forward(rows(outputs) * c.tanh())).clamp_min(1e-9);
}

}  // namespace stream::events
