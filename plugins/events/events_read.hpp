/// events.read: a log of events in order, with what was wrong on a port of its own.
#pragma once

#include "events/event_log.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class EventsRead final : public Source {
 public:
  static Spec spec();
  explicit EventsRead(const Params& params);
  bool read(Output& out) override;
  void interrupt() override { log_.interrupt(); }
  double fraction() const override { return log_.fraction(); }
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return log_.bytes(); }
  std::string progress() const override;

 private:
  std::string node_;
  EventLog log_;
  Time said_ = kTimeMin;
  bool summed_up_ = false;
};

/// The record that an event is passed on as: {"line", "key", "item", "time": seconds, ...}.
Object record_of(const Event& event);

}  // namespace stream::events
