/// The parts of the study of collaborative metric learning.
#pragma once

#include "recommenders/cml_trainer.hpp"
#include "recommenders/taste_baselines.hpp"
#include "recommenders/ticket_world.hpp"
#include "stream/study.hpp"

namespace stream::recommenders {

/// A made-up world's log, complete, customer c being called "c<c>".
std::shared_ptr<const TicketLog> log_of_world(const TicketWorld& world);

/// One world: the metric, linear and deep, on random and on skip-gram vectors, against what has no metric.
class CmlQualityPart final : public StudyPart {
 public:
  struct Options {
    std::string name;
    TicketWorldOptions world;
    std::int64_t epochs = 4;
    bool quick = false;
  };
  explicit CmlQualityPart(Options options);
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Arm {
    std::string name;
    bool skip_gram, deep;
  };
  void baselines();
  void finish_arm();
  void claims(std::vector<Object>& out) const;
  void control(std::vector<Object>& out) const;
  Options options_;
  std::unique_ptr<TicketWorld> world_;
  std::shared_ptr<const CmlData> random_, skip_gram_;  ///< the same log, plots by either kind of vectors
  std::vector<Arm> arms_;
  std::size_t at_ = 0;
  std::unique_ptr<CmlTrainer> trainer_;
  std::vector<std::pair<std::string, AudienceQuality>> quality_;
  double base_rate_ = 0, mean_probability_ = 0;  ///< over the training part, of the deep metric
};

/// What must be so to the last digits.
class CmlExactPart final : public OneStepPart {
 public:
  explicit CmlExactPart(std::uint64_t seed) : seed_(seed) {}

 private:
  void measure() override;
  std::uint64_t seed_;
};

}  // namespace stream::recommenders
