#include "events/relational.hpp"

namespace stream::events {

namespace {

/// One pass over the edges instead of a gather and a scatter of [E, B, d].
class GatherMessages : public torch::autograd::Function<GatherMessages> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& h_,
                            const at::Tensor& c_, const at::Tensor& src, const at::Tensor& dst) {
    const at::Tensor h = h_.contiguous(), c = c_.contiguous();
    context->save_for_backward({h, c, src, dst});
    const std::int64_t n = h.size(0), bases = h.size(1), d = h.size(2), edges = src.size(0);
    at::Tensor out = torch::zeros({n, d}, h.options());
    const auto *from = src.data_ptr<std::int64_t>(), *to = dst.data_ptr<std::int64_t>();
    const float *values = h.data_ptr<float>(), *weights = c.data_ptr<float>();
    auto* sums = out.data_ptr<float>();
    for (std::int64_t e = 0; e < edges; ++e) {
      float* sum = sums + to[e] * d;
      const float* row = values + from[e] * bases * d;
      for (std::int64_t b = 0; b < bases; ++b, row += d) {
        const float w = weights[e * bases + b];
        for (std::int64_t i = 0; i < d; ++i) sum[i] += w * row[i];
      }
    }
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &h = saved[0], &c = saved[1], &src = saved[2], &dst = saved[3];
    const at::Tensor g = gradients[0].contiguous();
    const std::int64_t bases = h.size(1), d = h.size(2), edges = src.size(0);
    at::Tensor of_h = torch::zeros_like(h), of_c = torch::empty_like(c);
    const auto *from = src.data_ptr<std::int64_t>(), *to = dst.data_ptr<std::int64_t>();
    const float *values = h.data_ptr<float>(), *weights = c.data_ptr<float>(), *up = g.data_ptr<float>();
    auto *sums = of_h.data_ptr<float>(), *products = of_c.data_ptr<float>();
    for (std::int64_t e = 0; e < edges; ++e) {
      const float* incoming = up + to[e] * d;
      const float* row = values + from[e] * bases * d;
      float* sum = sums + from[e] * bases * d;
      for (std::int64_t b = 0; b < bases; ++b, row += d, sum += d) {
        const float w = weights[e * bases + b];
        float lanes[8] = {};
        std::int64_t i = 0;
        for (; i + 8 <= d; i += 8)
          for (std::int64_t k = 0; k < 8; ++k) {
            sum[i + k] += w * incoming[i + k];
            lanes[k] += incoming[i + k] * row[i + k];
          }
        for (; i < d; ++i) {
          sum[i] += w * incoming[i];
          lanes[0] += incoming[i] * row[i];
        }
        float product = 0;
        for (const float lane : lanes) product += lane;
        products[e * bases + b] = product;
      }
    }
    return {of_h, of_c, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor gather_messages(const at::Tensor& h, const at::Tensor& c, const EdgeList& edges) {
  return GatherMessages::apply(h, c, edges.src, edges.dst);
}

RelationalConvolution::RelationalConvolution(std::int64_t in, std::int64_t out, std::int64_t relations,
                                             std::int64_t count, const at::Generator& generator)
    : self(register_module("self", std::make_shared<nn::Linear>(in, out, generator))),
      bases(register_parameter("bases", nn::uniform_init({in, count * out}, in, generator))),
      coefficients(
          register_parameter("coefficients", torch::empty({relations, count}).normal_(0, 0.7, generator))),
      slopes(register_parameter("slopes", torch::zeros({relations, count}))) {}

at::Tensor RelationalConvolution::forward(const at::Tensor& h, const EdgeList& edges,
                                          const at::Tensor& relation, const at::Tensor& norm,
                                          const at::Tensor& distance) const {
  at::Tensor c = coefficients.index_select(0, relation);
  if (distance.defined()) c = c + slopes.index_select(0, relation) * distance.unsqueeze(1);
  const std::int64_t count = coefficients.size(1);
  const at::Tensor images = at::matmul(h, bases).view({h.size(0), count, -1});
  return self->forward(h) + gather_messages(images, c * norm.unsqueeze(1), edges);
}

at::Tensor RelationalConvolution::matrices() const {
  const std::int64_t in = bases.size(0), count = coefficients.size(1), out = bases.size(1) / count;
  return at::einsum("rb,ibo->roi", {coefficients, bases.view({in, count, out})}).contiguous();
}

at::Tensor relation_norm(const EdgeList& edges, const at::Tensor& relation, std::int64_t nodes,
                         std::int64_t relations) {
  const at::Tensor slot = edges.dst * relations + relation;
  const at::Tensor counts =
      torch::zeros({nodes * relations}).index_add_(0, slot, torch::ones({slot.size(0)}));
  return counts.index_select(0, slot).reciprocal();
}

}  // namespace stream::events
