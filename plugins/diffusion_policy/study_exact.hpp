/// The parts of the study that chance has no say in: network calls, memory, and what the buffer must be; and
/// time.
#pragma once

#include "diffusion_policy/rollouts.hpp"
#include "stream/study.hpp"

namespace stream::diffusion_policy {

class ExactPart final : public StudyPart {
 public:
  struct Options {
    Policy streaming, diffusion;
    std::int64_t calls = 40;  ///< of each sampler, in alternating pairs
    bool time = false;        ///< state the time, and nothing else
    std::uint64_t seed = 0;
  };
  explicit ExactPart(Options options) : options_(std::move(options)) {}
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override { return done_ ? 1 : 0; }
  std::string progress() const override { return "calls and times"; }

 private:
  void time_pairs();
  Options options_;
  bool done_ = false;
  std::vector<std::int64_t> streaming_calls_, full_calls_;
  std::vector<double> ratios_;
  std::size_t first_bytes_ = 0, last_bytes_ = 0;
  bool carried_ = true, equal_ = false, told_apart_ = false;
};

/// Whether the buffer of one chunk (Tp = To-1+Ta) is plain DDPM sampling, given the same noise: every value,
/// bit for bit, over three calls with a network of random weights.
bool one_chunk_is_plain_sampling(std::uint64_t seed);
/// Whether another buffer, with the same noise drawn and the same observations, gives other actions.
bool buffer_is_carried(const Policy& policy, std::uint64_t seed);
/// Whether exchanging the diffusion steps of two positions changes what the network predicts.
bool positions_are_told_apart(const Policy& policy, std::uint64_t seed);

}  // namespace stream::diffusion_policy
