/// diffusion_policy.act: observations in, actions out.
#pragma once

#include <deque>

#include "diffusion_policy/sampler.hpp"
#include "stream/operator.hpp"

namespace stream::diffusion_policy {

class ActOperator final : public Operator {
 public:
  static Spec spec();
  explicit ActOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  /// The robots' observations of one tick, [robots, Do]; throws when they are anything else.
  std::vector<float> observed(const Record& record) const;
  void begin();

  std::int64_t robots_;
  bool timings_;
  Sampler sampler_;
  Random seeds_;                            ///< of the episodes
  std::deque<std::vector<float>> history_;  ///< the last To ticks; empty before the first of an episode
  std::int64_t tick_ = 0;                   ///< of the episode
};

}  // namespace stream::diffusion_policy
