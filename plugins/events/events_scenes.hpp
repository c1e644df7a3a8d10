/// events.scenes: logs of other shapes as scenes.
#pragma once

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
  void emit(Output& out);
  SceneMapping mapping_;
  Array nodes_;   ///< rows of the step under way
  Packet first_;  ///< the first of them: its time, key and line
  std::int64_t line_ = 0;
  bool open_ = false;
};

}  // namespace stream::events
