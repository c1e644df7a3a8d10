/// When a running score is said: prequentially, further and further apart, and at the ends of periods.
#pragma once

#include <string>
#include <vector>

#include "stream/operator.hpp"

namespace stream::evaluate {

/// The base of operators that keep a score: what they share is when they speak, and of which period.
///
/// A period ends where a time of `split` lies: the events before it are scored apart from those after it.
/// What a model has learnt from the first period is then tested on the second.
class ScoreLines : public Operator {
 public:
  /// The spec with the parameters that all of them have.
  static Spec with_params(Spec spec);
  void process(Packet in, Output& out) final;
  void finish(Output& out) final;
  void save(Archive& state) const final;
  void load(const Archive& state) final;

 protected:
  explicit ScoreLines(const Params& params);
  /// Takes one event in; false when it has nothing to score. Throws before it changes anything.
  virtual bool score(const Packet& in, std::uint64_t unit) = 0;
  /// What is known of the period so far, into `line`.
  virtual void report(Object& line) const = 0;
  virtual void clear() = 0;
  virtual void save_score(Archive& group) const = 0;
  virtual void load_score(const Archive& group) = 0;
  /// Number, and interval under its name + "_interval"; null when there is nothing to say.
  static void put(Object& line, const std::string& name, double value, double low, double high);

  std::size_t replicates() const { return replicates_; }
  double level() const { return level_; }
  std::uint64_t seed() const { return seed_; }

 private:
  void say(Time time, bool final, Output& out);
  std::size_t replicates_;
  double level_;
  std::uint64_t seed_;
  std::string unit_;
  std::int64_t first_;
  double factor_;
  std::vector<double> split_;
  std::int64_t events_ = 0, all_ = 0, next_, period_ = 0;
};

}  // namespace stream::evaluate
