#include "super_resolution/superres_play.hpp"

#include "stream/error.hpp"

namespace stream::super_resolution {

Spec PlayOperator::spec() {
  return Spec("superres.play", "Upscale a video with the networks that superres.train overfitted to it.")
      .input<Frame>("in", "LR: RGB of 8 bits, of the size that the file states")
      .output<Frame>("out", "HR: RGB of 8 bits, one for each")
      .output<Record>(
          "stats",
          "{\"frame\", \"models\", \"multiply_adds_per_pixel\"}: how many networks a frame needed, and "
          "what it cost for each HR pixel")
      .path("file", nullptr, "the stream file, or a pipe on which superres.live sends one")
      .param("scale", 0, "what the file must be for; 0: whatever it is for", range(0, 4))
      .param("workers", 2, "threads that share a frame; what comes out does not depend on it", range(1, 64))
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "For each frame its labels are read, its patches run through the networks they are labelled with, "
          "and the "
          "result is rounded to 8 bits: one frame out for one in, in memory for the networks and one frame. "
          "The file is "
          "read along as it grows, and its networks may change on the way.\n\n"
          "A file that is damaged, of another version, for another scale or size, or that describes fewer "
          "frames than "
          "come, ends the run with exit code 65 after the frames before.")
      .paper(
          "Li, Ji, Qin, Niu, Ren, Afghah, Guo, Ma, Towards High-Quality and Efficient Video Super-Resolution "
          "via "
          "Spatial-Temporal Data Overfitting, CVPR 2023")
      .example("Play what ships", R"(title = "Upscaling"
[nodes.lr]
use = "video.read"
path = "examples/talk-lr.y4m"
[nodes.rgb]
use = "video.convert"
from = "lr"
format = "rgb"
[nodes.play]
use = "superres.play"
from = "rgb"
file = "examples/talk.srs"
[nodes.yuv]
use = "video.convert"
from = "play"
format = "yuv444p"
[nodes.out]
use = "video.write"
from = "yuv"
path = "-"
)");
}

PlayOperator::PlayOperator(const Params& p)
    : file_(std::make_unique<StreamFile>(p.input_path("file"))),
      workers_(p.get<int>("workers")),
      want_scale_(p.get<int>("scale")) {}

void PlayOperator::open() {
  if (upscaler_) return;
  const StreamHeader& h = file_->header();
  if (want_scale_ != 0 && h.shape.scale != want_scale_)
    throw bad_data(file_->name() + ": models for a scale of " + std::to_string(h.shape.scale) +
                   ", expected " + std::to_string(want_scale_));
  upscaler_ = std::make_unique<Upscaler>(h.grid, h.shape.scale, h.halo, workers_);
}

void PlayOperator::process(Packet in, Output& out) {
  const auto& frame = in.as<Frame>();
  open();
  const PatchGrid& grid = upscaler_->grid();
  if (frame.format() != PixelFormat::kRgb || frame.depth() != DType::kU8)
    throw bad_data("frame " + std::to_string(frames_) + " is " + FrameLayout::of(frame).text() +
                   ": expected RGB of 8 bits; put a video.convert with format = \"rgb\" before it");
  if (frame.width() != grid.width || frame.height() != grid.height)
    throw bad_data("frame " + std::to_string(frames_) + " is " + FrameLayout::of(frame).text() + ", " +
                   file_->name() + " is for " + std::to_string(grid.width) + "x" +
                   std::to_string(grid.height));
  const Labels& labels = file_->labels(frames_);
  if (file_->version() != version_) {
    upscaler_->set_models(file_->models());
    version_ = file_->version();
  }
  const int scale = upscaler_->scale();
  const FrameLayout layout{
      grid.width * scale, grid.height * scale, PixelFormat::kRgb, 8, ColorRange::kFull, {}, frame.sampling()};
  const std::shared_ptr<std::byte> memory = pool_.take(layout.bytes());
  std::array<const std::uint8_t*, 3> planes{};
  std::array<std::size_t, 3> strides{};
  for (std::size_t c = 0; c < 3; ++c) {
    planes[c] = reinterpret_cast<const std::uint8_t*>(frame.planes()[c].data.data());
    strides[c] = frame.planes()[c].stride;
  }
  upscaler_->run(planes, strides, labels, reinterpret_cast<std::uint8_t*>(memory.get()));
  out.emit(0, in.with<Frame>(layout.frame(Buffer(memory, memory.get(), layout.bytes()))));
  if (!out.unused(1)) {
    std::vector<bool> used(upscaler_->models());
    for (const std::uint8_t label : labels) used[label] = true;
    out.emit(1, in.with<Record>(Object{
                    {"frame", frames_},
                    {"models", static_cast<std::int64_t>(std::count(used.begin(), used.end(), true))},
                    {"multiply_adds_per_pixel", static_cast<double>(upscaler_->multiply_adds()) /
                                                    (static_cast<double>(layout.width) * layout.height)}}));
  }
  ++frames_;
}

void PlayOperator::finish(Output&) { open(); }

void PlayOperator::load(const Archive& state) {
  frames_ = state.get<std::int64_t>("frames");
  if (frames_ < 0) throw bad_data("the saved player is at no frame");
}

Spec ShrinkOperator::spec() {
  return Spec("superres.shrink", "Make the low-resolution video that super-resolution is trained with.")
      .input<Frame>("in", "RGB of 8 bits, sides multiples of the scale")
      .output<Frame>("out")
      .param("scale", 4, "how many times smaller, each way", range(2, 4))
      .contract({.order = Order::kStateless, .cost = Cost::kHeavy})
      .about(
          "Bicubic as MATLAB's imresize: Keys' kernel with a = -0.5, as many times wider, so that nothing "
          "aliases; "
          "mirrored edges; rounded to 8 bits.")
      .paper("Keys, Cubic convolution interpolation for digital image processing, IEEE ASSP 29 (1981)")
      .example("A quarter of the size",
               "[nodes.clip]\nuse    = \"video_world.clip\"\nframes = 3\nwidth  = 64\nheight = "
               "64\n\n[nodes.small]\nuse  = "
               "\"superres.shrink\"\nfrom = \"clip\"\n\n[nodes.out]\nuse  = \"image.write\"\nfrom = "
               "\"small\"\npath = "
               "\"small-%d.png\"\n");
}

Spec EnlargeOperator::spec() {
  return Spec("superres.enlarge", "Enlarge a video the bicubic way: what super-resolution must beat.")
      .input<Frame>("in", "RGB of 8 bits")
      .output<Frame>("out")
      .param("scale", 4, "how many times larger, each way", range(2, 4))
      .contract({.order = Order::kStateless, .cost = Cost::kHeavy})
      .about("Bicubic as MATLAB's imresize: Keys' kernel with a = -0.5, mirrored edges, rounded to 8 bits.")
      .paper("Keys, Cubic convolution interpolation for digital image processing, IEEE ASSP 29 (1981)")
      .example("Four times the size",
               "[nodes.clip]\nuse    = \"video_world.clip\"\nframes = 3\nwidth  = 16\nheight = "
               "16\n\n[nodes.large]\nuse  = "
               "\"superres.enlarge\"\nfrom = \"clip\"\n\n[nodes.out]\nuse  = \"image.write\"\nfrom = "
               "\"large\"\npath = "
               "\"large-%d.png\"\n");
}

}  // namespace stream::super_resolution
