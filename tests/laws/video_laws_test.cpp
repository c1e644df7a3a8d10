/// The laws for video and pictures.
#include <gmock/gmock.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "fed_pipe.hpp"
#include "image_write.hpp"
#include "laws.hpp"
#include "resumed_sink.hpp"
#include "video_compare.hpp"
#include "video_convert.hpp"
#include "video_read.hpp"
#include "video_write.hpp"

namespace stream {
namespace {

std::vector<Packet> frames(const FrameLayout& layout, int count, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<Packet> out;
  for (int i = 0; i < count; ++i) {
    std::vector<std::uint8_t> samples(layout.bytes());
    for (std::size_t k = 0; k < samples.size(); ++k)
      samples[k] = static_cast<std::uint8_t>(layout.bits > 8 && k % 2 == 1 ? random() & 3 : random());
    const Time time = time_of(i, {30000, 1001});
    out.push_back(Packet::of<Frame>(time, layout.frame(Buffer::own(std::move(samples)))));
    out.back().duration = time_of(i + 1, {30000, 1001}) - time;
  }
  return out;
}

const FrameLayout kSmall{5, 3, PixelFormat::kYuv420, 8, ColorRange::kLimited, "bt709"};
const FrameLayout kDeep{7, 4, PixelFormat::kYuv422, 10, ColorRange::kFull, ""};

template <typename Op>
auto source(Object params) {
  return [params = std::move(params)] {
    auto op = testing::make<Op>(params);
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  };
}

std::string written(const std::vector<Packet>& packets, const Object& params, const char* ending) {
  const laws::ScratchFile file("", ending);
  testing::Collector out(0);
  const auto op = sink<VideoWrite>(params, file.path());
  for (const Packet& packet : packets) op->process(packet, out);
  op->finish(out);
  op->flush();
  return file.read();
}

TEST(Laws, VideoReadResumesExactly) {
  const laws::ScratchFile y4m(written(frames(kSmall, 9), {}, ".y4m"), ".y4m");
  laws::resuming_a_source_is_exact(source<VideoRead>({{"path", y4m.path()}}));
  const laws::ScratchFile raw(written(frames(kDeep, 9), {}, ".raw"), ".raw");
  laws::resuming_a_source_is_exact(source<VideoRead>({{"path", raw.path()},
                                                      {"format", "raw"},
                                                      {"raw_width", 7},
                                                      {"raw_height", 4},
                                                      {"raw_format", "yuv422p"},
                                                      {"raw_bits", 10},
                                                      {"rate", "50"}}));
  // Frames that are shown in another order than they are stored in.
  const laws::ScratchFile mpeg(written(frames({32, 32, PixelFormat::kYuv420}, 9),
                                       {{"codec", "mpeg4"}, {"options", Array{"bf=2"}}}, ".mkv"),
                               ".mkv");
  laws::resuming_a_source_is_exact(source<VideoRead>({{"path", mpeg.path()}}));
}

TEST(Laws, VideoReadChunks) {
  const std::string y4m = written(frames(kSmall, 5), {}, ".y4m");
  const std::string ffv1 = written(frames({16, 16, PixelFormat::kYuv420}, 5), {{"codec", "ffv1"}}, ".mkv");
  for (const std::string& bytes : {y4m, ffv1}) {
    const laws::ScratchFile file(bytes);
    const auto whole = testing::drain(*source<VideoRead>({{"path", file.path()}})());
    ASSERT_EQ(whole.packets[0].size(), 5u);
    for (const std::size_t most : {std::size_t{1}, std::size_t{50}}) {
      const laws::FedPipe pipe(bytes, most);
      const auto piped = testing::drain(*source<VideoRead>({{"path", pipe.path()}})());
      laws::require_equal(laws::transcript(whole), laws::transcript(piped), "chunking");
    }
    const auto made = source<VideoRead>({{"path", file.path()}})();
    const laws::InterruptedReads interrupted(*made, 7, 3);
    const auto pieces = testing::drain(*made);
    laws::require_equal(laws::transcript(whole), laws::transcript(pieces), "interruption");
    EXPECT_GT(interrupted.reads(), 5u);
  }
}

TEST(Laws, VideoWrite) {
  resuming_a_sink_is_exact<VideoWrite>({{"format", "y4m"}}, frames(kSmall, 8));
  resuming_a_sink_is_exact<VideoWrite>({{"format", "raw"}}, frames(kDeep, 8));
}

/// Between borders, at one, before the first frame and after the last.
TEST(Laws, VideoWriteWithEncoders) {
  const FrameLayout layout{32, 32, PixelFormat::kYuv420, 8, ColorRange::kLimited, "bt709"};
  resuming_a_sink_is_exact<VideoWrite>({{"format", "mpegts"}, {"codec", "libx264"}, {"segment", 3}},
                                       frames(layout, 8));
  resuming_a_sink_is_exact<VideoWrite>(
      {{"format", "mpegts"}, {"codec", "mpeg2video"}, {"options", Array{"bf=2"}}, {"segment", 4}},
      frames(layout, 8));
  resuming_a_sink_is_exact<VideoWrite>({{"format", "h264"}, {"segment", 1}}, frames(layout, 4));
}

/// The reader of a pipe gets what follows what it has, and not what is encoded again to get there.
TEST(Laws, VideoWriteWithEncodersGoesOnInAPipe) {
  const FrameLayout layout{32, 32, PixelFormat::kYuv420, 8, ColorRange::kLimited, "bt709"};
  const auto input = frames(layout, 9);
  const auto through_pipe = [&](const Archive* from, std::size_t begin, std::size_t end, bool finished,
                                Archive* saved) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_GT(::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 0);
    testing::Collector out(0);
    {
      const auto op = sink<VideoWrite>({{"format", "mpegts"}, {"codec", "mpeg2video"}, {"segment", 4}},
                                       "/dev/fd/" + std::to_string(ends[1]));
      if (from != nullptr) op->load(*from);
      for (std::size_t i = begin; i < end; ++i) op->process(input[i], out);
      if (finished) op->finish(out);
      op->flush();
      if (saved != nullptr) *saved = testing::saved(*op);
    }
    ::close(ends[1]);
    std::string bytes(1 << 20, '\0');
    std::size_t size = 0;
    for (ssize_t got = 0; (got = ::read(ends[0], bytes.data() + size, bytes.size() - size)) > 0;)
      size += static_cast<std::size_t>(got);
    ::close(ends[0]);
    return bytes.substr(0, size);
  };
  const std::string whole = through_pipe(nullptr, 0, 9, true, nullptr);
  for (std::size_t stop = 0; stop <= 9; ++stop) {
    Archive state;
    const std::string first = through_pipe(nullptr, 0, stop, false, &state);
    EXPECT_EQ(first + through_pipe(&state, stop, 9, true, nullptr), whole) << stop;
  }
}

TEST(Laws, VideoWriteRefusesCheckpointsThatItCannotMake) {
  const laws::ScratchFile file("", ".mkv");
  const auto op = sink<VideoWrite>({{"codec", "ffv1"}}, file.path());
  EXPECT_THROW(testing::saved(*op), Error);
}

TEST(Laws, VideoConvert) {
  laws::check_all(laws::subject<VideoConvert>(Object{{"format", "rgb"}, {"width", 9}}), frames(kSmall, 8));
  laws::check_all(laws::subject<VideoConvert>(), frames(kDeep, 8));
}

/// Two ports in one: frames in turn.
class InTurn final : public Operator {
 public:
  InTurn() : inner_(testing::make<VideoCompare>()) {}
  void process(Packet in, Output& out) override { inner_->process(port_++ % 2, std::move(in), out); }
  void finish(Output& out) override { inner_->finish(out); }
  void save(Archive& state) const override {
    inner_->save(state);
    state.set("port", static_cast<std::uint64_t>(port_));
  }
  void load(const Archive& state) override {
    inner_->load(state);
    port_ = state.get<std::uint64_t>("port");
  }
  std::size_t state_bytes() const override { return inner_->state_bytes(); }

 private:
  std::unique_ptr<Operator> inner_;
  std::size_t port_ = 0;
};

TEST(Laws, VideoCompare) {
  const FrameLayout layout{16, 16, PixelFormat::kYuv420};
  const auto one = frames(layout, 8), other = frames(layout, 8, 2);
  std::vector<Packet> merged;
  for (std::size_t i = 0; i < one.size(); ++i) merged.push_back(one[i]), merged.push_back(other[i]);
  const laws::Subject subject{[] { return std::make_unique<InTurn>(); }, VideoCompare::spec().contract()};
  ASSERT_EQ(laws::run(subject, merged)[0].size(), 9u);
  laws::resuming_is_exact(subject, merged);
  laws::output_is_punctual(subject, merged);
  laws::state_is_bounded(subject, merged);
}

TEST(Laws, ImageWrite) {
  const auto input = frames({6, 5, PixelFormat::kRgb}, 6);
  const auto pictures = [&](std::size_t stop) {
    const testing::Collector unused(0);
    testing::Collector out(0);
    const auto folder = std::filesystem::temp_directory_path() /
                        ("image-write-" + std::to_string(::getpid()) + "-" + std::to_string(stop));
    std::filesystem::create_directory(folder);
    const Object params{{"path", (folder / "%02d.png").string()}};
    auto first = testing::make<ImageWrite>(params);
    for (std::size_t i = 0; i < stop; ++i) first->process(input[i], out);
    auto second = testing::make<ImageWrite>(params);
    second->load(testing::saved(*first));
    if (stop < input.size()) first->process(input[stop], out);  // after the checkpoint, before the crash
    for (std::size_t i = stop; i < input.size(); ++i) second->process(input[i], out);
    std::vector<std::string> found;
    for (int i = 0; i < 6; ++i)
      found.push_back(read_file((folder / ("0" + std::to_string(i) + ".png")).string()));
    std::filesystem::remove_all(folder);
    return found;
  };
  const auto whole = pictures(input.size());
  for (std::size_t stop = 0; stop < input.size(); ++stop) EXPECT_EQ(pictures(stop), whole) << stop;
}

}  // namespace
}  // namespace stream
