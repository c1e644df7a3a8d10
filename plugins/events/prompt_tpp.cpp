#include "events/prompt_tpp.hpp"

namespace stream::events {

namespace {

/// Gamma(1/2) variates: half the square of a normal one.
std::vector<float> dirichlet(std::size_t n, Random& random) {
  std::vector<float> out(n);
  float sum = 0;
  for (float& v : out) {
    const double z = random.normal();
    sum += v = static_cast<float>(z * z / 2);
  }
  for (float& v : out) v /= sum;
  return out;
}

at::Tensor normalised(const at::Tensor& x) { return x / x.norm(2, -1, true).clamp_min(1e-9); }

}  // namespace

TppBatch batch_of(std::span<const Sequence> sequences) {
  const auto b = static_cast<std::int64_t>(sequences.size()),
             n = static_cast<std::int64_t>(sequences[0].size());
  TppBatch batch{torch::empty({b, n}), torch::empty({b, n}, at::kLong)};
  auto* times = batch.times.data_ptr<float>();
  auto* types = batch.types.data_ptr<std::int64_t>();
  for (const Sequence& s : sequences)
    for (const TypedEvent& e : s) *times++ = static_cast<float>(e.time), *types++ = e.type;
  return batch;
}

PromptTpp::PromptTpp(TppShape shape, std::uint64_t seed) : shape_(shape) {
  const at::Generator g = nn::generator(seed);
  const auto row = shape_.row(), d = shape_.type_features;
  types_ = register_parameter("types", torch::randn({shape_.types, d}, g));
  for (std::int64_t h = 0; h < shape_.heads; ++h) {
    const std::string head = std::to_string(h);
    query_.push_back(register_module("query" + head, std::make_shared<nn::Linear>(row, d, g)));
    key_.push_back(register_module("key" + head, std::make_shared<nn::Linear>(row, d, g)));
    value_.push_back(register_module("value" + head, std::make_shared<nn::Linear>(row, d, g)));
  }
  intensity_ = register_module("intensity", std::make_shared<nn::Linear>(shape_.heads * d, shape_.types, g));
  const torch::NoGradGuard no_grad;
  const at::Tensor start = types_.tanh();
  frozen_ = register_buffer("frozen", (start - start.mean(0, true)).clone());
  prompts = torch::empty({shape_.pools(), shape_.prompts, shape_.prompt_rows, d}).uniform_(-1, 1, g);
  // A key starts as the query of a random histogram of types: keys outside of the queries' span never win.
  Random random(seed);
  std::vector<float> histograms;
  for (std::int64_t i = 0; i < shape_.pools() * shape_.prompts; ++i) {
    const auto one = dirichlet(static_cast<std::size_t>(shape_.types), random);
    histograms.insert(histograms.end(), one.begin(), one.end());
  }
  const at::Tensor h = torch::tensor(histograms).view({shape_.pools(), shape_.prompts, shape_.types});
  keys = normalised(at::matmul(h, frozen_));
}

at::Tensor PromptTpp::time_code(const at::Tensor& t) const {
  const auto half = shape_.time_features / 2;
  const at::Tensor w = torch::exp(torch::arange(half) *
                                  (-2.0 * std::log(10000.0) / static_cast<double>(shape_.time_features)));
  const at::Tensor angle = t.unsqueeze(-1) * w;
  return at::stack({angle.sin(), angle.cos()}, -1).flatten(-2);
}

PromptTpp::Context PromptTpp::context(const TppBatch& batch) const {
  const torch::NoGradGuard no_grad;
  const auto n = batch.times.size(1);
  const at::Tensor first = torch::arange(0, n - 1, shape_.block);  // of each block
  const at::Tensor counts = torch::arange(1, n + 1).to(at::kFloat);
  const at::Tensor mean = at::embedding(frozen_, batch.types).cumsum(1) / counts.unsqueeze(-1);
  const at::Tensor gap = batch.times / (counts - 1).clamp_min(1);
  return {mean.index_select(1, first), gap.index_select(1, first)};
}

at::Tensor PromptTpp::choose(const Context& context, Random& random) const {
  const torch::NoGradGuard no_grad;
  const auto b = context.query.size(0), blocks = context.query.size(1);
  if (shape_.retrieval == Retrieval::kRandom) {
    std::vector<std::int64_t> drawn(static_cast<std::size_t>(shape_.pools() * b * blocks));
    for (auto& v : drawn)
      v = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(shape_.prompts)));
    return torch::tensor(drawn, at::kLong).view({shape_.pools(), b, blocks});
  }
  const at::Tensor q = normalised(context.query).view({1, b * blocks, -1});
  return at::matmul(q, normalised(keys).transpose(1, 2)).argmax(-1).view({shape_.pools(), b, blocks});
}

at::Tensor PromptTpp::choose_for_all(const at::Tensor& chosen) const {
  at::Tensor out = chosen.clone();
  for (std::int64_t p = 0; p < chosen.size(0); ++p) {
    const at::Tensor counts = at::bincount(chosen[p].flatten(), {}, shape_.prompts);
    out[p].fill_(counts.argmax().item<std::int64_t>());
  }
  return out;
}

at::Tensor PromptTpp::intensities(const TppBatch& batch, const Context& context, const at::Tensor& chosen,
                                  std::int64_t points) const {
  return intensities_at(batch, context, chosen, points_of(batch, points));
}

at::Tensor PromptTpp::points_of(const TppBatch& batch, std::int64_t points) {
  const auto m = batch.times.size(1) - 1;
  const at::Tensor left = batch.times.narrow(1, 0, m), gaps = batch.times.narrow(1, 1, m) - left;
  return left.unsqueeze(-1) + gaps.unsqueeze(-1) * torch::linspace(0, 1, points);
}

at::Tensor PromptTpp::intensities_at(const TppBatch& batch, const Context& context, const at::Tensor& chosen,
                                     const at::Tensor& at_times) const {
  const auto b = batch.times.size(0), n = batch.times.size(1), d = shape_.type_features, m = n - 1,
             points = at_times.size(2);
  const at::Tensor events = at::cat({at::embedding(types_, batch.types).tanh(), time_code(batch.times)}, -1);
  const at::Tensor queries = at::cat({torch::zeros({b, m, points, d}), time_code(at_times)}, -1);
  // Row i of the intervals sees events 0..i and none later.
  const at::Tensor hidden = torch::ones({m, n}, at::kBool).triu(1).view({1, m, 1, n});
  const double scale = 1 / std::sqrt(static_cast<double>(d));
  const at::Tensor block = torch::arange(m).div(shape_.block, "floor");  // of each interval
  std::vector<at::Tensor> heads;
  for (std::int64_t h = 0; h < shape_.heads; ++h) {
    const auto at_head = static_cast<std::size_t>(h);
    const at::Tensor q = query_[at_head]->forward(queries) * scale;  // [B, m, S, d]
    const at::Tensor k = key_[at_head]->forward(events), v = value_[at_head]->forward(events);
    const at::Tensor own_k = key_[at_head]->forward(queries), own_v = value_[at_head]->forward(queries);
    std::vector<at::Tensor> scores{at::matmul(q.view({b, m * points, d}), k.transpose(1, 2))
                                       .view({b, m, points, n})
                                       .masked_fill(hidden, -1e9),
                                   (q * own_k).sum(-1, true)};
    at::Tensor prompt_values;
    if (shape_.retrieval != Retrieval::kNone) {
      const at::Tensor code = time_code(context.gap).unsqueeze(2).expand({-1, -1, shape_.prompt_rows, -1});
      const auto rows_of = [&](std::int64_t pool) {  // [B, blocks, rows, d + time]
        const at::Tensor picked = prompts[pool].index_select(0, chosen[pool].flatten());
        return at::cat({picked.view({b, chosen.size(2), shape_.prompt_rows, d}), code}, -1);
      };
      const at::Tensor pk = key_[at_head]->forward(rows_of(2 * h)).index_select(1, block);  // [B, m, rows, d]
      prompt_values = value_[at_head]->forward(rows_of(2 * h + 1)).index_select(1, block);
      scores.push_back(at::matmul(q, pk.transpose(-1, -2)));
    }
    const at::Tensor weights = at::cat(scores, -1).softmax(-1);
    at::Tensor attended =
        at::matmul(weights.narrow(-1, 0, n).reshape({b, m * points, n}), v).view({b, m, points, d}) +
        weights.narrow(-1, n, 1) * own_v;
    if (prompt_values.defined())
      attended = attended + at::matmul(weights.narrow(-1, n + 1, shape_.prompt_rows), prompt_values);
    heads.push_back(attended.tanh());
  }
  return at::softplus(intensity_->forward(at::cat(heads, -1))).clamp_min(1e-9);
}

at::Tensor PromptTpp::log_likelihoods(const TppBatch& batch, const at::Tensor& intensities) {
  const auto m = intensities.size(1);
  const at::Tensor gaps = batch.times.narrow(1, 1, m) - batch.times.narrow(1, 0, m);
  const at::Tensor integral = intensities.sum(-1).mean(-1) * gaps;
  const at::Tensor at_event = intensities.select(2, intensities.size(2) - 1)
                                  .gather(-1, batch.types.narrow(1, 1, m).unsqueeze(-1))
                                  .squeeze(-1);
  return at_event.log() - integral;
}

at::Tensor PromptTpp::similarity(const Context& context, const at::Tensor& chosen) const {
  at::Tensor sum = torch::zeros({});
  const at::Tensor q = normalised(context.query);
  for (std::int64_t p = 0; p < shape_.pools(); ++p) {
    const at::Tensor picked = normalised(keys[p].index_select(0, chosen[p].flatten())).view_as(q);
    sum = sum + (q * picked).sum(-1).mean();
  }
  return sum;
}

}  // namespace stream::events
