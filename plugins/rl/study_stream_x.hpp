/// rl.study_stream_x: what stream-x claims, held against classic learners under a sweep of step sizes.
#pragma once

#include "rl/study_tasks.hpp"

namespace stream::rl {

class StreamXStudy final : public StudySource {
 public:
  static Spec spec();
  explicit StreamXStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;

  Context context_;
  StudySeeds seeds_;
  TaskOptions cartpole_, pendulum_, acrobot_, game_;
  std::int64_t rows_;
  double input_trace_;
  std::vector<std::size_t> series_hidden_;
};

}  // namespace stream::rl
