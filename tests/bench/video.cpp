/// Video: copying, upscaling, and the convolutions behind it.
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "compare.hpp"
#include "program/program.hpp"
#include "stream/random.hpp"
#include "super_resolution/upscaler.hpp"

namespace stream::bench {
namespace {

using super_resolution::Halo;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

/// 120 frames of 1080p, 373 MB, made once.
std::string large_video() {
  const auto path = std::filesystem::temp_directory_path() / "stream-bench-1080p.y4m";
  if (!std::filesystem::exists(path) || std::filesystem::file_size(path) != 120 * (3110400 + 6) + 79) {
    run_or_throw({.argv = {"ffmpeg", "-y", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=s=1920x1080:r=25:d=4.8", "-pix_fmt", "yuv420p", path.string()},
                  .input = ""});
  }
  return path.string();
}

double timed(std::vector<std::string> argv) {
  const auto begun = Clock::now();
  run_or_throw({.argv = std::move(argv), .input = ""});
  return seconds_since(begun);
}

std::vector<Row> copying() {
  const std::string video = large_video();
  // Both through a pipe, as in a shell.
  const auto ours = [&] {
    return timed({"sh", "-c", stream_program() + " run copy-video -i " + video + " | cat > /dev/null"});
  };
  const auto theirs = [&] {
    return timed({"sh", "-c",
                  "ffmpeg -nostdin -v error -i " + video + " -c:v rawvideo -f rawvideo - | cat > /dev/null"});
  };
  return {row("copy 120 frames of 1080p YUV4MPEG2 to a pipe", "ffmpeg -c:v rawvideo", "s",
              compare(9, ours, theirs), 1.25)};
}

super_resolution::Weights drawn(const super_resolution::WdsrShape& shape, Random& random) {
  super_resolution::Weights out{shape, {}};
  for (std::int64_t i = 0; i < shape.parameters(); ++i)
    out.values.push_back(static_cast<float>(random.uniform(-0.1, 0.1)));
  return out;
}

/// Seconds for each frame of 80x48 to 320x192 with four networks and labels at random, two workers.
double upscale(Halo halo, int frames) {
  using namespace super_resolution;
  Random random(1);
  const WdsrShape shape;
  Upscaler upscaler({80, 48, 10, 6}, 4, halo, 2);
  std::vector<std::shared_ptr<const Network>> models;
  for (int i = 0; i < 4; ++i) models.push_back(std::make_shared<const Network>(drawn(shape, random)));
  upscaler.set_models(models);
  Pixels lr{80, 48, {}};
  lr.samples.resize(3 * lr.plane());
  for (auto& s : lr.samples) s = static_cast<std::uint8_t>(random());
  Labels labels(60);
  for (auto& l : labels) l = static_cast<std::uint8_t>(random.below(4));
  const auto begun = Clock::now();
  for (int i = 0; i < frames; ++i) upscaler.run(lr, labels);
  const double each = seconds_since(begun) / frames;
  std::fprintf(stderr, "bench-peers: %s: %.0f frames/s, %.0f multiply-adds for each HR pixel\n",
               halo == Halo::kNone ? "without halo" : "with halo", 1 / each,
               static_cast<double>(upscaler.multiply_adds()) / (320 * 192));
  return each;
}

std::vector<Row> playing() {
  const auto sixty = [] { return 1.0 / 60; };
  return {row("upscale a frame to 320x192 (x4, 4 networks, 2 threads)", "60 frames/s", "s",
              compare(
                  9, [] { return upscale(Halo::kNone, 60); }, sixty),
              1.0),
          row("the same with halos", "60 frames/s", "s",
              compare(
                  9, [] { return upscale(Halo::kFull, 30); }, sixty),
              1.0)};
}

/// Nanoseconds for a thousand multiply-adds of the network's own layers, on one thread.
double our_convolutions() {
  using nn::Convolution;
  Random random(2);
  const super_resolution::WdsrShape shape;
  constexpr std::int64_t kWidth = 80, kHeight = 48, kEdge = 2;
  std::int64_t count = 0;
  double seconds = 0;
  for (int i = 0; i < shape.layers(); ++i) {
    const auto [in, out, size] = shape.layer(i);
    std::vector<float> weight(static_cast<std::size_t>(in * out * size * size)),
        bias(static_cast<std::size_t>(out));
    for (float& w : weight) w = static_cast<float>(random.uniform(-1, 1));
    const Convolution layer(weight, bias, out, in, size);
    const std::int64_t in_step = Convolution::step(in), out_step = Convolution::step(out);
    const std::int64_t in_row = (kWidth + 2 * kEdge) * in_step + 64,
                       out_row = (kWidth + 2 * kEdge) * out_step + 64;
    std::vector<float> from(static_cast<std::size_t>(in_row * (kHeight + 2 * kEdge)), 0.5f);
    std::vector<float> to(static_cast<std::size_t>(out_row * (kHeight + 2 * kEdge)));
    const auto begun = Clock::now();
    for (int round = 0; round < 10; ++round)
      for (std::int64_t y = kEdge; y < kEdge + kHeight; ++y)
        layer.run(from.data() + y * in_row + kEdge * in_step, in_row,
                  to.data() + y * out_row + kEdge * out_step, out_step, kWidth, false, false);
    seconds += seconds_since(begun);
    count += 10 * kWidth * kHeight * layer.multiply_adds();
  }
  return seconds * 1e12 / static_cast<double>(count);
}

/// oneDNN on a shape that its own benchmarks use: ResNet-50's 64 to 64 channels, 3x3, 56x56; one thread.
double their_convolutions() {
  const auto outcome =
      run_or_throw({.argv = {STREAM_BINARY_DIR "/bin/bench-convolution-torch"}, .input = ""});
  return std::stod(outcome.out);
}

}  // namespace

std::vector<Benchmark> video_benchmarks() {
  return {{"video-copy", "video.read to video.write, raw YUV4MPEG2", copying},
          {"superres", "superres.play's networks on a frame", playing},
          {"convolution", "the networks' layers against oneDNN", [] {
             return std::vector<Row>{row("a thousand multiply-adds of WDSR's layers",
                                         "oneDNN, 64 to 64 channels, 56x56", "ns",
                                         compare(9, our_convolutions, their_convolutions), 2.0)};
           }}};
}

}  // namespace stream::bench
