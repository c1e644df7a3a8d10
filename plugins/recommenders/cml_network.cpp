#include "recommenders/cml_network.hpp"

namespace stream::recommenders {

CmlNetwork::CmlNetwork(CmlShape shape, const PurchaseHead& start, const at::Generator& g) : shape_(shape) {
  const std::int64_t d = shape_.features;
  if (shape_.deep) {
    inner_ = register_module("inner", std::make_shared<nn::Linear>(d, shape_.hidden, g));
    outer_ = register_module("outer", std::make_shared<nn::Linear>(shape_.hidden, d, g));
    const torch::NoGradGuard no_grad;
    // The tower starts where the plots lie.
    outer_->weight.zero_();
  } else {
    matrix_ = register_parameter("matrix", torch::eye(d));
  }
  const auto number = [](double value) { return torch::full({1}, value, at::kFloat); };
  intercept_ = register_parameter("intercept", number(start.intercept));
  scale_ = register_parameter("scale", number(start.scale));
  habits_ = register_parameter("habits", at::cat({number(start.frequency), number(start.recency)}));
  std::vector<float> covariates(start.covariates.begin(), start.covariates.end());
  covariates.resize(static_cast<std::size_t>(shape_.covariates));
  covariates_ = register_parameter("covariates", torch::tensor(covariates));
  offsets_ = register_parameter("offsets", torch::zeros({shape_.films}));
  // e^4.6 = 100 days.
  if (shape_.ageing) log_tau_ = register_parameter("log_tau", torch::full({1}, 4.6));
}

at::Tensor CmlNetwork::on_sphere(const at::Tensor& x) const {
  // A customer without tickets has no direction: it stays nothing.
  return x / x.norm(2, -1, true).clamp_min(1e-12);
}

at::Tensor CmlNetwork::films(const at::Tensor& x, const at::Generator* dropout) const {
  if (!shape_.deep) return on_sphere(at::matmul(x, matrix_.t()));
  at::Tensor h = inner_->forward(x).relu();
  if (dropout && shape_.dropout > 0) {
    const double keep = 1 - shape_.dropout;
    h = h * torch::empty_like(h).bernoulli_(keep, *dropout) / keep;
  }
  return on_sphere(x + outer_->forward(h));
}

at::Tensor CmlNetwork::customers(const CmlBatch& batch, const at::Tensor& z) const {
  nn::Optional<at::Tensor> weights;
  if (shape_.ageing) weights = (-batch.ages * (-log_tau_).exp()).exp();
  return on_sphere(
      std::get<0>(at::embedding_bag(z, batch.history, batch.starts, false, 0, false, weights, false)));
}

at::Tensor CmlNetwork::logits(const CmlBatch& batch, const at::Tensor& u, const at::Tensor& z) const {
  const at::Tensor distance = (u - at::embedding(z, batch.film)).square().sum(-1);
  at::Tensor sum = intercept_ - scale_ * distance + at::mv(batch.habits, habits_);
  if (shape_.covariates > 0) sum = sum + at::mv(batch.covariates, covariates_);
  return sum;
}

at::Tensor push_pull(const at::Tensor& positive, const at::Tensor& negative, double margin, double films) {
  const at::Tensor inside = (margin + positive.unsqueeze(-1) - negative) > 0;
  const double samples = static_cast<double>(negative.size(-1));
  const at::Tensor weight = (inside.sum(-1).to(at::kFloat) * (films / samples)).floor().log1p();
  return (weight * (margin + positive - std::get<0>(negative.min(-1))).relu()).mean();
}

at::Tensor covariance_term(const at::Tensor& z) {
  const auto rows = static_cast<double>(z.size(0));
  const at::Tensor centred = z - z.mean(0, true);
  const at::Tensor c = at::matmul(centred.t(), centred) / rows;
  return (c.norm() - c.diagonal().square().sum()) / rows;
}

at::Tensor CmlNetwork::loss(const CmlBatch& batch, const CmlLoss& w, const at::Generator* dropout) const {
  const at::Tensor z = films(batch.x, dropout);
  const at::Tensor u = customers(batch, z);
  const at::Tensor offset = offsets_.index_select(0, batch.number);
  at::Tensor sum = at::binary_cross_entropy_with_logits(logits(batch, u, z) + offset, batch.bought) +
                   w.offset * offset.square().mean();
  if (w.push_pull > 0 && batch.bought_rows.numel() > 0) {
    const at::Tensor of = u.index_select(0, batch.bought_rows);
    const at::Tensor seen = at::embedding(z, batch.film.index_select(0, batch.bought_rows));
    const at::Tensor positive = (of - seen).square().sum(-1);
    const at::Tensor negative = (of.unsqueeze(1) - at::embedding(z, batch.others)).square().sum(-1);
    sum = sum + w.push_pull * push_pull(positive, negative, w.margin, w.films);
  }
  if (w.covariance > 0) sum = sum + w.covariance * covariance_term(z);
  return sum;
}

namespace {

std::vector<float> flat(const at::Tensor& t) {
  const at::Tensor whole = t.detach().contiguous();
  return {whole.data_ptr<float>(), whole.data_ptr<float>() + whole.numel()};
}

}  // namespace

FilmTower CmlNetwork::tower() const {
  FilmTower out;
  out.features = static_cast<std::size_t>(shape_.features);
  out.kind = shape_.deep ? FilmTower::Kind::kDeep : FilmTower::Kind::kLinear;
  if (!shape_.deep) {
    out.first = flat(matrix_);
    return out;
  }
  out.hidden = static_cast<std::size_t>(shape_.hidden);
  out.first = flat(inner_->weight), out.first_bias = flat(inner_->bias);
  out.second = flat(outer_->weight), out.second_bias = flat(outer_->bias);
  return out;
}

PurchaseHead CmlNetwork::head() const {
  PurchaseHead out;
  out.intercept = intercept_.item<double>();
  out.scale = scale_.item<double>();
  const auto habits = flat(habits_), covariates = flat(covariates_);
  out.frequency = static_cast<double>(habits[0]), out.recency = static_cast<double>(habits[1]);
  out.covariates.assign(covariates.begin(), covariates.end());
  out.tau = shape_.ageing ? std::exp(log_tau_.item<double>()) * kSecondsOfDay : 0;
  return out;
}

}  // namespace stream::recommenders
