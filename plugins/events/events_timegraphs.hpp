/// events.timegraphs: events of three levels out of scenes as they come, and answers with their reasons.
#pragma once

#include "events/timegraphs_model.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class TimeGraphsOperator final : public Operator {
 public:
  static Spec spec();
  explicit TimeGraphsOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return hierarchy_.bytes(); }

 private:
  Object answer(const Scene& scene) const;
  void emit_ended(const Packet& in, Output& out);
  std::shared_ptr<const TimeGraphs> model_;
  EventHierarchy hierarchy_;
  std::int64_t every_, reasons_;
  Time newest_ = kTimeMin;
};

}  // namespace stream::events
