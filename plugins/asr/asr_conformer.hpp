/// asr.conformer: live captions. The cache-aware streaming Conformer of arXiv 2312.17279 as an operator.
#pragma once

#include <optional>

#include "asr/ctc_decoder.hpp"
#include "asr/stream_encoder.hpp"
#include "stream/operator.hpp"

namespace stream::asr {

class ConformerOperator final : public Operator {
 public:
  static Spec spec();
  explicit ConformerOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override { return newest_; }

 private:
  void decode(std::int64_t first, const Conformer::Heads& heads, Output& out);
  void emit(const std::vector<RecognisedWord>& words, Output& out);
  void end_segment(Output& out);
  Time at(std::int64_t frame) const { return base_ + frame * kFrameTime; }

  static constexpr Duration kFrameTime = std::chrono::milliseconds(80);
  RecogniserModel model_;
  StreamEncoder encoder_;
  CtcWordDecoder decoder_;
  bool started_ = false;
  Time base_{0};           ///< time of the segment's first sample
  std::int64_t next_ = 0;  ///< encoder frames decoded in this segment
  std::string newest_;
};

}  // namespace stream::asr
