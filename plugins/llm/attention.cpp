#include "llm/attention.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "llm/kernels.hpp"

namespace stream::llm {
namespace {

constexpr float kHidden = -1e30f;                        // a score that becomes a probability of exactly 0
constexpr std::int64_t kScores = std::int64_t{1} << 20;  // of a tile of queries

/// Press et al. 2022: powers of 2^(-8/n) for n a power of two, every other one of the next power's otherwise.
std::vector<float> alibi_slopes(std::int64_t heads) {
  const auto powers = [](std::int64_t n) {
    std::vector<float> out;
    for (std::int64_t i = 1; i <= n; ++i)
      out.push_back(
          static_cast<float>(std::pow(2.0, -8.0 * static_cast<double>(i) / static_cast<double>(n))));
    return out;
  };
  std::int64_t whole = 1;
  while (2 * whole <= heads) whole *= 2;
  std::vector<float> slopes = powers(whole);
  const std::vector<float> finer = powers(2 * whole);
  for (std::size_t i = 0; static_cast<std::int64_t>(slopes.size()) < heads; i += 2)
    slopes.push_back(finer[i]);
  return slopes;
}

bool serves(const Segment& s, std::int64_t kv_head) {
  return kv_head >= s.first_head && (s.heads < 0 || kv_head < s.first_head + s.heads);
}

}  // namespace

Attention::Attention(const ModelConfig& config, const Rope& rope)
    : config_(config),
      rope_(rope),
      turns_(rope),
      scale_(1.0f / std::sqrt(static_cast<float>(config.head_dim))) {
  if (config.position == Position::kAlibi) slopes_ = alibi_slopes(config.heads);
}

void Attention::turn_queries(const float* queries, std::int64_t head, std::int64_t first, std::int64_t tokens,
                             const Segment& s, float* out) {
  const std::int64_t d = config_.head_dim;
  for (std::int64_t t = 0; t < tokens; ++t, out += d) {
    std::copy_n(queries + ((first + t) * config_.heads + head) * d, d, out);
    if (s.rotate_query && rope_.half() > 0) turns_.rotate(out, s.query_position + (first + t) * s.query_step);
    for (std::int64_t i = 0; i < d; ++i) out[i] *= scale_;
  }
}

void Attention::mask(const Segment& s, std::int64_t head, std::int64_t first, std::int64_t tokens,
                     float* scores, std::int64_t stride) const {
  for (std::int64_t t = first; t < first + tokens; ++t, scores += stride) {
    if (!slopes_.empty() && s.rotate_query) {
      const float slope = slopes_[static_cast<std::size_t>(head)];
      for (std::int64_t k = 0; k < s.count; ++k)
        scores[k] +=
            slope * static_cast<float>(s.key_position + k * s.key_step - s.query_position - t * s.query_step);
    }
    const std::int64_t from = std::clamp<std::int64_t>(s.from + t * s.from_step, 0, s.count);
    const std::int64_t until = std::clamp<std::int64_t>(s.until + t * s.until_step, from, s.count);
    std::fill(scores, scores + from, kHidden);
    std::fill(scores + until, scores + s.count, kHidden);
  }
}

void Attention::weigh(float* scores, std::int64_t count) const {
  const Kernels& k = kernels();
  switch (config_.score) {
    case Score::kSoftmax:
      return k.softmax(scores, count, -std::numeric_limits<float>::infinity());
    case Score::kSoftmaxOne:
      return k.softmax(scores, count, 0.0f);
    case Score::kSigmoid:
      k.sigmoids(scores, count, static_cast<float>(config_.score_offset));
      return;
    case Score::kSigmoidNormalised: {
      const float sum = k.sigmoids(scores, count, static_cast<float>(config_.score_offset));
      const float by = 1.0f / (sum + 1e-8f);
      for (std::int64_t i = 0; i < count; ++i) scores[i] *= by;
      return;
    }
  }
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
    // Keys that are kept as they came are turned once for all queries and heads.
    std::int64_t slots = 0, turned = 0;
    for (const Segment& s : segments) {
      if (!serves(s, kv)) continue;
      slots += s.count;
      if (!s.rotated && rope_.half() > 0) turned += s.count * d;
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
      if (s.rotated || rope_.half() == 0) continue;
      float* const to = turned_keys_.data() + turned;
      std::copy_n(keys[i], s.count * d, to);
      for (std::int64_t n = 0; n < s.count; ++n) turns_.rotate(to + n * d, s.key_position + n * s.key_step);
      keys[i] = to;
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
            turn_queries(queries, head, first, rows, s, turned_queries_.data());
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
        for (std::int64_t r = 0; r < rows; ++r)
          std::copy_n(mixed_.data() + r * d, d, out + ((first + r) * config_.heads + head) * d);
      }
  }
  if (memory == nullptr) return;
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (segments[i].want_scores) memory->on_scores(layer, i, sums_[i]);
}

}  // namespace stream::llm
