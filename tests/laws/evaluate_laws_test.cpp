/// The laws for the operators of plugins/evaluate.
#include <gmock/gmock.h>

#include "evaluate/evaluate_auc.hpp"
#include "evaluate/evaluate_average.hpp"
#include "evaluate/evaluate_ranking.hpp"
#include "laws.hpp"

namespace stream::evaluate {
namespace {

std::vector<Packet> scored() {
  Random random(1);
  std::vector<Packet> packets;
  for (int i = 0; i < 40; ++i) {
    Array items, targets, heard;
    for (int k = 0; k < 5; ++k) items.emplace_back(static_cast<std::int64_t>(random.below(12)));
    for (int k = 0; k < i % 4; ++k) targets.emplace_back(static_cast<std::int64_t>(random.below(12)));
    for (int k = 0; k < 6; ++k) heard.emplace_back(static_cast<std::int64_t>(random.below(12)));
    packets.push_back(Packet::of<Record>(std::chrono::seconds(i / 2), Object{{"items", std::move(items)},
                                                                             {"targets", std::move(targets)},
                                                                             {"heard", std::move(heard)},
                                                                             {"user", i % 5},
                                                                             {"score", random.normal()},
                                                                             {"label", i % 3 == 0}}));
  }
  return packets;
}

const Object kShared{{"replicates", 5}, {"split", Array{3.0, 11.5}}, {"unit", "user"}};

Object with(Object params) {
  for (const auto& [name, value] : kShared) params.set(name, value);
  return params;
}

TEST(Laws, EvaluateRanking) {
  laws::check_all(laws::subject<RankingOperator>(with({{"known", "heard"}, {"k", 3}})), scored());
}

TEST(Laws, EvaluateAuc) { laws::check_all(laws::subject<AucOperator>(with({})), scored()); }

TEST(Laws, EvaluateAverage) {
  laws::check_all(laws::subject<AverageOperator>(with({{"measure", "rmse"}, {"member", "score"}})), scored());
}

}  // namespace
}  // namespace stream::evaluate
