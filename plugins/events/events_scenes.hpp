/// events.scenes: logs of other shapes as scenes.
#pragma once

#include <map>

#include "events/scene_mapping.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class ScenesOperator final : public Operator {
 public:
  static Spec spec();
  explicit ScenesOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  /// The steps under way, all of one time.
  struct Step {
    Packet first;  ///< its time and key
    std::int64_t line = 0;
    Array nodes;
  };
  void emit(Output& out);
  SceneMapping mapping_;
  Time time_ = kTimeMin;
  std::map<std::string, Step> open_;  ///< by key
};

}  // namespace stream::events
