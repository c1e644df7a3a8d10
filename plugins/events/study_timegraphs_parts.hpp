/// The parts of events.timegraphs_study that train: one for each task.
#pragma once

#include <map>

#include "events/event_pretraining.hpp"
#include "events/sequence_answerers.hpp"
#include "events/timegraphs_model.hpp"
#include "stream/study.hpp"

namespace stream::events {

class TimeGraphsTaskPart final : public StudyPart {
 public:
  struct Options {
    std::string task;  ///< "counter", "next" or "spies"
    std::uint64_t seed = 0;
    std::int64_t seeds = 3, train = 3000, test = 300, steps = 600, event_steps = 150;
    std::array<double, 2> keep{0.15, 0.4};
    std::int64_t horizon = 2;
    double dropout = 0;
    bool quick = false;
  };
  explicit TimeGraphsTaskPart(Options options);
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  enum class Kind : std::uint8_t { kEvents, kRandom, kUniform, kFlat, kGru, kTransformer };
  struct Arm {
    std::string name;
    Kind kind;
    double rate;
  };
  /// Named figures of an arm in a seed.
  using Score = std::map<std::string, double>;
  bool counter() const { return options_.task == "counter"; }
  Game play(Random& random, std::int64_t players) const;
  void begin_seed();
  void begin_arm();
  void end_arm();
  Score measure(const Answerer& answerer, const Games& games, std::span<const std::size_t> which) const;
  void measure_events(const GrownGraphs& graphs);
  HierarchyOptions hierarchy(Kind kind) const;
  std::vector<double> over_seeds(const std::string& arm, const std::string& figure) const;
  void counter_claims(std::vector<Object>& out) const;
  void next_claims(std::vector<Object>& out) const;
  void spies_claims(std::vector<Object>& out) const;

  Options options_;
  std::vector<Arm> arms_;
  Asked asked_;
  std::int64_t seed_ = 0;
  std::size_t arm_ = 0;
  std::shared_ptr<Games> games_;
  std::vector<std::size_t> training_, validation_, testing_;
  std::unique_ptr<EventPretraining> events_;
  std::shared_ptr<Answerer> answerer_;
  std::unique_ptr<GameTrainer> trainer_;
  std::int64_t flat_horizon_ = 1, parameters_ = 0;
  std::vector<std::map<std::string, Score>>
      scores_;  ///< [seed] by arm; of two rates the better on validation
};

}  // namespace stream::events
