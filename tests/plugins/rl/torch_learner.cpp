#include "torch_learner.hpp"

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "nn/torch.hpp"

namespace stream::rl {

namespace {
torch::Tensor tensor_of(std::span<const double> x) {
  return torch::from_blob(const_cast<double*>(x.data()), {static_cast<std::int64_t>(x.size())},
                          torch::kFloat64)
      .clone();
}
}  // namespace

struct TorchLearner::Parts {
  Network::Shape shape;
  double rate, kappa;
  torch::nn::Conv2d conv{nullptr};
  std::vector<torch::nn::Linear> linear;
  std::vector<torch::Tensor> parameters, traces;

  torch::Tensor normalised(torch::Tensor x) const {
    if (shape.layer_norm) x = torch::layer_norm(x, x.sizes().slice(1), {}, {}, 1e-5);
    return torch::leaky_relu(x, 0.01);
  }
  torch::Tensor forward(torch::Tensor x) {
    if (shape.filters > 0) {
      const Grid& g = shape.grid;
      x = x.view({1, static_cast<std::int64_t>(g.rows), static_cast<std::int64_t>(g.columns),
                  static_cast<std::int64_t>(g.channels)})
              .permute({0, 3, 1, 2});
      // Back to channel last, which is the order that Network gives its inputs.
      x = normalised(conv(x)).permute({0, 2, 3, 1}).flatten(1);
    } else {
      x = x.unsqueeze(0);
    }
    for (std::size_t l = 0; l + 1 < linear.size(); ++l) x = normalised(linear[l](x));
    return linear.back()(x).squeeze(0);
  }
};

TorchLearner::TorchLearner(const Network::Shape& shape, double rate, double kappa)
    : parts_(new Parts{shape, rate, kappa, nullptr, {}, {}, {}}) {
  std::size_t width = shape.inputs;
  const auto add = [&](torch::nn::Module& module) {
    module.to(torch::kFloat64);
    for (const auto& p : module.parameters()) parts_->parameters.push_back(p);
  };
  if (shape.filters > 0) {
    parts_->conv = torch::nn::Conv2d(torch::nn::Conv2dOptions(static_cast<std::int64_t>(shape.grid.channels),
                                                              static_cast<std::int64_t>(shape.filters), 3));
    add(*parts_->conv);
    width = (shape.grid.rows - 2) * (shape.grid.columns - 2) * shape.filters;
  }
  std::vector<std::size_t> widths = shape.hidden;
  widths.push_back(shape.outputs);
  for (const std::size_t out : widths) {
    parts_->linear.emplace_back(static_cast<std::int64_t>(width), static_cast<std::int64_t>(out));
    add(*parts_->linear.back());
    width = out;
  }
  for (const auto& p : parts_->parameters) parts_->traces.push_back(torch::zeros_like(p));
}
TorchLearner::~TorchLearner() = default;

namespace {
/// visit(parameter as a flat accessor's reference, index into the Network's parameters) for all.
template <typename Visit>
void visit_all(const Network& network, std::vector<torch::Tensor>& parameters, const Visit& visit) {
  const torch::NoGradGuard no_grad;
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    torch::Tensor &weight = parameters[2 * layer], &bias = parameters[2 * layer + 1];
    const bool conv = weight.dim() == 4;
    double *const w = weight.data_ptr<double>(), *const b = bias.data_ptr<double>();
    const std::size_t n = network.fan_in(layer);
    for (std::size_t out = 0; out < network.units(layer); ++out) {
      for (std::size_t in = 0; in < n; ++in) {
        // [out][channel][row][column] there; row, column, channel here.
        const std::size_t channels = n / 9;
        const std::size_t at = conv && channels > 0 ? in % channels * 9 + in / channels : in;
        visit(w[out * n + at], network.index(layer, out, in));
      }
      visit(b[out], network.index(layer, out, n));
    }
  }
}
}  // namespace

void TorchLearner::copy(const Network& network, std::span<const double> parameters) {
  visit_all(network, parts_->parameters, [&](double& there, std::size_t here) { there = parameters[here]; });
}

double TorchLearner::difference(const Network& network, std::span<const double> parameters) const {
  double most = 0;
  visit_all(network, parts_->parameters, [&](double& there, std::size_t here) {
    most = std::max(most, std::abs(there - parameters[here]));
  });
  return most;
}

std::vector<double> TorchLearner::outputs(std::span<const double> x) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor y = parts_->forward(tensor_of(x));
  return {y.data_ptr<double>(), y.data_ptr<double>() + y.numel()};
}

void TorchLearner::learn(std::span<const double> x, std::size_t output, double decay, bool reset,
                         const std::function<double(double)>& td_error) {
  Parts& p = *parts_;
  for (auto& parameter : p.parameters) parameter.mutable_grad().reset();
  const torch::Tensor value = p.forward(tensor_of(x))[static_cast<std::int64_t>(output)];
  const double delta = td_error(value.item<double>());
  value.backward();
  const torch::NoGradGuard no_grad;
  double norm = 0;
  for (std::size_t i = 0; i < p.traces.size(); ++i) {
    p.traces[i].mul_(decay).add_(p.parameters[i].grad());
    norm += p.traces[i].abs().sum().item<double>();
  }
  const double bound = p.rate * p.kappa * std::max(std::abs(delta), 1.0) * norm;
  const double step = p.rate / std::max(bound, 1.0);
  for (std::size_t i = 0; i < p.traces.size(); ++i) {
    p.parameters[i].add_(p.traces[i], step * delta);
    if (reset) p.traces[i].zero_();
  }
}

}  // namespace stream::rl
