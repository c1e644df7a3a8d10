/// asr.train: trains the streaming Conformer on a stream of speech and texts.
#pragma once

#include "asr/trainer.hpp"
#include "stream/operator.hpp"

namespace stream::asr {

class TrainOperator final : public Operator {
 public:
  static Spec spec();
  explicit TrainOperator(const Params& params);
  void process(std::size_t port, Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return trainer_.state_bytes(); }
  std::string progress() const override;

 private:
  std::string path_;
  std::int64_t first_, each_;
  Trainer trainer_;
  std::int64_t seen_ = 0;
  Time time_{0};
  Packet audio_;  ///< the utterance whose text has not come yet
};

}  // namespace stream::asr
