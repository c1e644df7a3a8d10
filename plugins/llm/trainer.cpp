#include "llm/trainer.hpp"

#include <algorithm>
#include <limits>

#include "stream/error.hpp"

namespace stream::llm {

Trainer::Trainer(const ModelConfig& config, TrainerOptions options, Random random)
    : config_(config), options_(options), random_(random) {
  check_options();
  config_.context = options_.length;
  network_ = std::make_shared<Network>(config_, nn::generator(random_()));
  optimizer_ = std::make_unique<nn::AdamW>(
      *network_, nn::AdamW::Options{
                     .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .weight_decay = options_.weight_decay});
}

void Trainer::check_options() const {
  if (options_.length < 1 || options_.batch < 1 || options_.pool < text_needed())
    throw bad_recipe("a pool of " + std::to_string(options_.pool) + " tokens cannot hold a sample of " +
                     std::to_string(text_needed()));
  if (options_.begin_at > 0 && config_.begin_token < 0)
    throw bad_recipe("begin_at is " + std::to_string(options_.begin_at) + ", and there is no begin token");
  if (options_.begin_at >= options_.length)
    throw bad_recipe("begin_at is " + std::to_string(options_.begin_at) +
                     ", expected less than the length of " + std::to_string(options_.length));
  const auto place = [&](const char* name, std::int64_t value, std::int64_t most) {
    if (value < 0 || value > most)
      throw bad_recipe(std::string(name) + " is " + std::to_string(value) + ", expected at most " +
                       std::to_string(most) + " in samples of " + std::to_string(options_.length) +
                       " tokens");
  };
  place("random_first", options_.random_first, options_.length);
  place("fixed_at", options_.fixed_at, options_.length);
  if (options_.fixed_token >= config_.vocabulary)
    throw bad_recipe("fixed_token is " + std::to_string(options_.fixed_token) +
                     ", which is not in the vocabulary of " + std::to_string(config_.vocabulary));
  if (options_.fixed_token < 0 && options_.fixed_at > 0)
    throw bad_recipe("fixed_at is " + std::to_string(options_.fixed_at) + ", and there is no fixed_token");
  if (config_.begin_token >= 0 && options_.random_first > options_.begin_at)
    throw bad_recipe("random_first would replace the begin token, which stands behind " +
                     std::to_string(options_.begin_at) + " tokens; expected begin_token = false");
  if (config_.begin_token >= 0 && options_.fixed_token >= 0 && options_.fixed_at == options_.begin_at)
    throw bad_recipe("fixed_at is where the begin token stands: " + std::to_string(options_.begin_at));
}

std::vector<std::int32_t> Trainer::sample(std::span<const std::int32_t> text) {
  std::vector<std::int32_t> out(text.begin(), text.begin() + text_needed());
  if (config_.begin_token >= 0)
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(options_.begin_at),
               static_cast<std::int32_t>(config_.begin_token));
  for (std::int64_t i = 0; i < options_.random_first; ++i)
    out[static_cast<std::size_t>(i)] =
        static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(config_.vocabulary)));
  if (options_.fixed_token >= 0)
    out[static_cast<std::size_t>(options_.fixed_at)] = static_cast<std::int32_t>(options_.fixed_token);
  return out;
}

void Trainer::add(std::span<const std::int32_t> tokens) {
  for (const std::int32_t token : tokens)
    if (token < 0 || token >= config_.vocabulary)
      throw bad_data("token " + std::to_string(token) + " is not in the vocabulary of " +
                     std::to_string(config_.vocabulary));
  if (static_cast<std::int64_t>(held_out_.size()) < options_.held_out &&
      static_cast<std::int64_t>(tokens.size()) >= text_needed()) {
    held_out_.push_back(sample(tokens));
    tokens = tokens.subspan(static_cast<std::size_t>(text_needed()));
    if (tokens.empty()) return;
  }
  pool(tokens);
}

void Trainer::pool(std::span<const std::int32_t> tokens) {
  // What is longer than the pool keeps its end.
  if (static_cast<std::int64_t>(tokens.size()) > options_.pool)
    tokens = tokens.last(static_cast<std::size_t>(options_.pool));
  texts_.emplace_back(tokens.begin(), tokens.end());
  pooled_ += static_cast<std::int64_t>(tokens.size());
  samples_ += samples_in(texts_.back());
  while (pooled_ > options_.pool) {
    pooled_ -= static_cast<std::int64_t>(texts_.front().size());
    samples_ -= samples_in(texts_.front());
    texts_.pop_front();
  }
}

at::Tensor Trainer::loss_of(const at::Tensor& x, const at::Tensor& y) const {
  const std::int64_t prefix = config_.prefix, rest = x.size(1) - prefix;
  const at::Tensor logits = network_->forward(x);
  return at::cross_entropy_loss(logits.narrow(1, prefix, rest).reshape({-1, config_.vocabulary}),
                                y.narrow(1, prefix, rest).reshape({-1}));
}

double Trainer::learning_rate() const {
  const double shape = nn::warmup_cosine(step_, options_.warmup, options_.steps);
  if (step_ < options_.warmup) return options_.learning_rate * shape;
  return options_.learning_rate * (options_.schedule == Schedule::kFlat ? 1.0 : 0.1 + 0.9 * shape);
}

void Trainer::step() {
  const std::int64_t inputs = options_.length;
  const at::Tensor x = torch::empty({options_.batch, inputs}, at::kLong);
  const at::Tensor y = torch::empty({options_.batch, inputs}, at::kLong);
  auto *const xs = x.data_ptr<std::int64_t>(), *const ys = y.data_ptr<std::int64_t>();
  // Where each text's samples begin in the count of all.
  std::vector<std::int64_t> first;
  std::int64_t total = 0;
  for (const auto& text : texts_) {
    first.push_back(total);
    total += samples_in(text);
  }
  for (std::int64_t b = 0; b < options_.batch; ++b) {
    const auto drawn = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(total)));
    const auto which =
        static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), drawn) - first.begin() - 1);
    const std::int32_t* const from = texts_[which].data() + (drawn - first[which]);
    const std::vector<std::int32_t> tokens = sample({from, static_cast<std::size_t>(text_needed())});
    for (std::int64_t i = 0; i < inputs; ++i) {
      xs[b * inputs + i] = tokens[static_cast<std::size_t>(i)];
      ys[b * inputs + i] = tokens[static_cast<std::size_t>(i) + 1];
    }
  }
  optimizer_->zero_grad();
  const at::Tensor loss = loss_of(x, y);
  loss.backward();
  optimizer_->step(learning_rate());
  const double keep = step_ == 0 ? 0.0 : 0.98;
  loss_ = keep * loss_ + (1 - keep) * loss.item<double>();
  ++step_;
}

double Trainer::held_out_loss() const {
  const torch::NoGradGuard no_grad;
  double sum = 0;
  for (const auto& tokens : held_out_) {
    const std::vector<std::int64_t> wide(tokens.begin(), tokens.end());
    const at::Tensor all = torch::tensor(wide).unsqueeze(0);
    sum += loss_of(all.narrow(1, 0, options_.length), all.narrow(1, 1, options_.length)).item<double>();
  }
  return held_out_.empty() ? std::numeric_limits<double>::quiet_NaN()
                           : sum / static_cast<double>(held_out_.size());
}

void Trainer::save(Archive& state) const {
  optimizer_->save(state.group("optimizer"));
  std::vector<std::int64_t> sizes;
  std::vector<std::int32_t> tokens;
  for (const auto& text : texts_) {
    sizes.push_back(static_cast<std::int64_t>(text.size()));
    tokens.insert(tokens.end(), text.begin(), text.end());
  }
  state.set("sizes", sizes);
  state.set("tokens", tokens);
  if (options_.held_out > 0) {
    std::vector<std::int32_t> held;
    for (const auto& sample : held_out_) held.insert(held.end(), sample.begin(), sample.end());
    state.set("held_out", held);
  }
  state.set("step", step_);
  state.set("loss", loss_);
  state.set("random", random_.state());
}

void Trainer::load(const Archive& state) {
  optimizer_->load(state.group("optimizer"));
  const auto sizes = state.get<std::vector<std::int64_t>>("sizes");
  const auto tokens = state.get<std::vector<std::int32_t>>("tokens");
  texts_.clear();
  pooled_ = samples_ = 0;
  std::size_t at = 0;
  for (const std::int64_t size : sizes) {
    if (size < 0 || static_cast<std::size_t>(size) > tokens.size() - at)
      throw bad_data("the training state is damaged");
    pool({tokens.data() + at, static_cast<std::size_t>(size)});
    at += static_cast<std::size_t>(size);
  }
  held_out_.clear();
  if (options_.held_out > 0) {
    const auto held = state.get<std::vector<std::int32_t>>("held_out");
    const auto size = static_cast<std::size_t>(options_.length + 1);
    if (held.size() % size != 0 || held.size() / size > static_cast<std::size_t>(options_.held_out))
      throw bad_data("the training state is damaged");
    for (std::size_t i = 0; i < held.size(); i += size)
      held_out_.emplace_back(held.begin() + static_cast<std::ptrdiff_t>(i),
                             held.begin() + static_cast<std::ptrdiff_t>(i + size));
  }
  for (const std::int32_t token : tokens)
    if (token < 0 || token >= config_.vocabulary) throw bad_data("the training state is damaged");
  for (const auto& sample : held_out_)
    for (const std::int32_t token : sample)
      if (token < 0 || token >= config_.vocabulary) throw bad_data("the training state is damaged");
  step_ = state.get<std::int64_t>("step");
  loss_ = state.get<double>("loss");
  const auto words = state.get<std::vector<std::int64_t>>("random");
  if (words.size() != 4 || step_ < 0) throw bad_data("the training state is damaged");
  random_.restore(words);
}

}  // namespace stream::llm
