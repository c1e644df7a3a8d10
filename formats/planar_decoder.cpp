/// YUV4MPEG2 and raw frames. Samples are read straight into the memory that the packets carry.
#include <algorithm>
#include <cstring>
#include <optional>

#include "stream/error.hpp"
#include "video_decoder.hpp"

namespace stream {
namespace {

/// A header may claim any size; what is larger than this is allocated only as bytes for it arrive.
constexpr std::size_t kTrusted = std::size_t{64} << 20;

class PlanarDecoder final : public VideoDecoder {
 public:
  PlanarDecoder(VideoInput& in, Rational rate) : in_(in), rate_(rate) {}
  PlanarDecoder(VideoInput& in, FrameLayout layout, Rational rate) : in_(in), rate_(rate), raw_(true) {
    header_.layout = std::move(layout);
    header_.rate = rate;
    header_.layout.check();
    size_ = header_.layout.bytes();
    begun_ = true;
  }

  Status decode(Packet& frame) override {
    if (!begun_) {
      if (const Status status = read_header(); status != Status::kFrame) return status;
    }
    if (!raw_ && !in_frame_) {
      if (const Status status = read_frame_line(); status != Status::kFrame) return status;
    }
    if (const Status status = read_samples(); status != Status::kFrame) return status;
    const Time time = time_of(index_, header_.rate);
    frame.payload = std::make_shared<const Frame>(header_.layout.frame(take()));
    frame.time = time;
    frame.duration = time_of(index_ + 1, header_.rate) - time;
    ++index_;
    in_frame_ = false;
    position_ = in_.offset();
    return Status::kFrame;
  }

  void save(Archive& state) const override {
    state.set("begun", begun_);
    if (!begun_) return;
    state.set("position", position_);
    state.set("index", index_);
    if (!raw_) state.set("header", header_line_);
  }
  void load(const Archive& state) override {
    if (!state.get<bool>("begun")) return;
    index_ = state.get<std::int64_t>("index");
    if (!raw_) begin(state.get<std::string>("header"));
    in_.skip_to(state.get<std::uint64_t>("position"));
    position_ = in_.offset();
  }

 private:
  /// Up to the line feed, which is dropped. Keeps what it has when it is interrupted.
  InputFile::Status read_line() {
    for (;;) {
      std::byte next{};
      const auto [status, size] = in_.read({&next, 1});
      if (status != InputFile::Status::kData) return status;
      if (next == std::byte{'\n'}) return status;
      line_ += static_cast<char>(next);
      if (line_.size() > Y4mHeader::kMostBytes)
        throw at(position_,
                 "a line of the header is longer than " + std::to_string(Y4mHeader::kMostBytes) + " bytes");
    }
  }

  Status read_header() {
    const auto status = read_line();
    if (status == InputFile::Status::kInterrupted) return Status::kInterrupted;
    if (status == InputFile::Status::kEnd)
      throw at(0, line_.empty() ? "is empty: expected YUV4MPEG2" : "the input ends inside the header");
    begin(std::exchange(line_, {}));
    position_ = in_.offset();
    return Status::kFrame;
  }

  void begin(std::string line) {
    try {
      header_ = Y4mHeader::parse(line);
    } catch (const Error& e) {
      throw e.within(in_.name());
    }
    if (rate_.num > 0) header_.rate = rate_;
    header_line_ = std::move(line);
    size_ = header_.layout.bytes();
    begun_ = true;
  }

  /// Goes on with `line` as header, when the frames behind it are of the format and rate of those before.
  bool begin_alike(const std::string& line) {
    Y4mHeader next;
    try {
      next = Y4mHeader::parse(line);
    } catch (const Error& e) {
      throw at(position_, e.what());
    }
    if (rate_.num > 0) next.rate = rate_;
    if (!next.layout.same_format(header_.layout) || !(next.rate == header_.rate)) return false;
    header_ = std::move(next);
    header_line_ = line;
    return true;
  }

  Status read_frame_line() {
    const auto status = read_line();
    if (status == InputFile::Status::kInterrupted) return Status::kInterrupted;
    if (status == InputFile::Status::kEnd) {
      if (line_.empty()) return Status::kEnd;
      throw at(position_, "the input ends inside the line before frame " + std::to_string(index_));
    }
    const std::string line = std::exchange(line_, {});
    if (line == "FRAME" || line.starts_with("FRAME ")) {
      in_frame_ = true;
      return Status::kFrame;
    }
    if (line == header_line_) {  // `cat` of two files
      position_ = in_.offset();
      return read_frame_line();
    }
    // Or of two that differ in how their samples lie alone.
    if (line.starts_with(Y4mHeader::kMagic) && begin_alike(line)) {
      position_ = in_.offset();
      return read_frame_line();
    }
    if (line.starts_with(Y4mHeader::kMagic))
      throw at(position_, "another header where frame " + std::to_string(index_) +
                              " was expected: size and format of a stream cannot change; here from '" +
                              header_line_ + "' to '" + line.substr(0, 200) + "'");
    throw at(position_, "expected 'FRAME' before frame " + std::to_string(index_) +
                            "; the data before it are longer or shorter than the header says");
  }

  Status read_samples() {
    if (!block_ && grown_.empty()) allocate();
    while (filled_ < size_) {
      if (!block_ && filled_ == grown_.size()) grown_.resize(std::min(size_, 2 * grown_.size()));
      std::byte* const to = block_ ? block_.get() : grown_.data();
      const std::size_t room = (block_ ? size_ : grown_.size()) - filled_;
      const auto [status, size] = in_.read({to + filled_, room});
      if (status == InputFile::Status::kInterrupted) return Status::kInterrupted;
      if (status == InputFile::Status::kEnd) {
        if (raw_ && filled_ == 0) return Status::kEnd;
        throw at(position_, "the input ends inside frame " + std::to_string(index_) + ", after " +
                                std::to_string(filled_) + " of " + std::to_string(size_) + " bytes");
      }
      filled_ += size;
    }
    return Status::kFrame;
  }

  void allocate() {
    const bool there = in_.size() > 0 && in_.size() - std::min(in_.size(), in_.offset()) >= size_;
    if (size_ <= kTrusted || there)
      block_ = pool_.take(size_);
    else
      grown_.resize(kTrusted);
  }

  Buffer take() {
    filled_ = 0;
    if (block_) {
      const std::byte* data = block_.get();
      return Buffer(std::exchange(block_, {}), data, size_);
    }
    return Buffer::own(std::exchange(grown_, {}));
  }

  Error at(std::uint64_t offset, const std::string& what) const {
    return bad_data(in_.name() + ": byte " + std::to_string(offset) + ": " + what);
  }

  VideoInput& in_;
  const Rational rate_;
  Y4mHeader header_;
  std::string header_line_, line_;
  const bool raw_ = false;
  bool begun_ = false, in_frame_ = false;
  std::int64_t index_ = 0;      ///< of the next frame
  std::uint64_t position_ = 0;  ///< where its line, or a raw frame, begins
  std::size_t size_ = 0, filled_ = 0;
  FramePool pool_;
  std::shared_ptr<std::byte> block_;
  std::vector<std::byte> grown_;
};

}  // namespace

std::unique_ptr<VideoDecoder> make_y4m_decoder(VideoInput& in, Rational rate) {
  return std::make_unique<PlanarDecoder>(in, rate);
}
std::unique_ptr<VideoDecoder> make_raw_video_decoder(VideoInput& in, FrameLayout layout, Rational rate) {
  return std::make_unique<PlanarDecoder>(in, std::move(layout), rate);
}

}  // namespace stream
