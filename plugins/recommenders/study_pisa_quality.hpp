/// The parts of recommenders.pisa_study: one world and one set of initial weights each.
#pragma once

#include "recommenders/listening_world.hpp"
#include "recommenders/pisa_trainer.hpp"
#include "stream/study.hpp"

namespace stream::recommenders {

/// The log that a world makes, in memory.
std::shared_ptr<const SessionLog> log_of_world(const WorldOptions& world);

class PisaQualityPart final : public StudyPart {
 public:
  struct Options {
    std::string name;  ///< "seed 0"
    WorldOptions world;
    std::int64_t epochs = 20, features = 64;
    bool control = false;  ///< only PISA against plain means, where memory must not matter
    bool quick = false;    ///< figures alone
  };
  explicit PisaQualityPart(Options options);
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Arm {
    std::string name;
    bool sasrec, activations;
  };
  TrainerOptions trainer_options(const Arm& arm) const;
  void finish_arm();
  std::vector<Object> control_claims() const;
  std::vector<Object> quality_claims() const;
  Options options_;
  std::shared_ptr<const SessionLog> log_;
  std::vector<Arm> arms_;
  std::size_t at_ = 0;
  std::unique_ptr<PisaTrainer> trainer_;
  std::vector<Quality> quality_;  ///< of each arm
  Quality counts_, base_, popularity_;
  Quality world_;          ///< by the chances that the world gives
  double repetition_ = 0;  ///< of the data
  std::vector<double> weights_;
  std::int64_t parameters_ = 0;
};

class PisaExactPart final : public OneStepPart {
 public:
  explicit PisaExactPart(std::uint64_t seed) : seed_(seed) {}

 private:
  void measure() override;
  std::uint64_t seed_;
};

}  // namespace stream::recommenders
