/// events.timegraphs_study: reasoning over a graph of events against sequence models and other graphs.
#pragma once

#include "stream/study.hpp"

namespace stream::events {

class TimeGraphsStudy final : public StudySource {
 public:
  static Spec spec();
  explicit TimeGraphsStudy(const Params& params);

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const override;
  std::uint64_t seed_;
  bool quick_;
  std::int64_t seeds_, train_, test_, steps_;
  std::vector<double> keep_;
  std::int64_t horizon_;
  double dropout_;
  std::int64_t event_steps_;
};

}  // namespace stream::events
