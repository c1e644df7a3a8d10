#include "llm/attention_probe.hpp"

#include <algorithm>
#include <cmath>

#include "llm/memory_full.hpp"
#include "llm/session.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

double norm(const float* x, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return std::sqrt(sum);
}

/// The first of the rows, and the mean of the others.
std::pair<double, double> norms_of(const float* x, std::int64_t rows, std::int64_t width) {
  double others = 0;
  for (std::int64_t r = 1; r < rows; ++r) others += norm(x + r * width, width);
  return {norm(x, width), rows > 1 ? others / static_cast<double>(rows - 1) : 0};
}

/// Everything is remembered, and keys and values are looked at as they come.
class Watched final : public FullMemory {
 public:
  using Look =
      std::function<void(std::int64_t layer, std::int64_t tokens, const float* keys, const float* values)>;
  Watched(const Decoder& decoder, Look look)
      : FullMemory(decoder.config(), decoder.rope()), look_(std::move(look)) {}
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override {
    look_(layer, tokens, keys, values);
    FullMemory::append(layer, tokens, queries, keys, values);
  }

 private:
  Look look_;
};

}  // namespace

double importance(std::span<const float> attention, std::int64_t stride, std::int64_t tokens,
                  std::int64_t k) {
  double sum = 0;
  for (std::int64_t i = k; i < tokens; ++i)
    sum += static_cast<double>(attention[static_cast<std::size_t>(i * stride + k)]);
  return sum / static_cast<double>(tokens - k);
}

AttentionProbe::AttentionProbe(std::shared_ptr<const Decoder> decoder, double threshold)
    : decoder_(std::move(decoder)),
      threshold_(threshold),
      heads_(static_cast<std::size_t>(decoder_->config().layers * decoder_->config().heads)),
      norms_(static_cast<std::size_t>(decoder_->config().layers)) {
  for (Head& h : heads_) h.importance.assign(kSinkPositions, 0), h.share.assign(kSinkPositions, 0);
}

void AttentionProbe::add(std::span<const std::int32_t> tokens) {
  const ModelConfig& c = decoder_->config();
  const auto n = static_cast<std::int64_t>(tokens.size());
  if (n < kSinkPositions || n > c.context)
    throw bad_data("a sequence of " + std::to_string(n) + " tokens to probe, expected " +
                   std::to_string(kSinkPositions) + " to the model's context of " +
                   std::to_string(c.context));
  ++sequences_;
  const double by = 1 / static_cast<double>(sequences_);
  const auto enter = [by](double& mean, double value) { mean += by * (value - mean); };
  const bool bias = c.attention_bias != AttentionBias::kNone, zero = c.score == Score::kSoftmaxOne;
  const bool proxy = c.score == Score::kSigmoid || c.score == Score::kSigmoidNormalised;
  auto memory = std::make_unique<Watched>(
      *decoder_, [&](std::int64_t layer, std::int64_t rows, const float* keys, const float* values) {
        Norms& of = norms_[static_cast<std::size_t>(layer)];
        const auto [key, keys_behind] = norms_of(keys, rows, c.kv_width());
        const auto [value, values_behind] = norms_of(values, rows, c.kv_width());
        enter(of.key_first, key), enter(of.key_others, keys_behind);
        enter(of.value_first, value), enter(of.value_others, values_behind);
      });
  Session session(decoder_, std::move(memory), n);
  std::vector<float> rows;
  session.workspace().layer_tap = [&](std::int64_t layer, std::span<const float> x) {
    Norms& of = norms_[static_cast<std::size_t>(layer)];
    const auto [first, others] = norms_of(x.data(), n, c.hidden);
    enter(of.hidden_first, first), enter(of.hidden_others, others);
  };
  session.workspace().attention.tap(
      [&](std::int64_t layer, std::int64_t h, std::int64_t queries, std::span<const float> p) {
        if (queries != n) throw failed("a sequence passed in pieces");
        const auto slots = static_cast<std::int64_t>(p.size()) / n;
        rows.assign(p.begin(), p.end());
        double left = 0;  // what rows lack, or the bias slot has
        for (std::int64_t t = 0; t < n; ++t) {
          float* const row = rows.data() + t * slots;
          double sum = 0;
          for (std::int64_t s = 0; s < slots; ++s) sum += static_cast<double>(row[s]);
          if (proxy && sum > 0)
            for (std::int64_t s = 0; s < slots; ++s)
              row[s] = static_cast<float>(static_cast<double>(row[s]) / sum);
          if (bias)
            left += static_cast<double>(row[slots - 1]) / static_cast<double>(n);
          else if (zero)
            left += (1 - sum) / static_cast<double>(n);
        }
        Head& head = heads_[static_cast<std::size_t>(layer * c.heads + h)];
        for (std::int64_t k = 0; k < kSinkPositions; ++k) {
          const double found = importance(rows, slots, n, k);
          enter(head.importance[static_cast<std::size_t>(k)], found);
          enter(head.share[static_cast<std::size_t>(k)], found > threshold_ ? 1 : 0);
        }
        enter(head.bias_importance, left);
        enter(head.bias_share, left > threshold_ ? 1 : 0);
      });
  session.feed(tokens);
}

double AttentionProbe::sink(std::int64_t k) const {
  double sum = 0;
  for (const Head& h : heads_) sum += h.share[static_cast<std::size_t>(k)];
  return 100 * sum / static_cast<double>(heads_.size());
}

double AttentionProbe::sink_bias() const {
  double sum = 0;
  for (const Head& h : heads_) sum += h.bias_share;
  return 100 * sum / static_cast<double>(heads_.size());
}

void AttentionProbe::save(Archive& group) const {
  std::vector<double> numbers;
  for (const Head& h : heads_) {
    numbers.insert(numbers.end(), h.importance.begin(), h.importance.end());
    numbers.insert(numbers.end(), h.share.begin(), h.share.end());
    numbers.push_back(h.bias_importance), numbers.push_back(h.bias_share);
  }
  for (const Norms& n : norms_)
    for (const double v :
         {n.hidden_first, n.hidden_others, n.key_first, n.key_others, n.value_first, n.value_others})
      numbers.push_back(v);
  group.set("sequences", sequences_);
  group.set("numbers", numbers);
}

void AttentionProbe::load(const Archive& group) {
  sequences_ = group.get<std::int64_t>("sequences");
  const auto numbers = group.get<std::vector<double>>("numbers");
  if (sequences_ < 0 || numbers.size() != heads_.size() * (2 * kSinkPositions + 2) + norms_.size() * 6)
    throw bad_data("the saved probe belongs to another model");
  auto at = numbers.begin();
  for (Head& h : heads_) {
    for (double& v : h.importance) v = *at++;
    for (double& v : h.share) v = *at++;
    h.bias_importance = *at++, h.bias_share = *at++;
  }
  for (Norms& n : norms_)
    for (double* v :
         {&n.hidden_first, &n.hidden_others, &n.key_first, &n.key_others, &n.value_first, &n.value_others})
      *v = *at++;
}

}  // namespace stream::llm
