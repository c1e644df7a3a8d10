#include "compare.hpp"

#include <algorithm>
#include <stdexcept>

namespace stream::bench {
namespace {

double quantile(std::vector<double> sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) throw std::invalid_argument("the median of nothing");
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

Comparison compare(std::size_t pairs, const std::function<double()>& ours,
                   const std::function<double()>& theirs) {
  ours();
  theirs();
  std::vector<double> a, b, ratios;
  for (std::size_t i = 0; i < pairs; ++i) {
    if (i % 2 == 0) {
      a.push_back(ours());
      b.push_back(theirs());
    } else {
      b.push_back(theirs());
      a.push_back(ours());
    }
    ratios.push_back(a.back() / b.back());
  }
  std::sort(ratios.begin(), ratios.end());
  const double ratio = quantile(ratios, 0.5);
  return {median(a), median(b), ratio, (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 2 / ratio};
}

Row row(std::string what, std::string peer, std::string unit, const Comparison& c, double bar) {
  return {std::move(what), std::move(peer), c.ours, c.theirs, std::move(unit), c.ratio, bar, c.spread};
}

testing::Outcome run_or_throw(testing::Program program) {
  program.deadline = std::chrono::minutes(20);
  testing::Outcome outcome = testing::run(program);
  if (outcome.exit_code == 0) return outcome;
  std::string command;
  for (const std::string& argument : program.argv) command += (command.empty() ? "" : " ") + argument;
  throw std::runtime_error("'" + command + "' ended with " + std::to_string(outcome.exit_code) + ": " +
                           outcome.err);
}

std::string stream_program() { return STREAM_BINARY_DIR "/bin/stream"; }

}  // namespace stream::bench
