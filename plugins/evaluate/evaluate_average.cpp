#include "evaluate/evaluate_average.hpp"

#include <cmath>
#include <cstdio>

#include "stream/error.hpp"

namespace stream::evaluate {

Spec AverageOperator::spec() {
  return with_params(
             Spec("evaluate.average",
                  "Score predictions by their error or likelihood, with bootstrap intervals.")
                 .input<Record>("in", "one predicted event each")
                 .output<Record>(
                     "score",
                     "{\"period\", \"events\", NAME, NAME_interval}, where NAME is the measure; the last "
                     "of a period has \"final\": true")
                 .param("measure", "rmse", "what is averaged",
                        choices({"rmse", "absolute", "log_likelihood", "mean"}))
                 .param("member", "value",
                        "the prediction, the log-likelihood (in nats) or the number itself")
                 .param("target", std::string(),
                        "member with the truth, for rmse and absolute; empty: the member is the error")
                 .contract({.order = Order::kStateful}))
      .about(
          "\"rmse\" is the root of the mean square of member - target, \"absolute\" the mean of its "
          "magnitude; "
          "\"log_likelihood\" and \"mean\" average the member, as log-likelihood for each event. An event "
          "whose "
          "member or target is null has nothing to compare yet and does not count. Intervals are percentiles "
          "over "
          "Poisson resamplings of whole units.")
      .paper("Chamandy, Muralidharan, Najmi, Naidu, Estimating uncertainty for massive data streams, 2012")
      .example("How far predictions are off", R"([nodes.events]
use = "records.generate"

[nodes.error]
use    = "evaluate.average"
from   = "events"
member = "value"

[nodes.out]
use  = "jsonl.write"
from = "error"
)");
}

AverageOperator::AverageOperator(const Params& p)
    : ScoreLines(p),
      measure_(p.get<std::string>("measure")),
      member_(p.get<std::string>("member")),
      target_(p.get<std::string>("target")),
      average_(replicates(), seed()) {
  if (!target_.empty() && measure_ != "rmse" && measure_ != "absolute")
    throw bad_recipe("measure = \"" + measure_ + "\" has no use for a target; expected rmse or absolute");
}

bool AverageOperator::score(const Packet& in, std::uint64_t unit) {
  const auto& record = in.as<Record>();
  const auto number = [&](const std::string& name, const Value& value) {
    // Sums of squares of as many as a stream can bring stay finite.
    if (!value.is_number() || !(std::abs(value.as_double()) < 1e140))
      throw bad_data("member '" + name + "' is " + value.dump() + ", expected a number below 1e140");
    return value.as_double();
  };
  const Value& found = record.at(member_);
  if (found.is_null()) return false;
  double value = number(member_, found);
  if (!target_.empty()) {
    const Value& truth = record.at(target_);
    if (truth.is_null()) return false;
    value -= number(target_, truth);
  }
  average_.add(unit, measure_ == "rmse" ? value * value : measure_ == "absolute" ? std::abs(value) : value);
  return true;
}

void AverageOperator::report(Object& line) const {
  const auto scaled = [&](double v) { return measure_ == "rmse" ? std::sqrt(v) : v; };
  const Interval interval = average_.interval(level());
  put(line, measure_, scaled(average_.mean()), scaled(interval.low), scaled(interval.high));
}

std::string AverageOperator::progress() const {
  if (average_.count() == 0) return {};
  char text[64];
  std::snprintf(text, sizeof text, "%s %.4g", measure_.c_str(),
                measure_ == "rmse" ? std::sqrt(average_.mean()) : average_.mean());
  return text;
}

}  // namespace stream::evaluate
