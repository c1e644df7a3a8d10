/// diffusion_policy.record: demonstrations of one's own, as they come, into a file to train from.
#pragma once

#include "diffusion_policy/episodes.hpp"
#include "stream/operator.hpp"

namespace stream::diffusion_policy {

class RecordOperator final : public Operator {
 public:
  static Spec spec();
  explicit RecordOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  void close(Time time, Output& out);

  std::string path_;
  Episodes episodes_;  ///< those that have ended
  Episode current_;
  Time newest_{0};
};

}  // namespace stream::diffusion_policy
