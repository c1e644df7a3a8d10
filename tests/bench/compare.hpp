/// Fair comparisons on a noisy machine: pairs run back to back, in alternating order, and medians of their
/// ratios.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "program/program.hpp"

namespace stream::bench {

/// One line of the table.
struct Row {
  std::string what, peer;
  double ours = 0, theirs = 0;
  std::string unit;
  double ratio = 0;   ///< ours : theirs, median over the pairs
  double bar = 0;     ///< the ratio may be at most this
  double spread = 0;  ///< half the distance between the quartiles of the ratio, relative to it
  bool held() const { return ratio <= bar; }
};

struct Benchmark {
  std::string name, about;
  std::function<std::vector<Row>()> measure;
};

std::vector<Benchmark> graph_benchmarks();
std::vector<Benchmark> text_benchmarks();
std::vector<Benchmark> captions_benchmarks();
std::vector<Benchmark> learner_benchmarks();
std::vector<Benchmark> event_benchmarks();
std::vector<Benchmark> language_model_benchmarks();
std::vector<Benchmark> video_benchmarks();
std::vector<Benchmark> user_benchmarks();

/// Throws std::invalid_argument for an empty list.
double median(std::vector<double> values);

struct Comparison {
  double ours, theirs, ratio, spread;
};
/// Takes `pairs` pairs of measurements after one of each that is thrown away.
Comparison compare(std::size_t pairs, const std::function<double()>& ours,
                   const std::function<double()>& theirs);
Row row(std::string what, std::string peer, std::string unit, const Comparison& comparison, double bar);

/// Runs it and throws std::runtime_error with its stderr unless it exits with 0: a failed run is no
/// measurement.
testing::Outcome run_or_throw(testing::Program program);
std::string stream_program();

}  // namespace stream::bench
