/// Part of the study of stream-x: what has to hold exactly: the bound of every update, memory that does not
/// grow, and a resume to the bit.
#pragma once

#include <optional>

#include "rl/study_task.hpp"

namespace stream::rl {

class ExactStudy final : public StudyPart {
 public:
  struct Options {
    Trial trial;                         ///< a stream Q learner
    std::int64_t updates = 100'000;      ///< whose movement is measured
    std::int64_t endurance = 1'000'000;  ///< steps over which memory must not grow
  };
  ExactStudy(Options options, std::uint64_t seed, Context context)
      : options_(std::move(options)), seed_(seed), context_(std::move(context)) {}
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override { return done_ / 3.0; }
  std::string progress() const override { return "exact: the bound, memory, resuming"; }

 private:
  void measure_bound();
  void measure_memory();
  void measure_resume();

  Options options_;
  std::uint64_t seed_;
  Context context_;
  int done_ = 0;
  double moved_ = 0;     ///< most that one update moved the weights, in all
  double resident_ = 0;  ///< growth in MiB
  std::size_t state_before_ = 0, state_after_ = 0;
  std::int64_t different_ = 0;  ///< weights that differ after resuming
};

}  // namespace stream::rl
