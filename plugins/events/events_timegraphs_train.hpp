/// events.timegraphs_train: from a log of scenes and labels to a model for events.timegraphs.
#pragma once

#include "events/joint_training.hpp"
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
  bool begun() const { return head_ || joint_; }
  std::int64_t head_steps() const { return joint_ ? joint_->steps() : head_ ? head_->steps() : 0; }
  double head_loss() const { return joint_ ? joint_->loss() : head_->loss(); }
  Object finish() const;
  std::string path_;
  Asked asked_;
  std::shared_ptr<const Games> games_;
  std::vector<std::size_t> training_, validation_;
  HierarchyOptions hierarchy_;
  GameTrainerOptions options_;
  std::int64_t hidden_, layers_, report_;
  std::uint64_t seed_;
  bool together_;
  std::unique_ptr<EventPretraining> events_;
  std::shared_ptr<ReasoningHead> network_;
  std::unique_ptr<GameTrainer> head_;    ///< where the event model stays as it is,
  std::unique_ptr<JointTrainer> joint_;  ///< where it does not
  bool written_ = false;
};

}  // namespace stream::events
