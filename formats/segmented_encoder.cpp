/// A new encoder every so many frames, so that a run can be resumed: the bytes before the newest border stand
/// for themselves, and the frames since then are kept, to be encoded again.
#include <utility>

#include "stream/error.hpp"
#include "video_encoder.hpp"

namespace stream {
namespace {

class SegmentedEncoder final : public VideoEncoder {
 public:
  SegmentedEncoder(OutputFile& out, MakeEncoder make, std::size_t frames)
      : out_(out), make_(std::move(make)), encoder_(make_()), frames_(frames) {}

  void begin(const FrameLayout& layout, Duration period) override {
    layout_ = layout;
    period_ = period;
    border_ = out_.offset();
    encoder_->begin(layout_, period_);
  }

  void write(const Packet& packet) override {
    catch_up();
    if (since_border_.size() == frames_) {
      encoder_->finish();
      since_border_.clear();
      encoder_ = make_();
      begin(layout_, period_);
    }
    since_border_.push_back(packet);
    encoder_->write(packet);
  }

  void finish() override {
    catch_up();
    encoder_->finish();
  }

  std::uint64_t kept() const override { return border_; }
  void save(Archive& state) const override { state.set("frames", std::span<const Packet>(since_border_)); }
  void load(const Archive& state, const FrameLayout& layout, Duration period) override {
    layout_ = layout;
    period_ = period;
    since_border_ = state.packets("frames");
    if (since_border_.empty() || since_border_.size() > frames_)
      throw bad_data("the saved state of an encoder has " + std::to_string(since_border_.size()) +
                     " frames, expected 1 to " + std::to_string(frames_));
    border_ = out_.offset();
    behind_ = true;
  }
  std::size_t state_bytes() const override {
    std::size_t bytes = 0;
    for (const Packet& packet : since_border_) bytes += packet.payload->bytes();
    return bytes;
  }

 private:
  /// After `load`, with the first frame that follows: what a pipe's reader has is known by then.
  void catch_up() {
    if (!std::exchange(behind_, false)) return;
    begin(layout_, period_);
    for (const Packet& packet : since_border_) encoder_->write(packet);
  }

  OutputFile& out_;
  const MakeEncoder make_;
  std::unique_ptr<VideoEncoder> encoder_;
  const std::size_t frames_;
  FrameLayout layout_;
  Duration period_{0};
  std::uint64_t border_ = 0;          ///< in the file, where the encoder's bytes begin
  std::vector<Packet> since_border_;  ///< what it was given
  bool behind_ = false;               ///< it has not been given them yet
};

}  // namespace

std::unique_ptr<VideoEncoder> make_segmented_encoder(OutputFile& out, MakeEncoder make, std::size_t frames) {
  return std::make_unique<SegmentedEncoder>(out, std::move(make), frames);
}

}  // namespace stream
