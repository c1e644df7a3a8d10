/// Parts of the study of stream-x that let learners live in an environment: each learner of a list once for
/// each seed, all with the same steps.
#pragma once

#include "rl/trial.hpp"
#include "stream/study.hpp"

namespace stream::rl {

struct StudySeeds {
  std::uint64_t first = 0;
  std::int64_t count = 0;
};

class TaskStudy : public StudyPart {
 public:
  TaskStudy(std::string title, std::vector<Trial> trials, StudySeeds seeds, Context context)
      : title_(std::move(title)),
        trials_(std::move(trials)),
        lives_(trials_.size()),
        seeds_(seeds),
        context_(std::move(context)) {}
  bool step() final;
  std::vector<Object> records() const final;
  double fraction() const final;
  std::string progress() const final;

 protected:
  /// Claims over all lives.
  virtual std::vector<Object> claims() const = 0;
  /// Which trials have their learning curves in the report.
  virtual std::vector<std::size_t> plotted() const = 0;

  const std::string& title() const { return title_; }
  std::size_t trials() const { return trials_.size(); }
  const Trial& trial(std::size_t i) const { return trials_[i]; }
  const std::vector<Life>& lives(std::size_t i) const { return lives_[i]; }
  /// Late returns of trial i, one for each seed.
  std::vector<double> returns(std::size_t i) const;
  /// Over its seeds; those that diverged, or ended no episode, count as `lost`.
  double median_return(std::size_t i, double lost) const;
  double mean_return(std::size_t i, double lost) const;
  bool diverged(std::size_t i) const;
  /// The trial of the greatest mean return among `from` to the end.
  std::size_t best(std::size_t from, std::size_t to, double lost) const;
  /// "median 486: 488 452 344 NaN", every seed.
  std::string all_seeds(std::size_t i, double lost) const;

 private:
  std::string title_;
  std::vector<Trial> trials_;
  std::vector<std::vector<Life>> lives_;
  StudySeeds seeds_;
  Context context_;
  std::size_t done_ = 0;
};

}  // namespace stream::rl
