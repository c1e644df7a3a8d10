/// video.compare: PSNR and SSIM of one video against another.
#pragma once

#include <cmath>
#include <deque>

#include "frame_quality.hpp"
#include "stream/plugin.hpp"

namespace stream {

class VideoCompare final : public Operator {
 public:
  static Spec spec() {
    return Spec{"video.compare", "PSNR and SSIM of a video against a reference, for each frame and overall."}
        .input<Frame>("reference")
        .input<Frame>("in", "as many frames of the same size and format")
        .output<Record>(
            "out",
            "{\"frame\", \"time\", \"psnr\", \"psnr_y\", \"psnr_u\", \"psnr_v\", \"ssim\", ...} for each "
            "pair, then {\"frames\", ...} over all")
        .param("frames", true, "a record for each frame, before the one over all")
        .about(
            "Frames are paired by their number. The figures are those of FFmpeg's psnr and ssim filters: a "
            "plane's "
            "PSNR from its mean squared error, the whole frame's from the mean over all samples, SSIM on "
            "blocks of "
            "8x8 every four pixels; over all frames, PSNR from the mean of the squared errors (never a mean "
            "of "
            "decibels), SSIM as the mean. The planes are y, u, v, or r, g, b. Equal pictures have an "
            "infinite PSNR, "
            "which JSON lacks: it is null. Videos of unequal length end with exit code 65 after what both "
            "have, as do "
            "pictures of unequal size or format.")
        .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
        .example(
            "A copy against its source",
            "[nodes.source]\nuse  = \"video.read\"\npath = \"-\"\n\n"
            "[nodes.soft]\nuse    = \"video.convert\"\nfrom   = \"source\"\nformat = \"yuv444p\"\n\n"
            "[nodes.sharp]\nuse    = \"video.convert\"\nfrom   = \"source\"\nformat = \"yuv444p\"\nkernel = "
            "\"point\"\n\n"
            "[nodes.score]\nuse  = \"video.compare\"\nfrom = { reference = \"sharp\", in = \"soft\" }\n\n"
            "[nodes.out]\nuse  = \"jsonl.write\"\nfrom = \"score\"\npath = \"-\"\n");
  }
  explicit VideoCompare(const Params& p) : each_(p.get<bool>("frames")) {}

  void process(std::size_t port, Packet in, Output& out) override {
    in.as<Frame>();
    waiting_[port].push_back(std::move(in));
    if (waiting_[port].size() > kMostWaiting) throw unequal(port);
    if (waiting_[0].empty() || waiting_[1].empty()) return;
    const Packet reference = std::move(waiting_[0].front()), other = std::move(waiting_[1].front());
    waiting_[0].pop_front();
    waiting_[1].pop_front();
    newest_ = std::max(reference.time, other.time);
    FrameQuality q;
    try {
      q = compare(reference.as<Frame>(), other.as<Frame>());
    } catch (const Error& e) {
      throw e.within("frame " + std::to_string(frames_));
    }
    layout_of(reference.as<Frame>());
    for (std::size_t i = 0; i < 3; ++i) {
      sum_.mse[i] += q.mse[i];
      sum_.ssim[i] += q.ssim[i];
    }
    sum_.mse_all += q.mse_all;
    sum_.ssim_all += q.ssim_all;
    latest_ = psnr(q.mse_all, bits_);
    if (each_) {
      Object record{{"frame", frames_}, {"time", seconds(reference.time)}};
      add(record, q, 1);
      out.emit(Packet{std::make_shared<const Record>(std::move(record)), newest_, {}, {}, 0, 0});
    }
    ++frames_;
  }

  void finish(Output& out) override {
    for (const std::size_t port : {std::size_t{0}, std::size_t{1}})
      if (!waiting_[port].empty()) throw unequal(port);
    Object record{{"frames", frames_}};
    if (frames_ > 0) add(record, sum_, static_cast<double>(frames_));
    out.emit(Packet{std::make_shared<const Record>(std::move(record)), newest_, {}, {}, 0, 0});
  }

  void save(Archive& state) const override {
    state.set("frames", frames_);
    state.set("newest", newest_);
    state.set("bits", bits_);
    state.set("planes", planes_);
    state.set("rgb", rgb_);
    state.set("sums", std::vector<double>{sum_.mse[0], sum_.mse[1], sum_.mse[2], sum_.ssim[0], sum_.ssim[1],
                                          sum_.ssim[2], sum_.mse_all, sum_.ssim_all});
    for (std::size_t port = 0; port < 2; ++port)
      state.set("waiting" + std::to_string(port),
                std::vector<Packet>(waiting_[port].begin(), waiting_[port].end()));
  }
  void load(const Archive& state) override {
    frames_ = state.get<std::int64_t>("frames");
    newest_ = state.get<Duration>("newest");
    bits_ = state.get<int>("bits");
    planes_ = state.get<int>("planes");
    rgb_ = state.get<bool>("rgb");
    const auto sums = state.get<std::vector<double>>("sums");
    if (sums.size() != 8 || frames_ < 0 || bits_ < 8 || bits_ > 16 || planes_ < 1 || planes_ > 3)
      throw bad_data("the saved state of a comparison is damaged");
    sum_ = {{sums[0], sums[1], sums[2]}, {sums[3], sums[4], sums[5]}, sums[6], sums[7]};
    for (std::size_t port = 0; port < 2; ++port) {
      const auto packets = state.packets("waiting" + std::to_string(port));
      waiting_[port].assign(packets.begin(), packets.end());
    }
  }
  std::size_t state_bytes() const override {
    std::size_t bytes = sizeof *this;
    for (const auto& list : waiting_)
      for (const Packet& p : list) bytes += p.payload->bytes();
    return bytes;
  }
  std::string progress() const override {
    if (frames_ == 0) return {};
    char text[64];
    std::snprintf(text, sizeof text, "frame %lld, %.2f dB", static_cast<long long>(frames_), latest_);
    return text;
  }

 private:
  /// Frames of one side without their pair: those of the other may come a little later, but not for ever.
  static constexpr std::size_t kMostWaiting = 32;

  Error unequal(std::size_t port) const {
    return bad_data(std::string(port == 0 ? "the reference" : "the video") + " has a frame " +
                    std::to_string(frames_) + " at " + to_string(waiting_[port].front().time) +
                    ", for which the other has none");
  }
  void layout_of(const Frame& frame) {
    const FrameLayout layout = FrameLayout::of(frame);
    bits_ = layout.bits;
    planes_ = layout.planes();
    rgb_ = layout.format == PixelFormat::kRgb;
  }
  void add(Object& record, const FrameQuality& q, double count) const {
    const auto decibels = [&](double mse) {
      const double value = psnr(mse / count, bits_);
      return std::isfinite(value) ? Value(value) : Value();
    };
    const char* names = rgb_ ? "rgb" : "yuv";
    const auto planes = static_cast<std::size_t>(planes_);
    record.set("psnr", decibels(q.mse_all));
    for (std::size_t i = 0; i < planes && planes > 1; ++i)
      record.set(std::string("psnr_") + names[i], decibels(q.mse[i]));
    record.set("ssim", q.ssim_all / count);
    for (std::size_t i = 0; i < planes && planes > 1; ++i)
      record.set(std::string("ssim_") + names[i], q.ssim[i] / count);
  }

  const bool each_;
  std::array<std::deque<Packet>, 2> waiting_;
  FrameQuality sum_;
  std::int64_t frames_ = 0;
  Time newest_{0};
  int bits_ = 8, planes_ = 1;
  bool rgb_ = false;
  double latest_ = 0;
};

}  // namespace stream
