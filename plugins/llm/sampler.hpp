/// The next token from logits.
#pragma once

#include <cstdint>
#include <span>

#include "stream/random.hpp"

namespace stream::llm {

struct SamplerOptions {
  double temperature = 0;  ///< 0: always the most likely one, the first of equals
  std::int64_t top_k = 0;  ///< draw from the k most likely; 0: from all
  double top_p = 1;        ///< draw from the fewest that have this probability together
};

/// Throws Error(kBadData) when a logit is not finite.
std::int32_t sample(std::span<const float> logits, const SamplerOptions& options, Random& random);

}  // namespace stream::llm
