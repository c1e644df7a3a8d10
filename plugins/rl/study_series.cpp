#include "rl/study_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "rl/predictor.hpp"
#include "rl/sensor_series.hpp"
#include "stream/error.hpp"

namespace stream::rl {

namespace {
constexpr double kOfConstant = 0.6, kOfLinear = 0.8;
constexpr std::size_t kAhead = 2000;  ///< rows behind the last one: 0.99^2000 is 2e-9
constexpr double kGamma = 0.99;

/// The discounted sum of column 7 that follows each row.
std::vector<double> futures(const std::vector<std::array<double, 7>>& rows) {
  std::vector<double> out(rows.size());
  for (std::size_t t = rows.size() - 1; t-- > 0;) out[t] = rows[t + 1][6] + kGamma * out[t + 1];
  return out;
}
}  // namespace

std::vector<SeriesStudy::Learner> SeriesStudy::learners() const {
  std::vector<Learner> out(1);
  out[0].name = "stream TD";
  out[0].settings.hidden = options_.hidden;
  Learner linear{"linear TD(lambda), ObGD", {}};
  linear.settings.hidden = {};
  out.push_back(linear);
  for (const double size : {3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4}) {
    linear.settings.rule = Rule::kSgd, linear.settings.rate = size;
    linear.name = "linear TD(lambda), step size " + quantity(size);
    out.push_back(linear);
  }
  return out;
}

SeriesStudy::Errors SeriesStudy::errors_of(const Learner& learner, std::uint64_t seed) const {
  const auto count = static_cast<std::size_t>(options_.rows);
  const auto rows = sensor_series(count + kAhead, seed);
  const auto truth = futures(rows);
  Settings settings = learner.settings;
  settings.gamma = kGamma;
  Predictor predictor(settings, 7, options_.input_trace, Random(stable_hash("learner", seed)));
  const std::size_t from = count - count / 10;
  Errors out{0, std::vector<double>(kCurvePoints)};
  std::vector<std::size_t> counts(kCurvePoints);
  try {
    for (std::size_t t = 0; t < count; ++t) {
      const double error = predictor.observe(rows[t], rows[t][6], false).value - truth[t];
      out.curve[t * kCurvePoints / count] += error * error;
      ++counts[t * kCurvePoints / count];
      if (t >= from) out.last += error * error;
    }
  } catch (const Error& e) {
    if (e.code() != ExitCode::kFailed) throw;
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return {kInfinity, std::vector<double>(kCurvePoints, kInfinity)};
  }
  out.last = std::sqrt(out.last / static_cast<double>(count - from));
  for (std::size_t p = 0; p < kCurvePoints; ++p)
    out.curve[p] = std::sqrt(out.curve[p] / static_cast<double>(counts[p]));
  return out;
}

double SeriesStudy::constant_error(std::uint64_t seed) const {
  const auto count = static_cast<std::size_t>(options_.rows);
  const auto truth = futures(sensor_series(count + kAhead, seed));
  const std::size_t from = count - count / 10;
  double mean = 0, squares = 0;
  for (std::size_t t = from; t < count; ++t) mean += truth[t] / static_cast<double>(count - from);
  for (std::size_t t = from; t < count; ++t) squares += (truth[t] - mean) * (truth[t] - mean);
  return std::sqrt(squares / static_cast<double>(count - from));
}

bool SeriesStudy::step() {
  const auto seeds = static_cast<std::size_t>(seeds_.count);
  const auto all = learners();
  if (errors_.size() == all.size() * seeds) return false;
  const std::uint64_t seed = seeds_.first + errors_.size() % seeds;
  if (errors_.size() < seeds) constants_.push_back(constant_error(seed));
  Errors found = errors_of(all[errors_.size() / seeds], seed);
  errors_.push_back(found.last);
  curves_.push_back(std::move(found.curve));
  return true;
}

std::vector<Object> SeriesStudy::records() const {
  const auto all = learners();
  const auto seeds = static_cast<std::size_t>(seeds_.count);
  // Of all series together: a tenth of one may hold no shift of regime, or three.
  const auto pooled = [&](std::span<const double> errors) {
    double squares = 0;
    for (const double error : errors) squares += error * error / static_cast<double>(seeds);
    return std::sqrt(squares);
  };
  const auto of = [&](std::size_t i) { return std::span(errors_).subspan(i * seeds, seeds); };
  std::size_t rival = 1;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (pooled(of(i)) < pooled(of(rival))) rival = i;
  const auto shown = [&](std::span<const double> errors) {
    std::string text = "RMSE " + quantity(pooled(errors)) + ":";
    for (const double error : errors) text += " " + quantity(error);
    return text;
  };
  const double mine = pooled(of(0)), to_constant = mine / pooled(constants_),
               to_linear = mine / pooled(of(rival));
  std::vector<Object> out = {
      claim("series, stream TD: RMSE over the last tenth / that of the best constant", "-", shown(constants_),
            quantity(to_constant) + ", " + shown(of(0)), "<= " + quantity(kOfConstant),
            to_constant <= kOfConstant),
      claim("series, stream TD: RMSE / that of linear TD(lambda) at its best step size", "-",
            all[rival].name + ", best of " + std::to_string(all.size() - 1) + ": " + shown(of(rival)),
            to_linear, "<= " + quantity(kOfLinear), to_linear <= kOfLinear)};
  const std::string plot = "series: RMSE while learning, by rows";
  for (std::size_t p = 0; p < kCurvePoints; ++p) {
    const double x = static_cast<double>(options_.rows) * (static_cast<double>(p) + 1) / kCurvePoints;
    for (const std::size_t i : {std::size_t{0}, rival}) {
      double sum = 0, low = std::numeric_limits<double>::infinity(), high = 0;
      for (std::size_t k = 0; k < seeds; ++k) {
        const double error = curves_[i * seeds + k][p];
        sum += error, low = std::min(low, error), high = std::max(high, error);
      }
      out.push_back(point(plot, all[i].name, x, sum / static_cast<double>(seeds), low, high));
    }
  }
  return out;
}

double SeriesStudy::fraction() const {
  return static_cast<double>(errors_.size()) /
         static_cast<double>(learners().size() * static_cast<std::size_t>(seeds_.count));
}

std::string SeriesStudy::progress() const {
  return "series: " + std::to_string(errors_.size()) + " predictors";
}

}  // namespace stream::rl
