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

/// Mean cosines of the queries behind the first with the first key, and with the others that they see. Rows
/// [heads, d] and [kv_heads, d] at positions 0, 1, ...
std::pair<double, double> cosines_of(const Decoder& decoder, std::int64_t rows, const float* queries,
                                     const float* keys) {
  const ModelConfig& c = decoder.config();
  const std::int64_t d = c.head_dim;
  std::vector<float> q(queries, queries + rows * c.query_width()), k(keys, keys + rows * c.kv_width());
  if (decoder.rope().half() > 0) {
    Turns turns(decoder.rope());
    for (std::int64_t t = 0; t < rows; ++t) {
      for (std::int64_t h = 0; h < c.heads; ++h) turns.rotate(q.data() + (t * c.heads + h) * d, t);
      for (std::int64_t h = 0; h < c.kv_heads; ++h) turns.rotate(k.data() + (t * c.kv_heads + h) * d, t);
    }
  }
  double first = 0, others = 0;
  for (std::int64_t h = 0; h < c.heads; ++h)
    for (std::int64_t t = 1; t < rows; ++t) {
      const float* const query = q.data() + (t * c.heads + h) * d;
      double sum = 0;
      for (std::int64_t s = 0; s <= t; ++s) {
        const float* const key = k.data() + (s * c.kv_heads + h / (c.heads / c.kv_heads)) * d;
        double dot = 0;
        for (std::int64_t i = 0; i < d; ++i)
          dot += static_cast<double>(query[i]) * static_cast<double>(key[i]);
        const double cosine = dot / std::max(norm(query, d) * norm(key, d), 1e-30);
        (s == 0 ? first : sum) += cosine;
      }
      others += sum / static_cast<double>(t);
    }
  const auto count = static_cast<double>(c.heads * std::max<std::int64_t>(1, rows - 1));
  return {first / count, others / count};
}

/// Everything is remembered, and queries, keys and values are looked at as they come.
class Watched final : public FullMemory {
 public:
  using Look = std::function<void(std::int64_t layer, std::int64_t tokens, const float* queries,
                                  const float* keys, const float* values)>;
  Watched(const Decoder& decoder, Look look)
      : FullMemory(decoder.config(), decoder.rope()), look_(std::move(look)) {}
  void append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
              const float* values) override {
    look_(layer, tokens, queries, keys, values);
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
  for (Norms& n : norms_)
    for (std::vector<double>* const of : {&n.hidden, &n.key, &n.value}) of->assign(kSinkPositions, 0);
}

void AttentionProbe::add(std::span<const std::int32_t> tokens, const AttentionTap& maps) {
  const ModelConfig& c = decoder_->config();
  const auto n = static_cast<std::int64_t>(tokens.size());
  if (n < kSinkPositions || n > c.context)
    throw bad_data("a sequence of " + std::to_string(n) + " tokens to probe, expected " +
                   std::to_string(kSinkPositions) + " to the model's context of " +
                   std::to_string(c.context));
  ++sequences_;
  const double by = 1 / static_cast<double>(sequences_);
  const auto enter = [by](double& mean, double value) { mean += by * (value - mean); };
  const bool bias = has_key(c.attention_bias), zero = c.score == Score::kSoftmaxOne;
  const bool proxy = !sums_to_one(c.score);
  const auto enter_places = [&](std::vector<double>& means, const float* x, std::int64_t width) {
    for (std::int64_t k = 0; k < kSinkPositions; ++k)
      enter(means[static_cast<std::size_t>(k)], norm(x + k * width, width));
  };
  auto memory =
      std::make_unique<Watched>(*decoder_, [&](std::int64_t layer, std::int64_t rows, const float* queries,
                                               const float* keys, const float* values) {
        Norms& of = norms_[static_cast<std::size_t>(layer)];
        const auto [key, keys_behind] = norms_of(keys, rows, c.kv_width());
        const auto [value, values_behind] = norms_of(values, rows, c.kv_width());
        enter(of.key_first, key), enter(of.key_others, keys_behind);
        enter(of.value_first, value), enter(of.value_others, values_behind);
        enter_places(of.key, keys, c.kv_width()), enter_places(of.value, values, c.kv_width());
        const auto [first, others] = cosines_of(*decoder_, rows, queries, keys);
        enter(of.cosine_first, first), enter(of.cosine_others, others);
      });
  Session session(decoder_, std::move(memory), n);
  std::vector<float> rows;
  session.workspace().layer_tap = [&](std::int64_t layer, std::span<const float> x) {
    Norms& of = norms_[static_cast<std::size_t>(layer)];
    const auto [first, others] = norms_of(x.data(), n, c.hidden);
    enter(of.hidden_first, first), enter(of.hidden_others, others);
    enter_places(of.hidden, x.data(), c.hidden);
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
          for (std::int64_t s = 0; s < slots; ++s) {
            if (proxy) row[s] = std::abs(row[s]);
            sum += static_cast<double>(row[s]);
          }
          if (proxy && sum > 0)
            for (std::int64_t s = 0; s < slots; ++s)
              row[s] = static_cast<float>(static_cast<double>(row[s]) / sum);
          if (bias)
            left += static_cast<double>(row[slots - 1]) / static_cast<double>(n);
          else if (zero)
            left += (1 - sum) / static_cast<double>(n);
        }
        if (maps) maps(layer, h, n, rows);
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

template <typename Each>
void AttentionProbe::for_each(Each each) {
  for (Head& h : heads_) {
    for (double& v : h.importance) each(v);
    for (double& v : h.share) each(v);
    each(h.bias_importance), each(h.bias_share);
  }
  for (Norms& n : norms_) {
    for (double* v : {&n.hidden_first, &n.hidden_others, &n.key_first, &n.key_others, &n.value_first,
                      &n.value_others, &n.cosine_first, &n.cosine_others})
      each(*v);
    for (std::vector<double>* const of : {&n.hidden, &n.key, &n.value})
      for (double& v : *of) each(v);
  }
}

void AttentionProbe::save(Archive& group) const {
  std::vector<double> numbers;
  AttentionProbe(*this).for_each([&](double v) { numbers.push_back(v); });
  group.set("sequences", sequences_);
  group.set("numbers", numbers);
}

void AttentionProbe::load(const Archive& group) {
  const auto sequences = group.get<std::int64_t>("sequences");
  const auto numbers = group.get<std::vector<double>>("numbers");
  std::size_t count = 0;
  for_each([&](double&) { ++count; });
  if (sequences < 0 || numbers.size() != count) throw bad_data("the saved probe belongs to another model");
  sequences_ = sequences;
  auto at = numbers.begin();
  for_each([&](double& v) { v = *at++; });
}

}  // namespace stream::llm
