/// events.hawkes: a made-up log of typed events whose regime changes.
#pragma once

#include "events/hawkes.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class HawkesSource final : public Source {
 public:
  static Spec spec();
  explicit HawkesSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override { return static_cast<double>(next_) / static_cast<double>(count_); }
  void save(Archive& state) const override;
  void load(const Archive& state) override;

 private:
  std::vector<Hawkes> regimes_;
  Random random_;
  std::size_t length_;
  std::int64_t count_, each_, next_ = 0;
};

}  // namespace stream::events
