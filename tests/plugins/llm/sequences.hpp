/// Runs of sequences, and how far they are from a reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "llm/plain_decoder.hpp"
#include "llm/session.hpp"

namespace stream::llm::testing {

using plain::Row;
using plain::Rows;
using plain::View;

inline std::vector<std::int32_t> random_tokens(std::int64_t count, std::int64_t vocabulary,
                                               std::uint64_t seed = 7) {
  Random random(seed);
  std::vector<std::int32_t> out{0};
  while (static_cast<std::int64_t>(out.size()) < count)
    out.push_back(static_cast<std::int32_t>(1 + random.below(static_cast<std::uint64_t>(vocabulary - 1))));
  return out;
}

using Logits = std::vector<std::vector<float>>;

/// Logits after every token, fed `block` at a time.
inline Logits run(Session& session, const std::vector<std::int32_t>& tokens, std::size_t block) {
  Logits out;
  for (std::size_t at = 0; at < tokens.size(); at += block) {
    const std::size_t n = std::min(block, tokens.size() - at);
    session.feed({tokens.data() + at, n},
                 [&](std::size_t, std::span<const float> l) { out.emplace_back(l.begin(), l.end()); });
  }
  return out;
}

/// Largest difference, from token `from` on; infinite when a number is not finite or the counts differ.
template <typename A, typename B>
double difference(const A& a, const B& b, std::size_t from = 0) {
  if (a.size() != b.size() || a.empty()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::size_t t = from; t < a.size(); ++t)
    for (std::size_t i = 0; i < a[t].size(); ++i) {
      const double d = std::abs(static_cast<double>(a[t][i]) - static_cast<double>(b[t][i]));
      if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
      most = std::max(most, d);
    }
  return most;
}

}  // namespace stream::llm::testing
