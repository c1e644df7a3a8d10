/// Nondecreasing curves from samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace stream::bandits {

/// Weighted least-squares fit that is nondecreasing (pool adjacent violators): means[j] with counts[j]
/// samples. Where nothing was sampled the curve goes on as it was before; before the first sample it is
/// `floor`.
std::vector<double> isotonic(std::span<const double> sums, std::span<const std::int64_t> counts,
                             double floor);

}  // namespace stream::bandits
