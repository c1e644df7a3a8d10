#include "evaluate/evaluate_auc.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "evaluate/resampled.hpp"
#include "stream/error.hpp"

namespace stream::evaluate {

Spec AucOperator::spec() {
  return with_params(
             Spec("evaluate.auc",
                  "Score a classifier by the area under its ROC curve, with bootstrap intervals.")
                 .input<Record>("in", "one scored event each, and what became of it")
                 .output<Record>(
                     "score",
                     "{\"period\", \"events\", \"positives\", \"auc\", \"auc_interval\"}; the last of a "
                     "period has \"final\": true")
                 .param("score", "score", "member with a number: greater for what is more likely positive")
                 .param("label", "label", "member with the truth: true or 1, false or 0; null has none yet")
                 .contract({.state = Growth::kLinear, .grows_with = "events", .order = Order::kStateful}))
      .about(
          "The chance that a positive scores above a negative, ties counting half. It needs every score of "
          "the "
          "period: 17 bytes for each event, given back when a period of `split` ends. Lines are spaced "
          "exponentially, so that sorting stays cheap.")
      .paper("Hanley, McNeil, The meaning and use of the area under a ROC curve, Radiology 143(1), 1982")
      .example("Scores in JSON Lines", R"([nodes.scored]
use = "jsonl.read"

[nodes.auc]
use  = "evaluate.auc"
from = "scored"

[nodes.out]
use  = "jsonl.write"
from = "auc"
)");
}

bool AucOperator::score(const Packet& in, std::uint64_t unit) {
  const auto& record = in.as<Record>();
  const Value &score = record.at(score_), &label = record.at(label_);
  if (label.is_null() || score.is_null()) return false;
  if (!score.is_number() || !std::isfinite(score.as_double()))
    throw bad_data("member '" + score_ + "' is " + score.dump() + ", expected a number");
  if (!label.is_bool() && !(label.is_integer() && (label.as_integer() == 0 || label.as_integer() == 1)))
    throw bad_data("member '" + label_ + "' is " + label.dump() + ", expected true, false, 1 or 0");
  const bool positive = label.is_bool() ? label.as_bool() : label.as_integer() == 1;
  scores_.push_back(score.as_double());
  positive_.push_back(positive ? 1 : 0);
  units_.push_back(static_cast<std::int64_t>(unit));
  return true;
}

void AucOperator::report(Object& line) const {
  const std::size_t n = scores_.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores_[a] < scores_[b]; });
  std::vector<double> sorted(n), weights(n, 1.0);
  std::vector<std::uint8_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) sorted[i] = scores_[order[i]], labels[i] = positive_[order[i]];
  line.set("positives", static_cast<std::int64_t>(std::count(labels.begin(), labels.end(), 1)));
  const double area = auc_of_sorted(sorted, labels, weights);
  std::vector<double> areas;
  for (std::size_t b = 0; b < replicates() && !std::isnan(area); ++b) {
    for (std::size_t i = 0; i < n; ++i)
      weights[i] = times_drawn(static_cast<std::uint64_t>(units_[order[i]]), b, seed());
    areas.push_back(auc_of_sorted(sorted, labels, weights));
  }
  put(line, "auc", area, quantile(areas, (1 - level()) / 2), quantile(areas, (1 + level()) / 2));
}

void AucOperator::clear() { scores_.clear(), positive_.clear(), units_.clear(); }

void AucOperator::save_score(Archive& group) const {
  group.set("scores", scores_);
  group.set("positive", positive_);
  group.set("units", units_);
}

void AucOperator::load_score(const Archive& group) {
  scores_ = group.get<std::vector<double>>("scores");
  positive_ = group.get<std::vector<std::uint8_t>>("positive");
  units_ = group.get<std::vector<std::int64_t>>("units");
  if (positive_.size() != scores_.size() || units_.size() != scores_.size())
    throw bad_data("the checkpoint's scores and labels do not belong together");
}

std::size_t AucOperator::state_bytes() const { return scores_.size() * (2 * sizeof(double) + 1); }

}  // namespace stream::evaluate
