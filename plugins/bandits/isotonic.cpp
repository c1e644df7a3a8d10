#include "bandits/isotonic.hpp"

namespace stream::bandits {

std::vector<double> isotonic(std::span<const double> sums, std::span<const std::int64_t> counts,
                             double floor) {
  struct Pool {
    double sum, count;
    std::size_t begin;
    double mean() const { return sum / count; }
  };
  std::vector<Pool> pools;
  for (std::size_t j = 0; j < sums.size(); ++j) {
    if (counts[j] == 0) continue;
    pools.push_back({sums[j], static_cast<double>(counts[j]), j});
    while (pools.size() >= 2 && pools[pools.size() - 2].mean() >= pools.back().mean()) {
      pools[pools.size() - 2].sum += pools.back().sum;
      pools[pools.size() - 2].count += pools.back().count;
      pools.pop_back();
    }
  }
  std::vector<double> fit(sums.size(), floor);
  for (std::size_t p = 0; p < pools.size(); ++p) {
    const std::size_t end = p + 1 < pools.size() ? pools[p + 1].begin : sums.size();
    for (std::size_t j = pools[p].begin; j < end; ++j) fit[j] = pools[p].mean();
  }
  return fit;
}

}  // namespace stream::bandits
