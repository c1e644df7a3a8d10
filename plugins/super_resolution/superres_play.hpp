/// superres.play: LR video and a stream file to HR video, frame by frame. superres.shrink and
/// superres.enlarge: the bicubic way there and back.
#pragma once

#include "stream/plugin.hpp"
#include "super_resolution/stream_file.hpp"

namespace stream::super_resolution {

class PlayOperator final : public Operator {
 public:
  static Spec spec();
  explicit PlayOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override { state.set("frames", frames_); }
  void load(const Archive& state) override;
  std::string progress() const override { return "frame " + std::to_string(frames_); }

 private:
  void open();
  std::unique_ptr<StreamFile> file_;
  int workers_, want_scale_;
  std::unique_ptr<Upscaler> upscaler_;
  std::int64_t version_ = 0, frames_ = 0;
  FramePool pool_;
};

/// Both ways of resampling are one operator but for the direction.
class Resample : public Operator {
 public:
  explicit Resample(const Params& p) : scale_(p.get<int>("scale")) {}

 protected:
  const int scale_;
};
class ShrinkOperator final : public Resample {
 public:
  static Spec spec();
  using Resample::Resample;
  void process(Packet in, Output& out) override {
    out.emit(in.with<Frame>(frame_of(shrink(pixels_of(in.as<Frame>()), scale_), in.as<Frame>().sampling())));
  }
};
class EnlargeOperator final : public Resample {
 public:
  static Spec spec();
  using Resample::Resample;
  void process(Packet in, Output& out) override {
    out.emit(in.with<Frame>(frame_of(enlarge(pixels_of(in.as<Frame>()), scale_), in.as<Frame>().sampling())));
  }
};

}  // namespace stream::super_resolution
