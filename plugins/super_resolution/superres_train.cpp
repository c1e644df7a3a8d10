#include "super_resolution/superres_train.hpp"

#include <cstdio>

#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream::super_resolution {
namespace {

/// Behind the end of any video: ten years.
constexpr Time kAfterAll = std::chrono::hours(24 * 365 * 10);
constexpr int kSampled = 6;  ///< frames that the running PSNR is measured on

constexpr const char* kPaper =
    "Li, Ji, Qin, Niu, Ren, Afghah, Guo, Ma, Towards High-Quality and Efficient Video Super-Resolution via "
    "Spatial-Temporal Data Overfitting, CVPR 2023";

}  // namespace

Spec TrainOperator::spec() {
  return with_training_params(
             Spec("superres.train",
                  "Overfit small super-resolution networks to a video: STDO, J-STDO and their baselines.")
                 .input<Frame>("in", "HR: RGB of 8 bits, sides multiples of the scale")
                 .optional_input<Record>(
                     "turns",
                     "of superres.turns: a piece of the training for each, so that checkpoints may "
                     "fall between; without, all of it happens when the video has ended")
                 .output<Frame>("lr", "the low-resolution video: bicubic, 8 bits")
                 .output<Record>("progress",
                                 "{\"step\", \"epoch\", \"loss\", \"psnr\"} after each turn, psnr in dB on "
                                 "some frames; at the end "
                                 "{\"psnr\", \"psnr_shaved\", \"psnr_bicubic\", \"bytes_models\", "
                                 "\"bytes_map\", \"bytes_file\", "
                                 "\"multiply_adds_per_pixel\", ...} over all")
                 .path("file", nullptr, "the stream file to write: header, models and patch map")
                 .param("steps", 4000, "updates in all, over all models", range(0, 1e9))
                 .param(
                     "keep", "",
                     "whole: also write the network to this HDF5 file, as a general model for other videos"))
      .contract({.lookahead = kUnbounded,
                 .state = Growth::kLinear,
                 .grows_with = "frames",
                 .order = Order::kStateful,
                 .cost = Cost::kHeavy})
      .about(
          "The video is kept in memory, HR and LR, while it is learnt: 3 bytes for every pixel. LR is "
          "bicubic in MATLAB's "
          "way and rounded to 8 bits, which is what a player will have. Patches are sorted by the PSNR that "
          "the general "
          "model M0 reaches on them and cut into parts of equal count; each part trains a network of its "
          "own, L1 loss, "
          "Adam, whole patches, from M0 where the shape is its. Every method gets the same number of updates "
          "in all. The "
          "epoch with the lowest training loss is kept; weight norm is folded; weights are stored in 16 bits "
          "or 8, and "
          "every figure that is reported was measured with the stored ones, rounded to 8 bits, over whole "
          "frames; "
          "psnr_shaved leaves out scale + 4 pixels around every patch, as the paper's repository does.\n\n"
          "A checkpoint holds the video and every network with its moments, so --resume goes on at the "
          "update where the "
          "run stopped, and gives the file of a run that was never stopped, byte for byte.")
      .paper(kPaper)
      .example("Learn a made-up clip", R"(title = "Overfitting"
[nodes.clip]
use = "video_world.clip"
frames = 4
width = 64
height = 64
[nodes.turns]
use = "superres.turns"
turns = 4
[nodes.train]
use = "superres.train"
from = { in = "clip", turns = "turns" }
columns = 2
rows = 2
models = 2
steps = 20
file = "clip.srs"
[nodes.log]
use = "jsonl.write"
from = "train.progress"
path = "-"
[nodes.yuv]
use = "video.convert"
from = "train.lr"
format = "yuv444p"
[nodes.lr]
use = "video.write"
from = "yuv"
path = "clip-lr.y4m"
)");
}

TrainOperator::TrainOperator(const Params& p)
    : path_(p.get<std::string>("file")),
      keep_(p.get<std::string>("keep")),
      settings_(training_settings(p)),
      context_(p.context()),
      random_(p.random("training")),
      clip_(settings_.options.shape.scale, settings_.columns, settings_.rows) {
  settings_.options.steps = p.get<std::int64_t>("steps");
  if (!keep_.empty() && settings_.options.method != Method::kWhole)
    throw bad_recipe("keep is for method = \"whole\": the others have no one network");
}

void TrainOperator::process(std::size_t port, Packet in, Output& out) {
  if (port == 0) {
    const Pixels& lr = clip_.add(in.as<Frame>());
    if (clip_.frames() == 1) period_ = in.duration;
    newest_ = std::max(newest_, in.time);
    if (!out.unused(0)) out.emit(0, in.with<Frame>(frame_of(lr, in.as<Frame>().sampling())));
    return;
  }
  const std::int64_t turn = in.as<Record>().at("turn").as_integer(),
                     of = in.as<Record>().at("of").as_integer();
  if (turn < 0 || of < 1 || turn >= of)
    throw bad_data("turn " + std::to_string(turn) + " of " + std::to_string(of));
  newest_ = std::max(newest_, in.time);
  begin();
  train_to(static_cast<std::int64_t>(static_cast<double>(settings_.options.steps) *
                                     (static_cast<double>(turn + 1) / static_cast<double>(of))));
  report(out, in.time);
}

void TrainOperator::begin() {
  if (training_) return;
  training_ = std::make_unique<Overfit>(clip_, settings_.options, settings_.general.get(), random_);
}

void TrainOperator::train_to(std::int64_t steps) {
  if (begun_ == std::chrono::steady_clock::time_point{}) {
    begun_ = std::chrono::steady_clock::now();
    begun_at_ = training_->steps();
  }
  while (training_->steps() < steps && !training_->finished()) training_->step();
}

double TrainOperator::sampled_psnr() const {
  TrainingClip few(clip_.scale(), settings_.columns, settings_.rows);
  std::vector<Labels> labels;
  const int count = std::min(kSampled, clip_.frames());
  for (int i = 0; i < count; ++i) {
    const int frame = static_cast<int>(std::int64_t{clip_.frames()} * (2 * i + 1) / (2 * count));
    few.add(Pixels(clip_.hr(frame)));
    labels.push_back(training_->labels()[static_cast<std::size_t>(frame)]);
  }
  return super_resolution::play(few, training_->weights(), labels, settings_.precision, settings_.halo)
      .total();
}

void TrainOperator::report(Output& out, Time time) {
  psnr_ = sampled_psnr();
  out.emit(1, Packet::of<Record>(time, Object{{"step", training_->steps()},
                                              {"epoch", training_->epoch()},
                                              {"loss", training_->loss()},
                                              {"psnr", psnr_}}));
}

std::string TrainOperator::file_bytes() const {
  const StreamHeader header = header_of(settings_, clip_.grid(), training_->models(), period_);
  std::string bytes = begin_bytes(header);
  const auto weights = training_->weights();
  for (std::size_t i = 0; i < weights.size(); ++i)
    bytes += model_bytes(static_cast<int>(i), weights[i], settings_.precision);
  bytes += labels_bytes(header, 0, training_->labels());
  return bytes + end_bytes(clip_.frames());
}

void TrainOperator::finish(Output& out) {
  begin();
  train_to(settings_.options.steps);
  const std::string bytes = file_bytes();
  write_atomically(path_, bytes);
  if (!keep_.empty()) save_wdsr(keep_, *training_->network());
  const auto shown = super_resolution::play(clip_, training_->weights(), training_->labels(),
                                            settings_.precision, settings_.halo);
  double bicubic = 0;
  for (int f = 0; f < clip_.frames(); ++f)
    bicubic += squared_error(enlarge(clip_.lr(f), clip_.scale()), clip_.hr(f));
  psnr_ = shown.total();
  out.emit(
      1,
      Packet::of<Record>(
          newest_,
          Object{
              {"frames", clip_.frames()},
              {"method", name_of(settings_.options.method)},
              {"models", training_->models()},
              {"steps", training_->steps()},
              {"psnr", psnr_},
              {"psnr_shaved", shown.shaved()},
              {"psnr_bicubic", psnr_of(bicubic, shown.samples)},
              {"bytes_models", static_cast<std::int64_t>(training_->bytes(settings_.precision))},
              {"bytes_map", static_cast<std::int64_t>(
                                labels_bytes(header_of(settings_, clip_.grid(), training_->models(), period_),
                                             0, training_->labels())
                                    .size())},
              {"bytes_file", static_cast<std::int64_t>(bytes.size())},
              {"multiply_adds_per_pixel", static_cast<double>(shown.multiply_adds) / (shown.samples / 3)}}));
}

void TrainOperator::save(Archive& state) const {
  state.set("frames", clip_.frames());
  state.set("period", period_);
  state.set("newest", newest_);
  if (clip_.frames() > 0) {
    state.set("width", clip_.hr(0).width);
    state.set("height", clip_.hr(0).height);
    std::vector<std::uint8_t> all;
    for (int f = 0; f < clip_.frames(); ++f)
      all.insert(all.end(), clip_.hr(f).samples.begin(), clip_.hr(f).samples.end());
    state.set("video", all);
  }
  state.set("training", training_ != nullptr);
  if (training_) training_->save(state.group("state"));
}

void TrainOperator::load(const Archive& state) {
  const int frames = state.get<int>("frames");
  period_ = state.get<Duration>("period");
  newest_ = state.get<Duration>("newest");
  if (frames > 0) {
    const int width = state.get<int>("width"), height = state.get<int>("height");
    const auto all = state.get<std::vector<std::uint8_t>>("video");
    if (width < 1 || height < 1 || frames < 0 ||
        all.size() / 3 / static_cast<std::size_t>(width) / static_cast<std::size_t>(height) !=
            static_cast<std::size_t>(frames))
      throw bad_data("the saved video is damaged");
    const std::size_t size = all.size() / static_cast<std::size_t>(frames);
    for (int f = 0; f < frames; ++f) {
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(f) * size);
      clip_.add(Pixels{width, height, {first, first + static_cast<std::ptrdiff_t>(size)}});
    }
  }
  if (!state.get<bool>("training")) return;
  begin();
  training_->load(state.group("state"));
}

std::size_t TrainOperator::state_bytes() const {
  return clip_.bytes() + (training_ ? training_->state_bytes() : 0);
}

std::string TrainOperator::progress() const {
  char text[128];
  if (!training_) {
    std::snprintf(text, sizeof text, "%d frames", clip_.frames());
    return text;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  const auto made = static_cast<double>(training_->steps() - begun_at_);
  const auto left = static_cast<double>(settings_.options.steps - training_->steps());
  // Frames a second: a frame's worth of patches.
  const double patches = made * settings_.options.batch / std::max(1, clip_.grid().patches());
  std::snprintf(text, sizeof text, "step %lld of %lld, epoch %lld, %.2f dB, %.1f frames/s, %.0f s left",
                static_cast<long long>(training_->steps()), static_cast<long long>(settings_.options.steps),
                static_cast<long long>(training_->epoch()), psnr_, seconds > 0 ? patches / seconds : 0.0,
                made > 0 ? seconds * left / made : 0.0);
  return text;
}

Spec TurnsSource::spec() {
  return Spec("superres.turns", "Divide a training into turns, after all else.")
      .output<Record>("out", "{\"turn\", \"of\"}, stamped ten years after the beginning")
      .param("turns", 50, "into how many", range(1, 1e6))
      .contract({.order = Order::kStateful})
      .about(
          "Packets are merged by their time, so these reach superres.train when the whole video has. Between "
          "two of them "
          "a checkpoint may be taken.")
      .paper(kPaper)
      .example("What they look like",
               "[nodes.turns]\nuse   = \"superres.turns\"\nturns = 3\n\n[nodes.out]\nuse  = "
               "\"jsonl.write\"\nfrom = "
               "\"turns\"\npath = \"-\"\n");
}

bool TurnsSource::read(Output& out) {
  if (next_ >= turns_) return false;
  out.emit(Packet::of<Record>(kAfterAll + Time{next_}, Object{{"turn", next_}, {"of", turns_}}));
  ++next_;
  return true;
}

}  // namespace stream::super_resolution
