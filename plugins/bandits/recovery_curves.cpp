#include "bandits/recovery_curves.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace stream::bandits {

RecoveryCurves::RecoveryCurves(std::size_t arms, std::size_t idle)
    : arms_(arms), idle_(idle), values_(arms * idle) {
  if (arms == 0 || idle == 0) throw std::invalid_argument("curves of no arms or no idle times");
}

double RecoveryCurves::greatest() const { return *std::max_element(values_.begin(), values_.end()); }

std::vector<EnvelopeVertex> envelope(const RecoveryCurves& curves, std::size_t arm) {
  // Monotone chain over the points by rising rate: d from D down to 1.
  std::vector<EnvelopeVertex> hull{{}};
  for (std::size_t d = curves.idle(); d >= 1; --d) {
    const double rate = 1.0 / static_cast<double>(d);
    const EnvelopeVertex next{rate, curves.at(arm, d) * rate, d};
    while (hull.size() >= 2) {
      const EnvelopeVertex &a = hull[hull.size() - 2], &b = hull.back();
      if ((b.reward - a.reward) * (next.rate - b.rate) > (next.reward - b.reward) * (b.rate - a.rate)) break;
      hull.pop_back();
    }
    hull.push_back(next);
  }
  while (hull.size() >= 2 && hull.back().reward <= hull[hull.size() - 2].reward) hull.pop_back();
  return hull;
}

std::vector<std::vector<EnvelopeVertex>> envelopes_of(const RecoveryCurves& curves) {
  std::vector<std::vector<EnvelopeVertex>> all;
  for (std::size_t arm = 0; arm < curves.arms(); ++arm) all.push_back(envelope(curves, arm));
  return all;
}

RewardBound reward_bound(const std::vector<std::vector<EnvelopeVertex>>& envelopes, double slots) {
  struct Piece {
    double slope, length;
    std::size_t arm, end;
  };
  std::vector<Piece> pieces;
  for (std::size_t arm = 0; arm < envelopes.size(); ++arm) {
    for (std::size_t v = 1; v < envelopes[arm].size(); ++v) {
      const EnvelopeVertex &a = envelopes[arm][v - 1], &b = envelopes[arm][v];
      pieces.push_back({(b.reward - a.reward) / (b.rate - a.rate), b.rate - a.rate, arm, v});
    }
  }
  // Slopes of one arm fall along its envelope: a stable order keeps its pieces in their order.
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.slope > b.slope; });
  RewardBound bound{0, std::vector<EnvelopeVertex>(envelopes.size())};
  for (const Piece& piece : pieces) {
    if (slots <= 0) break;
    bound.value += piece.slope * std::min(slots, piece.length);
    // Rates are reciprocals: their sums may miss a whole number of slots by rounding.
    constexpr double kRounding = 1e-12;
    if (piece.length <= slots + kRounding) bound.chosen[piece.arm] = envelopes[piece.arm][piece.end];
    slots -= piece.length;
  }
  return bound;
}

RecoveryCurves recovery_instance(int type, std::size_t arms, std::size_t idle, Random& random) {
  RecoveryCurves curves(arms, idle);
  for (std::size_t arm = 0; arm < arms; ++arm) {
    switch (type) {
      case 0: {
        const double scale = random.uniform(0.2, 1), pace = std::exp2(random.uniform(0, 5));
        for (std::size_t d = 1; d <= idle; ++d)
          curves.set(arm, d, scale * (1 - std::exp(-static_cast<double>(d) / pace)));
        break;
      }
      case 1: {
        const double scale = random.uniform(0.2, 1);
        const std::size_t threshold = 1 + random.below(idle);
        for (std::size_t d = 1; d <= idle; ++d) curves.set(arm, d, d < threshold ? 0.05 * scale : scale);
        break;
      }
      case 2: {
        const double scale = random.uniform(0.3, 1);
        std::vector<double> steps(idle);
        for (double& step : steps) step = random.uniform();
        std::sort(steps.begin(), steps.end());
        for (std::size_t d = 1; d <= idle; ++d) curves.set(arm, d, scale * steps[d - 1]);
        break;
      }
      case 3: {
        const double base = 0.31 + random.uniform(-0.02, 0.02);
        for (std::size_t d = 1; d <= idle; ++d)
          curves.set(arm, d, arm % 2 == 0 ? (d >= 8 ? 0.9 : 0.0) : base + (d >= 16 ? 0.62 : 0.0));
        break;
      }
      default:
        throw std::invalid_argument("there are instances of type 0 to 3");
    }
  }
  return curves;
}

}  // namespace stream::bandits
