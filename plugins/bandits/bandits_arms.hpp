/// bandits.arms: streams of arms with known means.
#pragma once

#include "bandits/arm_stream.hpp"
#include "stream/operator.hpp"

namespace stream::bandits {

class ArmsSource final : public Source {
 public:
  static Spec spec() {
    return Spec("bandits.arms", "Make arms with known mean rewards: the same for the same seed.")
        .output<Record>("out", "{\"arm\": 0, 1, ..., \"mean\": in [0, 1]}")
        .param("count", std::int64_t{1000}, "arms", range(1, 1e7))
        .param("setting", "clear-cut", "means from N(0.5, 0.1) on [0, 0.8] and one of 0.82, or uniform means",
               choices({"clear-cut", "mix-in"}))
        .param("order", "random", "of the means", choices({"random", "ascending", "descending"}))
        .contract({.order = Order::kStateful})
        .about(
            "The settings of Wang (ICML 2023). Means are drawn all at once: memory is 8 bytes for each arm.")
        .example("Arms that get better and better", R"([nodes.arms]
use   = "bandits.arms"
count = 100
order = "ascending"

[nodes.out]
use  = "jsonl.write"
from = "arms"
)");
  }
  explicit ArmsSource(const Params& p) {
    Random random = p.random();
    means_ = arm_means(
        {p.get<std::string>("setting"), p.get<std::string>("order"), p.get<std::size_t>("count")}, random);
  }
  bool read(Output& out) override {
    constexpr std::size_t kBatch = 64;
    for (std::size_t i = 0; i < kBatch && next_ < means_.size(); ++i, ++next_) {
      out.emit(
          Packet::of<Record>(Time{static_cast<std::int64_t>(next_)},
                             Object{{"arm", static_cast<std::int64_t>(next_)}, {"mean", means_[next_]}}));
    }
    return next_ < means_.size();
  }
  double fraction() const override { return static_cast<double>(next_) / static_cast<double>(means_.size()); }
  void save(Archive& state) const override { state.set("next", static_cast<std::uint64_t>(next_)); }
  void load(const Archive& state) override { next_ = state.get<std::uint64_t>("next"); }

 private:
  std::vector<double> means_;
  std::size_t next_ = 0;
};

}  // namespace stream::bandits
