#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "frame_quality.hpp"
#include "program/program.hpp"
#include "video_compare.hpp"
#include "video_files.hpp"

namespace stream {
namespace {

/// A coarser copy: the lower bits of every sample are cut off.
Packet coarse(const Packet& packet, int step) {
  const auto& frame = packet.as<Frame>();
  const FrameLayout layout = FrameLayout::of(frame);
  std::vector<std::uint16_t> samples;
  for (const auto& plane : frame.planes()) {
    for (std::size_t i = 0; i < plane.data.size() / size_of(layout.depth()); ++i) {
      const int x = layout.bits > 8 ? plane.data.as<std::uint16_t>()[i] : plane.data.as<std::uint8_t>()[i];
      samples.push_back(static_cast<std::uint16_t>(x - x % step));
    }
  }
  const Buffer buffer = layout.bits > 8
                            ? Buffer::own(std::move(samples))
                            : Buffer::own(std::vector<std::uint8_t>(samples.begin(), samples.end()));
  return packet.with<Frame>(layout.frame(buffer));
}

std::vector<Object> compared(const std::vector<Packet>& reference, const std::vector<Packet>& other) {
  const auto op = testing::make<VideoCompare>();
  testing::Collector out(1);
  for (std::size_t i = 0; i < std::max(reference.size(), other.size()); ++i) {
    if (i < reference.size()) op->process(0, reference[i], out);
    if (i < other.size()) op->process(1, other[i], out);
  }
  op->finish(out);
  std::vector<Object> records;
  for (const Packet& packet : out.packets[0]) records.push_back(packet.as<Record>().object());
  return records;
}

TEST(FrameQuality, ByHand) {
  const FrameLayout layout{16, 16, PixelFormat::kYuv420};
  std::vector<std::uint8_t> black(layout.bytes(), 0), gray(layout.bytes(), 10);
  const Frame a = layout.frame(Buffer::own(std::move(black))), b = layout.frame(Buffer::own(std::move(gray)));
  const FrameQuality q = compare(a, b);
  EXPECT_EQ(q.mse[0], 100);
  EXPECT_DOUBLE_EQ(q.mse_all, 100);
  EXPECT_NEAR(psnr(q.mse_all, 8), 28.1308, 1e-4);
  // Flat blocks: (2 m1 m2 + C1) / (m1^2 + m2^2 + C1) with m1 = 0, m2 = 10, C1 = 6.5025 (rounded, times 64).
  EXPECT_NEAR(q.ssim[0], 416.0 / (64 * 100 * 64 + 416), 1e-9);
  EXPECT_TRUE(std::isinf(psnr(compare(a, a).mse_all, 8)));
  EXPECT_DOUBLE_EQ(compare(a, a).ssim_all, 1);
}

/// As ffmpeg 5.1.9 printed them (psnr and ssim filters) for these frames: width, height, format, bits, then
/// the average PSNR, that of the first two planes, SSIM of all and of the first plane.
struct Stored {
  FrameLayout layout;
  const char* ffmpeg_format;
};
const Stored kCases[] = {{{64, 48, PixelFormat::kYuv420}, "yuv420p"},
                         {{61, 47, PixelFormat::kYuv422}, "yuv422p"},
                         {{64, 48, PixelFormat::kYuv444, 10}, "yuv444p10le"},
                         {{64, 48, PixelFormat::kGray}, "gray"},
                         {{64, 48, PixelFormat::kRgb}, "gbrp"}};

struct Figures {
  double psnr, psnr_first, ssim, ssim_first;
};
constexpr Figures kStored[] = {{31.794629, 31.801865, 0.949660, 0.948707},
                               {31.799341, 31.814252, 0.950770, 0.948356},
                               {31.827843, 31.827375, 0.948276, 0.948788},
                               {31.801865, 31.801865, 0.948707, 0.948707},
                               {31.802334, 31.801865, 0.948195, 0.948707}};

TEST(FrameQuality, EqualsWhatFfmpegPrinted) {
  for (std::size_t i = 0; i < std::size(kCases); ++i) {
    const auto sent = moving(kCases[i].layout, 6);
    std::vector<Packet> worse;
    for (const Packet& p : sent) worse.push_back(coarse(p, kCases[i].layout.bits > 8 ? 48 : 12));
    const Object last = compared(sent, worse).back();
    const bool gray = kCases[i].layout.format == PixelFormat::kGray,
               rgb = kCases[i].layout.format == PixelFormat::kRgb;
    EXPECT_NEAR(last.find("psnr")->as_double(), kStored[i].psnr, 0.01) << i;
    EXPECT_NEAR(last.find("ssim")->as_double(), kStored[i].ssim, 0.01) << i;
    if (gray) continue;
    EXPECT_NEAR(last.find(rgb ? "psnr_r" : "psnr_y")->as_double(), kStored[i].psnr_first, 0.01) << i;
    EXPECT_NEAR(last.find(rgb ? "ssim_r" : "ssim_y")->as_double(), kStored[i].ssim_first, 0.01) << i;
  }
}

TEST(FrameQuality, EqualsWhatFfmpegPrintsNow) {
  const testing::ScratchFolder folder;
  const auto ffmpeg = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"ffmpeg", "-hide_banner", "-nostdin", "-v", "info"});
    return testing::run({.argv = arguments, .input = "", .folder = folder.path()});
  };
  if (ffmpeg({"-version"}).exit_code != 0) GTEST_SKIP() << "there is no ffmpeg to compare with";
  const auto number = [](const std::string& text, const std::string& name) {
    std::smatch found;
    EXPECT_TRUE(std::regex_search(text, found, std::regex(name + ":([0-9.]+)"))) << name << " in " << text;
    return found.empty() ? -1 : std::stod(found[1]);
  };
  for (const Stored& c : kCases) {
    const auto sent = moving(c.layout, 6);
    std::vector<Packet> worse;
    for (const Packet& p : sent) worse.push_back(coarse(p, c.layout.bits > 8 ? 48 : 12));
    // GBR is how libav orders the planes.
    const auto raw = [&](const std::vector<Packet>& packets) {
      std::string out;
      for (const Packet& p : packets) {
        const auto& planes = p.as<Frame>().planes();
        for (std::size_t i = 0; i < planes.size(); ++i)
          out += planes[c.layout.format == PixelFormat::kRgb ? (i + 1) % 3 : i].data.text();
      }
      return out;
    };
    testing::write_contents(folder / "a.raw", raw(sent));
    testing::write_contents(folder / "b.raw", raw(worse));
    const std::string size = std::to_string(c.layout.width) + "x" + std::to_string(c.layout.height);
    std::vector<std::string> inputs;
    for (const char* name : {"b.raw", "a.raw"})
      inputs.insert(inputs.end(),
                    {"-f", "rawvideo", "-pix_fmt", c.ffmpeg_format, "-s", size, "-r", "25", "-i", name});
    const auto filtered = [&](const std::string& filter) {
      auto arguments = inputs;
      arguments.insert(arguments.end(), {"-lavfi", "[0][1]" + filter, "-f", "null", "-"});
      return ffmpeg(arguments).err;
    };
    const std::string psnr_text = filtered("psnr"), ssim_text = filtered("ssim");
    const Object last = compared(sent, worse).back();
    EXPECT_NEAR(last.find("psnr")->as_double(), number(psnr_text, "average"), 0.01) << c.ffmpeg_format;
    EXPECT_NEAR(last.find("ssim")->as_double(), number(ssim_text, "All"), 0.01) << c.ffmpeg_format;
  }
}

TEST(VideoCompare, UnequalLengthsAreNamed) {
  const auto five = moving({16, 16, PixelFormat::kGray}, 5);
  const std::vector<Packet> three(five.begin(), five.begin() + 3);
  try {
    compared(five, three);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(),
                ::testing::HasSubstr("the reference has a frame 3 at 120ms, for which the other has none"));
  }
}

TEST(VideoCompare, EqualPicturesHaveNoFinitePsnr) {
  const auto frames = moving({16, 16, PixelFormat::kGray}, 2);
  const Object last = compared(frames, frames).back();
  EXPECT_TRUE(last.find("psnr")->is_null());
  EXPECT_EQ(last.find("ssim")->as_double(), 1);
}

}  // namespace
}  // namespace stream
