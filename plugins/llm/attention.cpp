#include "llm/attention.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "llm/kernels.hpp"
#include "llm/positions.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr float kHidden = -1e30f;                        // a score that becomes a probability of exactly 0
constexpr std::int64_t kScores = std::int64_t{1} << 20;  // of a tile of queries

bool serves(const Segment& s, std::int64_t kv_head) {
  return kv_head >= s.first_head && (s.heads < 0 || kv_head < s.first_head + s.heads);
}

}  // namespace

Attention::Attention(const ModelConfig& config, const Rope& rope, const AttentionWeights* weights)
    : config_(config),
      rope_(rope),
      turns_(rope),
      scale_(1.0f / std::sqrt(static_cast<float>(config.head_dim))),
      kernel_(is_kernel(config.score)),
      weights_(weights) {
  if (config.position == Position::kAlibi) slopes_ = alibi_slopes(config.heads);
  if (weights == nullptr &&
      (config.position == Position::kRelative || config.attention_bias == AttentionBias::kValue ||
       operation_of(config.score).similarity == Similarity::kMlpKernel))
    throw failed("attention of this model has weights, and was given none");
}

void Attention::feature(std::int64_t layer, float* x, std::int64_t rows) {
  const std::int64_t d = config_.head_dim;
  switch (operation_of(config_.score).similarity) {
    case Similarity::kEluKernel:
      for (std::int64_t i = 0; i < rows * d; ++i) x[i] = x[i] > 0 ? x[i] + 1 : std::exp(x[i]);
      return;
    case Similarity::kMlpKernel: {
      // Row by row: what a key becomes may not depend on how many come with it.
      const AttentionWeights::Layer& w = weights_->layers.at(static_cast<std::size_t>(layer));
      feature_.resize(static_cast<std::size_t>(d));
      for (float* const end = x + rows * d; x != end; x += d) {
        kernels().product_f32(w.kernel_in.data(), x, feature_.data(), d, d);
        for (float& v : feature_) v = std::max(v, 0.0f);
        kernels().product_f32(w.kernel_out.data(), feature_.data(), x, d, d);
      }
      return;
    }
    default:
      return;
  }
}

void Attention::turn_queries(std::int64_t layer, const float* queries, std::int64_t head, std::int64_t first,
                             std::int64_t tokens, const Segment& s, float* out) {
  const std::int64_t d = config_.head_dim;
  for (std::int64_t t = 0; t < tokens; ++t, out += d) {
    std::copy_n(queries + ((first + t) * config_.heads + head) * d, d, out);
    if (s.rotate_query && rope_.half() > 0) turns_.rotate(out, s.query_position + (first + t) * s.query_step);
    if (kernel_) feature(layer, out, 1);
    for (std::int64_t i = 0; i < d; ++i) out[i] *= scale_;
  }
}

const float* Attention::ready_keys(std::int64_t layer, const float* keys, const Segment& s, float* to) {
  const std::int64_t d = config_.head_dim;
  std::copy_n(keys, s.count * d, to);
  if (!s.rotated && rope_.half() > 0)
    for (std::int64_t n = 0; n < s.count; ++n) turns_.rotate(to + n * d, s.key_position + n * s.key_step);
  if (kernel_) feature(layer, to, s.count);
  return to;
}

float Attention::added(std::int64_t head, std::int64_t behind) const {
  if (config_.position == Position::kAlibi)
    return slopes_[static_cast<std::size_t>(head)] * static_cast<float>(-behind);
  return weights_->relative[static_cast<std::size_t>(head * kRelativeBuckets + relative_bucket(behind))];
}

void Attention::mask(const Segment& s, std::int64_t head, std::int64_t first, std::int64_t tokens,
                     float* scores, std::int64_t stride) const {
  const bool adds =
      s.rotate_query && (config_.position == Position::kAlibi || config_.position == Position::kRelative);
  // A score that becomes a weight of exactly 0.
  const float hidden = kernel_ ? 0.0f : kHidden;
  for (std::int64_t t = first; t < first + tokens; ++t, scores += stride) {
    if (adds)
      for (std::int64_t k = 0; k < s.count; ++k)
        scores[k] += added(head, s.query_position + t * s.query_step - s.key_position - k * s.key_step);
    const std::int64_t from = std::clamp<std::int64_t>(s.from + t * s.from_step, 0, s.count);
    const std::int64_t until = std::clamp<std::int64_t>(s.until + t * s.until_step, from, s.count);
    std::fill(scores, scores + from, hidden);
    std::fill(scores + until, scores + s.count, hidden);
  }
}

void Attention::weigh(float* scores, std::int64_t count) const {
  const Kernels& k = kernels();
  const auto [similarity, normaliser] = operation_of(config_.score);
  float sum = 0;
  switch (similarity) {
    case Similarity::kExp:
      return k.softmax(scores, count,
                       normaliser == Normaliser::kSumAndOne ? 0.0f : -std::numeric_limits<float>::infinity());
    case Similarity::kSigmoid:
      sum = k.sigmoids(scores, count, static_cast<float>(config_.score_offset));
      break;
    case Similarity::kElu:
      for (std::int64_t i = 0; i < count; ++i)
        sum += scores[i] = scores[i] > 0 ? scores[i] + 1 : std::exp(scores[i]);
      break;
    default:
      for (std::int64_t i = 0; i < count; ++i) sum += scores[i];
  }
  if (normaliser == Normaliser::kNone) return;
  const float by =
      1.0f / (normaliser == Normaliser::kSumAboveOne ? std::max(1.0f, std::abs(sum)) : sum + 1e-8f);
  for (std::int64_t i = 0; i < count; ++i) scores[i] *= by;
}

void Attention::attend(std::int64_t layer, std::int64_t tokens, const float* queries,
                       std::span<const Segment> segments, Memory* memory, float* out) {
  const Kernels& k = kernels();
  const std::int64_t d = config_.head_dim, group = config_.heads / config_.kv_heads;
  sums_.resize(segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& s = segments[i];
    const std::int64_t served = (s.heads < 0 ? config_.kv_heads - s.first_head : s.heads) * group;
    if (s.want_scores) sums_[i].assign(static_cast<std::size_t>(served * s.count), 0.0f);
  }
  for (std::int64_t kv = 0; kv < config_.kv_heads; ++kv) {
    // Keys that are kept as they came are turned, and passed through the kernel, once for all queries and
    // heads.
    std::int64_t slots = 0, turned = 0;
    for (const Segment& s : segments) {
      if (!serves(s, kv)) continue;
      slots += s.count;
      if (must_be_made_ready(s)) turned += s.count * d;
    }
    if (slots == 0) continue;
    turned_keys_.resize(static_cast<std::size_t>(turned));
    std::vector<const float*> keys(segments.size()), values(segments.size());
    turned = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const Segment& s = segments[i];
      if (!serves(s, kv)) continue;
      keys[i] = s.keys + (kv - s.first_head) * s.head_stride;
      values[i] = s.values + (kv - s.first_head) * s.head_stride;
      if (!must_be_made_ready(s)) continue;
      keys[i] = ready_keys(layer, keys[i], s, turned_keys_.data() + turned);
      turned += s.count * d;
    }
    const std::int64_t tile = std::clamp<std::int64_t>(kScores / slots, 1, tokens);
    scores_.resize(static_cast<std::size_t>(tile * slots));
    turned_queries_.resize(static_cast<std::size_t>(tile * d));
    mixed_.resize(static_cast<std::size_t>(tile * d));
    for (std::int64_t head = kv * group; head < (kv + 1) * group; ++head)
      for (std::int64_t first = 0; first < tokens; first += tile) {
        const std::int64_t rows = std::min(tile, tokens - first);
        const Segment* before = nullptr;
        std::int64_t at = 0;
        for (std::size_t i = 0; i < segments.size(); ++i) {
          const Segment& s = segments[i];
          if (!serves(s, kv) || s.count == 0) continue;
          if (before == nullptr || before->rotate_query != s.rotate_query ||
              before->query_position != s.query_position || before->query_step != s.query_step)
            turn_queries(layer, queries, head, first, rows, s, turned_queries_.data());
          before = &s;
          float* const scores = scores_.data() + at;
          if (rows == 1)
            k.product_f32(keys[i], turned_queries_.data(), scores, s.count, d);
          else
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(rows),
                        static_cast<int>(s.count), static_cast<int>(d), 1.0f, turned_queries_.data(),
                        static_cast<int>(d), keys[i], static_cast<int>(d), 0.0f, scores,
                        static_cast<int>(slots));
          mask(s, head, first, rows, scores, slots);
          at += s.count;
        }
        for (std::int64_t r = 0; r < rows; ++r) weigh(scores_.data() + r * slots, slots);
        if (tap_) tap_(layer, head, rows, {scores_.data(), static_cast<std::size_t>(rows * slots)});
        std::fill_n(mixed_.begin(), rows * d, 0.0f);
        at = 0;
        for (std::size_t i = 0; i < segments.size(); ++i) {
          const Segment& s = segments[i];
          if (!serves(s, kv) || s.count == 0) continue;
          const float* const p = scores_.data() + at;
          if (rows == 1)
            k.combine(p, values[i], mixed_.data(), s.count, d);
          else
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(rows),
                        static_cast<int>(d), static_cast<int>(s.count), 1.0f, p, static_cast<int>(slots),
                        values[i], static_cast<int>(d), 1.0f, mixed_.data(), static_cast<int>(d));
          if (s.want_scores) {
            float* const sums = sums_[i].data() + (head - s.first_head * group) * s.count;
            for (std::int64_t r = 0; r < rows; ++r)
              for (std::int64_t n = 0; n < s.count; ++n) sums[n] += p[r * slots + n];
          }
          at += s.count;
        }
        if (config_.attention_bias == AttentionBias::kValue) {
          const float* const value =
              weights_->layers.at(static_cast<std::size_t>(layer)).value.data() + kv * d;
          for (std::int64_t i = 0; i < rows * d; ++i) mixed_[static_cast<std::size_t>(i)] += value[i % d];
        }
        for (std::int64_t r = 0; r < rows; ++r)
          std::copy_n(mixed_.data() + r * d, d, out + ((first + r) * config_.heads + head) * d);
      }
  }
  if (memory == nullptr) return;
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (segments[i].want_scores) memory->on_scores(layer, i, sums_[i]);
}

}  // namespace stream::llm
