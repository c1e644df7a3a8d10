#include "recommenders/deepset_trainer.hpp"

#include <algorithm>
#include <limits>

#include "evaluate/measures.hpp"
#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr auto kTrainerInputs = static_cast<std::int64_t>(kPlaylistFeatures);
constexpr auto kTrainerUnits = static_cast<std::int64_t>(kDeepSetUnits);

void copy_weights(const torch::nn::Module& from, torch::nn::Module& into) {
  const torch::NoGradGuard no_grad;
  const auto source = from.parameters();
  auto target = into.parameters();
  for (std::size_t i = 0; i < source.size(); ++i) target[i].copy_(source[i]);
}

std::vector<float> flat(const at::Tensor& t) {
  const at::Tensor whole = t.detach().contiguous();
  return {whole.data_ptr<float>(), whole.data_ptr<float>() + whole.numel()};
}

}  // namespace

ListenerData::ListenerData(std::shared_ptr<const ListenerTable> table_, ListenerSplit split_,
                           const std::map<std::string, std::size_t>& bins)
    : table(std::move(table_)), split(std::move(split_)) {
  // Who has no playlist has nothing to be read from.
  for (auto* part : {&split.training, &split.validation, &split.test})
    std::erase_if(*part, [&](std::size_t i) { return table->listeners[i].playlists.empty(); });
  if (split.training.empty()) throw bad_data("there is no listener with a playlist to train on");
  for (std::size_t a = 0; a < table->attributes.size(); ++a) {
    const auto wanted = bins.find(table->attributes[a]);
    attributes.push_back(classes_of(*table, a, split.training, wanted == bins.end() ? 2 : wanted->second));
  }
  standardiser = standardiser_of(*table, split.training);
  for (const Listener& listener : table->listeners) {
    auto& rows = x.emplace_back();
    for (const auto& playlist : listener.playlists) {
      const auto row = standardiser(std::span<const float>(playlist));
      rows.insert(rows.end(), row.begin(), row.end());
    }
    auto& of = classes.emplace_back();
    for (std::size_t a = 0; a < attributes.size(); ++a)
      of.push_back(attributes[a].of(listener.attributes[a]));
  }
}

std::vector<float> ListenerData::mean(std::size_t listener) const {
  const auto& rows = x[listener];
  std::vector<double> sum(kPlaylistFeatures);
  for (std::size_t i = 0; i < rows.size(); ++i) sum[i % kPlaylistFeatures] += static_cast<double>(rows[i]);
  std::vector<float> out;
  out.reserve(sum.size());
  for (const double v : sum)
    out.push_back(static_cast<float>(v / std::max(1.0, static_cast<double>(playlists(listener)))));
  return out;
}

std::vector<double> ListenerData::shares(std::size_t attribute) const {
  std::vector<double> out(attributes[attribute].classes.size());
  double n = 0;
  for (const std::size_t i : split.training)
    if (const int c = classes[i][attribute]; c >= 0) out[static_cast<std::size_t>(c)] += 1, n += 1;
  for (double& v : out) v /= std::max(1.0, n);
  return out;
}

DeepSetNetwork::DeepSetNetwork(std::int64_t outputs, const DeepSetOptions& options, const at::Generator& g)
    : options_(options),
      phi1_(register_module("phi1", std::make_shared<nn::Linear>(kTrainerInputs, kTrainerUnits, g))),
      phi2_(register_module("phi2", std::make_shared<nn::Linear>(kTrainerUnits, kTrainerUnits, g))),
      rho_(register_module("rho", std::make_shared<nn::Linear>(2 * kTrainerUnits + 1, kTrainerUnits, g))),
      heads_(register_module("heads", std::make_shared<nn::Linear>(kTrainerUnits, outputs, g))) {}

at::Tensor DeepSetNetwork::forward(const at::Tensor& x, const at::Tensor& there,
                                   const at::Generator* dropout) const {
  const at::Tensor h = phi2_->forward(phi1_->forward(x).relu()).relu();
  const at::Tensor n = there.sum(1, true);
  // Padding counts neither in the mean nor in the maximum.
  const at::Tensor mean = (h * there.unsqueeze(-1)).sum(1) / n;
  const at::Tensor most =
      options_.maximum
          ? std::get<0>(
                h.masked_fill((there == 0).unsqueeze(-1), -std::numeric_limits<float>::infinity()).max(1))
          : torch::zeros_like(mean);
  at::Tensor pooled = at::cat({mean, most, n.log()}, -1);
  if (dropout && options_.dropout > 0) {
    const double keep = 1 - options_.dropout;
    pooled = pooled * torch::empty_like(pooled).bernoulli_(keep, *dropout) / keep;
  }
  return heads_->forward(rho_->forward(pooled).relu());
}

DeepSetModel::Weights DeepSetNetwork::weights() const {
  return {flat(phi1_->weight), flat(phi1_->bias), flat(phi2_->weight),  flat(phi2_->bias),
          flat(rho_->weight),  flat(rho_->bias),  flat(heads_->weight), flat(heads_->bias)};
}

DeepSetTrainer::DeepSetTrainer(std::shared_ptr<const ListenerData> data, DeepSetOptions options,
                               Random random)
    : data_(std::move(data)), options_(options), random_(random), order_(data_->split.training) {
  std::int64_t outputs = 0;
  for (std::size_t a = 0; a < data_->attributes.size(); ++a) {
    const auto shares = data_->shares(a);
    std::vector<float> weights;
    weights.reserve(shares.size());
    for (const double share : shares)
      weights.push_back(static_cast<float>(1 / (static_cast<double>(shares.size()) * std::max(share, 1e-6))));
    class_weights_.push_back(torch::tensor(weights));
    outputs += static_cast<std::int64_t>(shares.size());
  }
  const at::Generator g = nn::generator(random_());
  network_ = std::make_shared<DeepSetNetwork>(outputs, options_, g);
  best_ = std::make_shared<DeepSetNetwork>(outputs, options_, g);
  copy_weights(*network_, *best_);
  optimiser_ = std::make_unique<nn::AdamW>(
      *network_,
      nn::AdamW::Options{
          .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = options_.weight_decay, .clip = 10});
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
}

std::int64_t DeepSetTrainer::steps_in_epoch() const {
  return (static_cast<std::int64_t>(order_.size()) + options_.batch - 1) / options_.batch;
}

std::pair<at::Tensor, at::Tensor> DeepSetTrainer::inputs(std::span<const std::size_t> listeners) const {
  std::size_t longest = 1;
  if (!options_.averaged)
    for (const std::size_t i : listeners) longest = std::max(longest, data_->playlists(i));
  const auto rows = static_cast<std::int64_t>(listeners.size()), n = static_cast<std::int64_t>(longest);
  at::Tensor x = torch::zeros({rows, n, kTrainerInputs}), there = torch::zeros({rows, n});
  float *to = x.data_ptr<float>(), *mask = there.data_ptr<float>();
  for (std::size_t r = 0; r < listeners.size(); ++r) {
    const auto from = options_.averaged ? data_->mean(listeners[r]) : data_->x[listeners[r]];
    std::copy(from.begin(), from.end(), to + static_cast<std::ptrdiff_t>(r * longest * kPlaylistFeatures));
    std::fill_n(mask + static_cast<std::ptrdiff_t>(r * longest), from.size() / kPlaylistFeatures, 1.0f);
  }
  return {x, there};
}

at::Tensor DeepSetTrainer::loss_of(std::span<const std::size_t> listeners, const at::Tensor& logits) const {
  at::Tensor sum = torch::zeros({});
  std::int64_t begin = 0, known = 0;
  for (std::size_t a = 0; a < data_->attributes.size(); ++a) {
    const auto classes = static_cast<std::int64_t>(data_->attributes[a].classes.size());
    std::vector<std::int64_t> truth;
    bool any = false;
    for (const std::size_t i : listeners) {
      truth.push_back(data_->classes[i][a] < 0 ? -100 : data_->classes[i][a]);
      any = any || truth.back() >= 0;
    }
    if (any) {  // of nobody the mean would be none
      sum = sum + at::cross_entropy_loss(logits.narrow(-1, begin, classes), torch::tensor(truth),
                                         class_weights_[a], at::Reduction::Mean, -100);
      ++known;
    }
    begin += classes;
  }
  return sum / static_cast<double>(std::max<std::int64_t>(1, known));
}

void DeepSetTrainer::step() {
  const auto begin = static_cast<std::size_t>(at_ * options_.batch);
  const std::size_t end = std::min(order_.size(), begin + static_cast<std::size_t>(options_.batch));
  const auto listeners = std::span(order_).subspan(begin, end - begin);
  optimiser_->zero_grad();
  const auto [x, there] = inputs(listeners);
  const at::Generator dropout = nn::generator(random_());
  const at::Tensor loss = loss_of(listeners, network_->forward(x, there, &dropout));
  if (loss.requires_grad()) loss.backward();
  optimiser_->step(options_.learning_rate);
  loss_ = loss.item<double>();
  ++steps_;
  if (++at_ < steps_in_epoch()) return;
  at_ = 0;
  ++epoch_;
  validate();
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
}

void DeepSetTrainer::validate() {
  const auto& listeners = data_->split.validation;
  validation_ = loss_;
  if (!listeners.empty())
    validation_ = nn::inference([&] {
      const auto [x, there] = inputs(listeners);
      return loss_of(listeners, network_->forward(x, there, nullptr)).item<double>();
    });
  if (listeners.empty() || validation_ < best_validation_) {
    best_validation_ = validation_;
    stale_ = 0;
    copy_weights(*network_, *best_);
  } else {
    ++stale_;
  }
}

double DeepSetTrainer::fraction() const {
  return finished() ? 1.0
                    : static_cast<double>(epoch_ * steps_in_epoch() + at_) /
                          static_cast<double>(options_.epochs * steps_in_epoch());
}

std::vector<AttributeProbabilities> DeepSetTrainer::predict(std::span<const std::size_t> listeners) const {
  std::vector<AttributeProbabilities> out;
  if (listeners.empty()) return out;
  return nn::inference([&] {
    const auto [x, there] = inputs(listeners);
    const at::Tensor logits = best_->forward(x, there, nullptr);
    for (std::int64_t r = 0; r < logits.size(0); ++r) {
      auto& of = out.emplace_back();
      std::int64_t begin = 0;
      for (const AttributeClasses& attribute : data_->attributes) {
        const auto classes = static_cast<std::int64_t>(attribute.classes.size());
        const at::Tensor p = logits[r].narrow(0, begin, classes).to(at::kDouble).softmax(0).contiguous();
        of.emplace_back(p.data_ptr<double>(), p.data_ptr<double>() + classes);
        begin += classes;
      }
    }
    return out;
  });
}

DeepSetModel DeepSetTrainer::model() const {
  const auto& listeners = data_->split.test;
  const auto predictions = predict(listeners);
  std::vector<AttributeQuality> quality;
  for (std::size_t a = 0; a < data_->attributes.size(); ++a) {
    std::vector<std::vector<double>> p;
    std::vector<int> truth;
    for (std::size_t i = 0; i < listeners.size(); ++i)
      p.push_back(predictions[i][a]), truth.push_back(data_->classes[listeners[i]][a]);
    quality.push_back({balanced_accuracy(p, truth), calibration_of(p, truth), data_->shares(a)});
  }
  return {best_->weights(), data_->standardiser, data_->attributes, std::move(quality)};
}

void DeepSetTrainer::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("steps", steps_);
  state.set("epoch", epoch_);
  state.set("at", at_);
  state.set("stale", stale_);
  state.set("loss", loss_);
  state.set("validation", validation_);
  state.set("best_validation", best_validation_);
  state.set("order", std::vector<std::int64_t>(order_.begin(), order_.end()));
  optimiser_->save(state.group("optimiser"));
  nn::save_weights(*best_, state.group("best"));
}

void DeepSetTrainer::load(const Archive& state) {
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  steps_ = state.get<std::int64_t>("steps");
  epoch_ = state.get<std::int64_t>("epoch");
  at_ = state.get<std::int64_t>("at");
  stale_ = state.get<std::int64_t>("stale");
  loss_ = state.get<double>("loss");
  validation_ = state.get<double>("validation");
  best_validation_ = state.get<double>("best_validation");
  const auto order = state.get<std::vector<std::int64_t>>("order");
  std::vector<std::size_t> restored(order.begin(), order.end()), expected = data_->split.training;
  order_ = restored;
  std::sort(restored.begin(), restored.end()), std::sort(expected.begin(), expected.end());
  if (restored != expected || at_ < 0 || at_ >= steps_in_epoch())
    throw bad_data("the checkpoint is of other listeners");
  optimiser_->load(state.group("optimiser"));
  nn::load_weights(*best_, state.group("best"));
}

double balanced_accuracy(std::span<const std::vector<double>> probabilities, std::span<const int> truth) {
  std::map<int, std::pair<double, double>> found;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < 0) continue;
    const auto& p = probabilities[i];
    auto& [right, all] = found[truth[i]];
    right += std::max_element(p.begin(), p.end()) - p.begin() == truth[i] ? 1 : 0;
    all += 1;
  }
  double sum = 0;
  for (const auto& [c, counts] : found) sum += counts.first / counts.second;
  return sum / static_cast<double>(found.size());
}

double calibration_of(std::span<const std::vector<double>> probabilities, std::span<const int> truth) {
  std::vector<double> greatest;
  std::vector<std::uint8_t> right;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < 0) continue;
    const auto at = std::max_element(probabilities[i].begin(), probabilities[i].end());
    greatest.push_back(*at);
    right.push_back(at - probabilities[i].begin() == truth[i] ? 1 : 0);
  }
  return evaluate::calibration_error(greatest, right, 10);
}

}  // namespace stream::recommenders
