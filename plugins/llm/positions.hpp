/// Positions that are no rotation: what is added to scores or to embeddings.
#pragma once

#include <cstdint>
#include <vector>

namespace stream::llm {

/// Slopes of ALiBi by query head (Press et al. 2022): powers of 2^(-8/n) for n a power of two; for other
/// numbers of heads those of the next lower one, and every other of the next higher one's.
std::vector<float> alibi_slopes(std::int64_t heads);

inline constexpr std::int64_t kRelativeBuckets = 32;
/// Bucket of the distance query - key >= 0 (T5, Raffel et al. 2020, one-sided): 0 to 15 have one each; the
/// other sixteen grow as the logarithm up to 128, behind which all share the last.
std::int64_t relative_bucket(std::int64_t distance);

/// Adds the embedding of `position` to x [width] (Vaswani et al. 2017): sines, then cosines, of
/// position / 10000^(2i / width).
void add_sinusoid(std::int64_t position, float* x, std::int64_t width);

}  // namespace stream::llm
