#include "bandits/arm_stream.hpp"

#include <algorithm>

namespace stream::bandits {

std::vector<double> arm_means(const ArmStreamOptions& options, Random& random) {
  std::vector<double> means(options.arms);
  if (options.setting == "mix-in") {
    for (double& mean : means) mean = random.uniform();
  } else {
    for (double& mean : means) {
      do mean = 0.5 + 0.1 * random.normal();
      while (mean < 0 || mean > 0.8);
    }
    means.back() = 0.82;
  }
  if (options.order == "ascending") std::sort(means.begin(), means.end());
  if (options.order == "descending") std::sort(means.begin(), means.end(), std::greater<>());
  if (options.order == "random")
    for (std::size_t i = means.size(); i > 1; --i) std::swap(means[i - 1], means[random.below(i)]);
  return means;
}

}  // namespace stream::bandits
