#include "events/event_network.hpp"

#include <algorithm>
#include <map>

#include "nn/device.hpp"

namespace stream::events {

namespace {

std::vector<float> flat(const at::Tensor& tensor) {
  const at::Tensor t = tensor.detach().contiguous();
  return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()};
}

Affine affine(const at::Tensor& weight, const at::Tensor& bias) {
  return {static_cast<std::size_t>(weight.size(1)), static_cast<std::size_t>(weight.size(0)),
          flat(weight.t()), bias.defined() ? flat(bias) : std::vector<float>()};
}

at::Tensor long_tensor(const std::vector<std::int64_t>& values) { return torch::tensor(values, at::kLong); }

}  // namespace

Vipool::Vipool(std::int64_t in, std::int64_t embedded, const at::Generator& generator)
    : embed_(register_module("embed", std::make_shared<nn::Linear>(in, embedded, generator))),
      around_(register_module("around", std::make_shared<nn::Linear>(embedded, embedded, generator, false))),
      bilinear_(
          register_module("bilinear", std::make_shared<nn::Linear>(embedded, embedded, generator, false))),
      slope_(register_parameter("slope", torch::full({1}, 0.25))) {}

at::Tensor Vipool::embed(const at::Tensor& x) const { return at::prelu(embed_->forward(x), slope_); }

at::Tensor Vipool::logits(const at::Tensor& embedding, const at::Tensor& around) const {
  return (at::sigmoid(around_->forward(around)) * bilinear_->forward(embedding)).sum(-1);
}

at::Tensor Vipool::loss(const at::Tensor& embedding, const at::Tensor& around,
                        const at::Tensor& other) const {
  return (at::softplus(-logits(embedding, around)).mean() +
          at::softplus(logits(embedding.index_select(0, other), around)).mean()) /
         2;
}

at::Tensor Vipool::others(const at::Tensor& types, std::uint64_t seed) {
  const at::Tensor any = torch::randperm(types.size(0), nn::generator(seed), at::kLong);
  const at::Tensor places = std::get<1>(types.sort(true, 0, false)),
                   shuffled = std::get<1>(types.index_select(0, any).sort(true, 0, false));
  return torch::empty_like(any).index_copy_(0, places, any.index_select(0, shuffled));
}

VipoolMaps Vipool::maps() const {
  return {affine(embed_->weight, embed_->bias), slope_.item<float>(), affine(around_->weight, {}),
          affine(bilinear_->weight, {})};
}

EventRelations::EventRelations(std::int64_t inputs, std::int64_t hidden, std::int64_t embedded,
                               std::int64_t relations, std::int64_t bases, const at::Generator& generator)
    : layers{register_module("first", std::make_shared<RelationalConvolution>(inputs, hidden, relations,
                                                                              bases, generator)),
             register_module("second", std::make_shared<RelationalConvolution>(hidden, hidden, relations,
                                                                               bases, generator))},
      pool(register_module("pool", std::make_shared<Vipool>(inputs + hidden, embedded, generator))),
      relations_(relations) {}

at::Tensor EventRelations::convolved(const SceneTensors& piece) const {
  const at::Tensor norm = relation_norm(piece.typed, piece.relation, piece.inputs.size(0), relations_);
  at::Tensor h = piece.seen();
  for (const auto& layer : layers) h = at::relu(layer->forward(h, piece.typed, piece.relation, norm, {}));
  return h;
}

EventRows event_rows(std::span<const EventHierarchy::Level1Sample> samples, const SceneTensors& piece) {
  EventRows out;
  std::map<std::pair<std::int64_t, std::int32_t>, std::int64_t> places;
  std::vector<std::int64_t> rows, src, dst;
  std::vector<float> weights;
  for (const auto& sample : samples) {
    places[{sample.step, sample.entity}] = static_cast<std::int64_t>(rows.size());
    rows.push_back(piece.row(sample.step, sample.entity));
    out.affinity.push_back(sample.affinity);
  }
  for (const auto& sample : samples)
    for (const auto& neighbour : sample.neighbours) {
      src.push_back(places.at({neighbour.step, neighbour.entity}));
      dst.push_back(places.at({sample.step, sample.entity})), weights.push_back(neighbour.weight);
    }
  out.rows = long_tensor(rows), out.edges = {long_tensor(src), long_tensor(dst)};
  out.weights = torch::tensor(weights);
  return out;
}

void EventNetwork::write(EventModel& m) const {
  m.pool = {first->maps(), second->pool->maps()};
  for (std::size_t l = 0; l < 2; ++l) {
    const auto& layer = *second->layers[l];
    m.convolution[l].self = affine(layer.self->weight, layer.self->bias);
    m.convolution[l].relations.clear();
    const at::Tensor all = layer.matrices();
    for (std::int64_t r = 0; r < all.size(0); ++r) m.convolution[l].relations.push_back(affine(all[r], {}));
  }
}

}  // namespace stream::events
