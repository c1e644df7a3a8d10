/// events.timegraphs_train: from a log of scenes and labels to a model for events.timegraphs.
#pragma once

#include "events/event_pretraining.hpp"
#include "events/scene_log.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class TimeGraphsTrainSource final : public Source {
 public:
  static Spec spec();
  explicit TimeGraphsTrainSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  void begin_head();
  Object finish() const;
  std::string path_;
  Asked asked_;
  std::shared_ptr<const Games> games_;
  std::vector<std::size_t> training_, validation_;
  HierarchyOptions hierarchy_;
  GameTrainerOptions options_;
  std::int64_t hidden_, layers_, report_;
  std::uint64_t seed_;
  std::unique_ptr<EventPretraining> events_;
  std::shared_ptr<GraphAnswerer> answerer_;
  std::unique_ptr<GameTrainer> head_;
  bool written_ = false;
};

}  // namespace stream::events
