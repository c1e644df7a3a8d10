/// superres.live: networks for what is being recorded, trained on what has just been.
#pragma once

#include <optional>
#include <thread>

#include "stream/operator.hpp"
#include "super_resolution/settings.hpp"

namespace stream::super_resolution {

class LiveOperator final : public Operator {
 public:
  static Spec spec();
  explicit LiveOperator(const Params& params);
  ~LiveOperator() override;
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  /// What training on a chunk has led to.
  struct Outcome {
    std::vector<Weights> weights;
    std::vector<float>
        thresholds;  ///< in dB: a patch is of the first model whose threshold it does not exceed
    std::int64_t chunk = 0, steps = 0;
    double psnr = 0;  ///< of the chunk that was trained on
  };
  void begin(const PatchGrid& grid, Duration period, Output& out, Time time);
  void start_training();
  /// Waits for the training under way, if any.
  void join() const;
  void install(Output& out, Time time);
  void set_models();
  Labels labels_of(const Pixels& hr) const;
  Outcome train(const TrainingClip& clip, std::int64_t chunk) const;
  void send(Output& out, Time time, std::string bytes) const;

  TrainingSettings settings_;
  const Duration chunk_length_, limit_;
  const std::int64_t steps_;
  const int workers_;
  Random random_;
  std::shared_ptr<const Network> general_;

  StreamHeader header_;
  std::unique_ptr<Upscaler> upscaler_;
  std::vector<Weights> weights_;  ///< those in use
  std::vector<float> thresholds_;
  std::unique_ptr<TrainingClip> recording_;
  Time chunk_begun_{0}, newest_{0};
  std::int64_t frames_ = 0, chunks_ = 0;
  double squared_error_ = 0, samples_ = 0;  ///< of what was shown

  std::unique_ptr<TrainingClip> training_clip_;
  mutable std::thread thread_;
  mutable std::optional<Outcome> outcome_;  ///< the thread's, until it is installed
  mutable std::exception_ptr failure_;
};

}  // namespace stream::super_resolution
