#include "recommenders/pisa_network.hpp"

namespace stream::recommenders {

namespace {

constexpr double kNetworkEpsilon = 1e-8;

/// x / |x| over the last axis; zeros stay zeros.
at::Tensor normalised(const at::Tensor& x) { return x / x.norm(2, -1, true).clamp_min(1e-12); }

at::Tensor norm(const nn::LayerNorm& layer, const at::Tensor& x) {
  return at::layer_norm(x, {layer.weight.size(0)}, layer.weight, layer.bias, 1e-6);
}

/// Mean over the slots that hold something of -ln sigmoid(<v, p> - <v, n>).
at::Tensor bpr(const at::Tensor& v, const at::Tensor& positive, const at::Tensor& negative,
               const at::Tensor& there) {
  const at::Tensor margin = (v.unsqueeze(-2) * (positive - negative)).sum(-1);
  return (at::softplus(-margin) * there).sum() / there.sum().clamp_min(1);
}

}  // namespace

SasrecBlock::SasrecBlock(std::int64_t d, std::int64_t heads, const at::Generator& g) : heads_(heads) {
  query_norm_ = register_module("query_norm", std::make_shared<nn::LayerNorm>(d));
  query_ = register_module("query", std::make_shared<nn::Linear>(d, d, g));
  key_ = register_module("key", std::make_shared<nn::Linear>(d, d, g));
  value_ = register_module("value", std::make_shared<nn::Linear>(d, d, g));
  forward_norm_ = register_module("forward_norm", std::make_shared<nn::LayerNorm>(d));
  inner_ = register_module("inner", std::make_shared<nn::Linear>(d, d, g));
  outer_ = register_module("outer", std::make_shared<nn::Linear>(d, d, g));
}

at::Tensor SasrecBlock::forward(const at::Tensor& x, const at::Tensor& mask) const {
  const auto batch = x.size(0), length = x.size(1), d = x.size(2);
  const auto split = [&](const at::Tensor& y) {
    return y.view({batch, length, heads_, d / heads_}).transpose(1, 2);
  };
  const at::Tensor queries = norm(*query_norm_, x);
  const at::Tensor q = split(query_->forward(queries)), k = split(key_->forward(x)),
                   v = split(value_->forward(x));
  const auto width = d / heads_;
  at::Tensor scores = at::matmul(q, k.transpose(-1, -2)) / std::sqrt(static_cast<double>(width));
  const at::Tensor future = at::ones({length, length}, at::kBool).triu(1);
  const at::Tensor hidden = future.unsqueeze(0) | (mask.squeeze(-1) == 0).unsqueeze(1);  // [B, L, L]
  scores = scores.masked_fill(hidden.unsqueeze(1), -1e9);
  const at::Tensor attended =
      at::matmul(scores.softmax(-1), v).transpose(1, 2).reshape({batch, length, d}) + queries;
  const at::Tensor y = norm(*forward_norm_, attended);
  return (outer_->forward(at::relu(inner_->forward(y))) + y) * mask;
}

PisaNetwork::PisaNetwork(PisaShape shape, const at::Generator& g) : shape_(shape) {
  const auto d = shape_.features;
  start_ = register_buffer("item_start",
                           torch::randn({shape_.items + 1, d}, g) / std::sqrt(static_cast<double>(d)));
  moved_ = register_parameter("item_moved", torch::zeros({shape_.items + 1, d}));
  activation_weights = register_parameter("activation_weights", torch::full({3}, 0.1));
  positions_ = register_parameter("positions", torch::randn({shape_.length, d}, g) * 0.02);
  for (std::int64_t b = 0; b < shape_.blocks; ++b)
    blocks_.push_back(
        register_module("block" + std::to_string(b), std::make_shared<SasrecBlock>(d, shape_.heads, g)));
  fusion_ = register_module("fusion", std::make_shared<nn::Linear>(2 * d, 2, g));
}

at::Tensor PisaNetwork::vectors_of(const at::Tensor& items) const {
  return (at::embedding(start_, items) + shape_.item_rate * at::embedding(moved_, items)) *
         (items != 0).unsqueeze(-1);
}

void PisaNetwork::start_at(const at::Tensor& vectors) {
  const torch::NoGradGuard no_grad;
  start_.copy_(vectors);
}

void SasrecNetwork::start_at(const at::Tensor& vectors) {
  const torch::NoGradGuard no_grad;
  start_.copy_(vectors);
}

at::Tensor PisaNetwork::slot_weights(const at::Tensor& items, const at::Tensor& before,
                                     const at::Tensor& base, const at::Tensor& spreading) const {
  const at::Tensor there = (items != 0).to(at::kFloat);
  if (!shape_.activations) return there / there.sum(-1, true).clamp_min(1);
  const at::Tensor m = vectors_of(items), previous = vectors_of(before);
  const at::Tensor matching = (m * (previous.sum(-2, true) - previous)).sum(-1);
  const at::Tensor parts = at::relu(at::stack({base, spreading, matching}, -1)) + kNetworkEpsilon;
  const at::Tensor a =
      (parts * (at::relu(activation_weights) + kNetworkEpsilon)).sum(-1).relu() + kNetworkEpsilon;
  // Padding is left out where the published code gives it a tiny weight: its vector is zero in both.
  const at::Tensor flat = a.sqrt() * there;
  return flat / flat.sum(-1, true).clamp_min(kNetworkEpsilon);
}

at::Tensor PisaNetwork::session_vectors(const at::Tensor& items, const at::Tensor& before,
                                        const at::Tensor& base, const at::Tensor& spreading) const {
  return (slot_weights(items, before, base, spreading).unsqueeze(-1) * vectors_of(items)).sum(-2);
}

PisaNetwork::Vectors PisaNetwork::forward(const PisaBatch& batch) const {
  const at::Tensor mask = (batch.items != 0).any(-1, true).to(at::kFloat);
  const at::Tensor before =
      at::cat({batch.items.narrow(1, 0, 1), batch.items.narrow(1, 0, batch.items.size(1) - 1)}, 1);
  const at::Tensor sessions = session_vectors(batch.items, before, batch.base, batch.spreading);
  at::Tensor x = (sessions * std::sqrt(static_cast<double>(shape_.features)) + positions_) * mask;
  for (const auto& block : blocks_) x = block->forward(x, mask);
  const at::Tensor st = normalised(x);
  const at::Tensor lt = normalised((batch.long_weights.unsqueeze(-1) * vectors_of(batch.long_items)).sum(-2));
  const at::Tensor along = lt.unsqueeze(1).expand_as(st);
  const at::Tensor gates = fusion_->forward(at::cat({along, st}, -1)).softmax(-1);
  const at::Tensor u = gates.narrow(-1, 0, 1) * along + gates.narrow(-1, 1, 1) * st + sessions;
  return {normalised(u), lt};
}

at::Tensor PisaNetwork::loss(const PisaBatch& batch, const PisaLoss& w) const {
  const Vectors out = forward(batch);
  const at::Tensor p = vectors_of(batch.target_items), n = vectors_of(batch.negatives);
  const at::Tensor mask = (batch.items != 0).any(-1).to(at::kFloat);
  const at::Tensor there = (batch.target_items != 0).to(at::kFloat) * mask.unsqueeze(-1);
  const at::Tensor y =
      normalised(session_vectors(batch.target_items, batch.items, batch.target_base, batch.target_spreading));
  const at::Tensor task = w.positive * bpr(y, p, n, there) + (1 - w.positive) * bpr(out.user, p, n, there) +
                          w.long_term * bpr(out.long_term.unsqueeze(1), p, n, there);
  const at::Tensor apart = ((1 - (out.user * y).sum(-1)) * mask).sum() / mask.sum().clamp_min(1);
  return w.task * task + (1 - w.task) * apart;
}

SasrecNetwork::SasrecNetwork(std::int64_t items, std::int64_t d, std::int64_t length, std::int64_t blocks,
                             std::int64_t heads, double item_rate, const at::Generator& g)
    : item_rate_(item_rate) {
  start_ = register_buffer("item_start", torch::randn({items + 1, d}, g) / std::sqrt(static_cast<double>(d)));
  moved_ = register_parameter("item_moved", torch::zeros({items + 1, d}));
  positions_ = register_parameter("positions", torch::randn({length, d}, g) * 0.02);
  for (std::int64_t b = 0; b < blocks; ++b)
    blocks_.push_back(
        register_module("block" + std::to_string(b), std::make_shared<SasrecBlock>(d, heads, g)));
  norm_ = register_module("norm", std::make_shared<nn::LayerNorm>(d));
}

at::Tensor SasrecNetwork::forward(const at::Tensor& sequence) const {
  const at::Tensor mask = (sequence != 0).unsqueeze(-1).to(at::kFloat);
  const auto d = static_cast<double>(start_.size(1));
  at::Tensor x = (at::embedding(item_vectors(), sequence) * std::sqrt(d) + positions_) * mask;
  for (const auto& block : blocks_) x = block->forward(x, mask);
  return norm(*norm_, x);
}

at::Tensor SasrecNetwork::loss(const at::Tensor& sequence, const at::Tensor& targets,
                               const at::Tensor& negatives) const {
  const at::Tensor x = forward(sequence);
  const at::Tensor there = (targets != 0).to(at::kFloat) * (sequence != 0).to(at::kFloat);
  const at::Tensor items = item_vectors();
  const at::Tensor positive = (x * at::embedding(items, targets)).sum(-1),
                   negative = (x * at::embedding(items, negatives)).sum(-1);
  return ((at::softplus(-positive) + at::softplus(negative)) * there).sum() / there.sum().clamp_min(1);
}

}  // namespace stream::recommenders
