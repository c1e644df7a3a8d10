/// Part of the study of stream-x: prediction of a series by stream TD(lambda), against linear TD(lambda) and
/// the best constant.
#pragma once

#include "rl/settings.hpp"
#include "rl/study_task.hpp"

namespace stream::rl {

class SeriesStudy final : public StudyPart {
 public:
  struct Options {
    std::int64_t rows = 70'000;
    double input_trace = 0;
    std::vector<std::size_t> hidden;
  };
  SeriesStudy(const Options& options, StudySeeds seeds) : options_(options), seeds_(seeds) {}
  /// One predictor on one series.
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Learner {
    std::string name;
    Settings settings;
  };
  std::vector<Learner> learners() const;
  /// RMSE of predictions: over the last tenth of the rows, and in each fortieth of them.
  struct Errors {
    double last = 0;
    std::vector<double> curve;
  };
  Errors errors_of(const Learner& learner, std::uint64_t seed) const;
  double constant_error(std::uint64_t seed) const;

  Options options_;
  StudySeeds seeds_;
  std::vector<double> errors_;               ///< RMSE over the last tenth, learner by learner, seed by seed
  std::vector<std::vector<double>> curves_;  ///< RMSE in each fortieth of the rows, likewise
  std::vector<double> constants_;            ///< RMSE of the best constant, by seed
};

}  // namespace stream::rl
