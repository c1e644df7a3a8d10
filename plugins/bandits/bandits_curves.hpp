/// bandits.curves and bandits.recovering_arms: arms whose rewards recover, with known curves.
#pragma once

#include "bandits/recovery_curves.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

/// Both sources' parameters.
inline Spec with_instance_params(Spec spec) {
  return std::move(spec)
      .param("arms", std::int64_t{10}, "how many", range(1, 1e5))
      .param("idle", std::int64_t{16}, "periods after which every arm has recovered", range(1, 4096),
             unit("periods"))
      .param("type", std::int64_t{2},
             "of the curves: 0 exponential, 1 a threshold, 2 any nondecreasing ones, 3 traps for the greedy",
             range(0, 3));
}
inline RecoveryCurves instance(const Params& p) {
  Random random = p.random();
  return recovery_instance(p.get<int>("type"), p.get<std::size_t>("arms"), p.get<std::size_t>("idle"),
                           random);
}

class CurvesSource final : public Source {
 public:
  static Spec spec() {
    return with_instance_params(Spec("bandits.curves", "Make curves of rewards that recover with idle time.")
                                    .output<Record>("out", "{\"arm\", \"idle\", \"reward\"}, arm by arm"))
        .contract({.order = Order::kStateful})
        .example("A table to plan with", R"([nodes.curves]
use  = "bandits.curves"
arms = 3
idle = 4

[nodes.out]
use  = "jsonl.write"
from = "curves"
)");
  }
  explicit CurvesSource(const Params& p) : curves_(instance(p)) {}
  bool read(Output& out) override {
    if (arm_ == curves_.arms()) return false;
    for (std::size_t d = 1; d <= curves_.idle(); ++d) {
      out.emit(Packet::of<Record>(Time{static_cast<std::int64_t>(arm_ * curves_.idle() + d - 1)},
                                  Object{{"arm", static_cast<std::int64_t>(arm_)},
                                         {"idle", static_cast<std::int64_t>(d)},
                                         {"reward", curves_.at(arm_, d)}}));
    }
    return ++arm_ < curves_.arms();
  }
  double fraction() const override { return static_cast<double>(arm_) / static_cast<double>(curves_.arms()); }
  void save(Archive& state) const override { state.set("arm", static_cast<std::uint64_t>(arm_)); }
  void load(const Archive& state) override { arm_ = state.get<std::uint64_t>("arm"); }

 private:
  RecoveryCurves curves_;
  std::size_t arm_ = 0;
};

class RecoveringArmsSource final : public Source {
 public:
  static Spec spec() {
    return with_instance_params(
               Spec("bandits.recovering_arms", "Declare arms with known recovery curves, then count periods.")
                   .output<Record>(
                       "out",
                       "{\"arms\": [0, 1, ...], \"curves\": [[reward by idle time]]}, then {\"t\": 0}, "
                       "{\"t\": 1} ..."))
        .param("periods", std::int64_t{1000}, "how many; 0: without end", range(0, 1e15))
        .contract({.order = Order::kStateful})
        .example("Six arms and two hundred periods", R"([nodes.world]
use     = "bandits.recovering_arms"
arms    = 6
periods = 200

[nodes.out]
use  = "jsonl.write"
from = "world"
)");
  }
  explicit RecoveringArmsSource(const Params& p)
      : curves_(instance(p)), periods_(p.get<std::int64_t>("periods")) {}
  bool read(Output& out) override {
    if (next_ < 0) {
      Array arms, curves;
      for (std::size_t arm = 0; arm < curves_.arms(); ++arm) {
        Array curve;
        for (std::size_t d = 1; d <= curves_.idle(); ++d) curve.emplace_back(curves_.at(arm, d));
        arms.emplace_back(static_cast<std::int64_t>(arm));
        curves.emplace_back(std::move(curve));
      }
      out.emit(Packet::of<Record>(Time{next_++},
                                  Object{{"arms", std::move(arms)}, {"curves", std::move(curves)}}));
      return true;
    }
    constexpr int kBatch = 64;
    for (int i = 0; i < kBatch && (periods_ == 0 || next_ < periods_); ++i, ++next_)
      out.emit(Packet::of<Record>(Time{next_}, Object{{"t", next_}}));
    return periods_ == 0 || next_ < periods_;
  }
  double fraction() const override {
    return periods_ == 0 ? -1 : static_cast<double>(next_ + 1) / static_cast<double>(periods_ + 1);
  }
  void save(Archive& state) const override { state.set("next", next_); }
  void load(const Archive& state) override { next_ = state.get<std::int64_t>("next"); }

 private:
  RecoveryCurves curves_;
  std::int64_t periods_;
  std::int64_t next_ = -1;  ///< -1: the declaration
};

}  // namespace stream::bandits
