/// The part of the study that needs trained policies: success in held-out episodes.
#pragma once

#include <functional>
#include <map>

#include "diffusion_policy/rollouts.hpp"
#include "stream/study.hpp"

namespace stream::diffusion_policy {

/// One pair of training seeds: how it was trained is in the files.
class QualityPart final : public StudyPart {
 public:
  struct Options {
    std::string models;  ///< folder and task: "share/models/gate-world", to which "-streaming-0.h5" is added
    std::int64_t seed = 0;
    std::string environment;
    std::int64_t episodes = 200;
    std::uint64_t held_out = 0;
    /// Comparisons may miss their bars by two standard errors: few episodes tell no more.
    bool quick = false;
    Context context;
  };
  explicit QualityPart(Options options);
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Contender {
    std::string name;
    const Policy* policy;
    SamplerOptions sampling;
  };
  std::string task() const;
  /// For the end of a claim: " (push-t, training seed 0)".
  std::string where() const;
  /// What counts in this task: success, distance (the less the better) or coverage.
  double score(const Rollouts& rollouts) const;
  /// Two standard errors of the difference of two scores between 0 and 1, when quick; else 0.
  double slack(double a, double b = 0) const;
  /// A claim that `measured` is at least `wanted` away from `baseline`, upwards (or, with `below`,
  /// downwards).
  Object compared(const std::string& what, Value paper, double baseline, double measured, double wanted,
                  bool below = false) const;
  void claims_of_success(std::vector<Object>& out) const;
  void claims_of_score(std::vector<Object>& out) const;
  void claims_of_coverage(std::vector<Object>& out) const;
  const Rollouts& of(const std::string& name) const { return found_.at(name); }

  Options options_;
  Policy streaming_, diffusion_, cloning_;
  std::vector<Contender> contenders_;
  std::map<std::string, Rollouts> found_;
};

}  // namespace stream::diffusion_policy
