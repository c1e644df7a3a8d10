#include "rl/study_task.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>

namespace stream::rl {

/// As many lives as the run has threads: none depends on another.
bool TaskStudy::step() {
  const auto seeds = static_cast<std::size_t>(seeds_.count);
  const std::size_t left = trials_.size() * seeds - done_;
  if (left == 0) return false;
  const auto threads = static_cast<std::size_t>(std::max(1, tbb::this_task_arena::max_concurrency()));
  std::vector<Life> made(std::min(left, threads));
  tbb::parallel_for(std::size_t{0}, made.size(), [&](std::size_t n) {
    const std::size_t i = (done_ + n) / seeds, k = (done_ + n) % seeds;
    made[n] = live(trials_[i], seeds_.first + k, context_);
  });
  for (Life& life : made) lives_[done_++ / seeds].push_back(std::move(life));
  return true;
}

double TaskStudy::fraction() const {
  return static_cast<double>(done_) /
         static_cast<double>(trials_.size() * static_cast<std::size_t>(seeds_.count));
}

std::string TaskStudy::progress() const {
  const std::size_t i = std::min(done_ / static_cast<std::size_t>(seeds_.count), trials_.size() - 1);
  return title_ + ": " + trials_[i].name;
}

std::vector<double> TaskStudy::returns(std::size_t i) const {
  std::vector<double> out;
  for (const Life& life : lives_[i]) out.push_back(life.late_return);
  return out;
}

double TaskStudy::median_return(std::size_t i, double lost) const {
  auto values = returns(i);
  for (double& v : values)
    if (std::isnan(v)) v = lost;
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return 0.5 * (values[(n - 1) / 2] + values[n / 2]);
}

double TaskStudy::mean_return(std::size_t i, double lost) const {
  double sum = 0;
  for (const double v : returns(i)) sum += std::isnan(v) ? lost : v;
  return sum / static_cast<double>(lives_[i].size());
}

bool TaskStudy::diverged(std::size_t i) const {
  return std::any_of(lives_[i].begin(), lives_[i].end(), [](const Life& life) { return life.diverged; });
}

std::size_t TaskStudy::best(std::size_t from, std::size_t to, double lost) const {
  std::size_t found = from;
  for (std::size_t i = from; i < to; ++i)
    if (mean_return(i, lost) > mean_return(found, lost)) found = i;
  return found;
}

std::string TaskStudy::all_seeds(std::size_t i, double lost) const {
  std::string text = "median " + quantity(median_return(i, lost)) + ":";
  for (const double v : returns(i)) text += std::isnan(v) ? " NaN" : " " + quantity(v);
  return text;
}

std::vector<Object> TaskStudy::records() const {
  auto out = claims();
  for (const std::size_t i : plotted()) {
    for (std::size_t p = 0; p < kCurvePoints; ++p) {
      double sum = 0, low = 0, high = 0;
      std::size_t count = 0;
      for (const Life& life : lives_[i]) {
        const double v = life.curve[p];
        if (std::isnan(v)) continue;
        low = count == 0 ? v : std::min(low, v), high = count == 0 ? v : std::max(high, v);
        sum += v, ++count;
      }
      if (count == 0) continue;
      const double x = static_cast<double>(trials_[i].steps) * (static_cast<double>(p) + 1) / kCurvePoints;
      const std::string plot = title_ + ": return while learning, by steps";
      out.push_back(point(plot, trials_[i].name, x, sum / static_cast<double>(count), low, high));
    }
  }
  return out;
}

}  // namespace stream::rl
