/// superres.train: from a video to models that know it by heart.
#pragma once

#include <chrono>
#include <optional>

#include "stream/operator.hpp"
#include "super_resolution/settings.hpp"

namespace stream::super_resolution {

class TrainOperator final : public Operator {
 public:
  static Spec spec();
  explicit TrainOperator(const Params& params);
  void process(std::size_t port, Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  void begin();
  /// Until `steps` updates have been made.
  void train_to(std::int64_t steps);
  void report(Output& out, Time time);
  double sampled_psnr() const;
  std::string file_bytes() const;

  std::string path_, keep_;
  TrainingSettings settings_;
  Context context_;
  Random random_;
  TrainingClip clip_;
  Duration period_{0};
  Time newest_{0};
  std::unique_ptr<Overfit> training_;
  double psnr_ = 0;
  std::chrono::steady_clock::time_point begun_{};  ///< of the training in this process
  std::int64_t begun_at_ = 0;
};

/// superres.turns: what divides the training into pieces between which a checkpoint may be taken.
class TurnsSource final : public Source {
 public:
  static Spec spec();
  explicit TurnsSource(const Params& params) : turns_(params.get<std::int64_t>("turns")) {}
  bool read(Output& out) override;
  double fraction() const override { return static_cast<double>(next_) / static_cast<double>(turns_); }
  void save(Archive& state) const override { state.set("next", next_); }
  void load(const Archive& state) override { next_ = state.get<std::int64_t>("next"); }

 private:
  std::int64_t turns_, next_ = 0;
};

}  // namespace stream::super_resolution
