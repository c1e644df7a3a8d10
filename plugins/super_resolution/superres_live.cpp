#include "super_resolution/superres_live.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "stream/error.hpp"

namespace stream::super_resolution {

Spec LiveOperator::spec() {
  return with_training_params(
             Spec("superres.live",
                  "Train networks for a live video on what has just been recorded, and send them along.")
                 .input<Frame>("in", "HR: RGB of 8 bits, sides multiples of the scale")
                 .output<Frame>("out",
                                "what a viewer sees: LR upscaled with the networks that have arrived by then")
                 .output<Frame>("lr", "the low-resolution video that is sent")
                 .output<Bytes>("stream", "the stream file, as it grows: what superres.play reads")
                 .output<Record>(
                     "chunks",
                     "{\"chunk\", \"steps\", \"psnr_trained\", \"psnr_shown\"} when a chunk's networks are "
                     "sent; dB on the chunk itself, and over all that was shown so far")
                 .param("chunk", std::chrono::seconds(2), "length of what networks are trained on")
                 .param("limit", std::chrono::milliseconds(1500),
                        "most time on the clock for the training of a chunk")
                 .param("steps", 0,
                        "updates for a chunk instead of a time limit, which makes the output the same on "
                        "every machine; "
                        "0: by the limit",
                        range(0, 1e9))
                 .param("workers", 1, "threads that upscale", range(1, 64)))
      .contract([](const Params& p) {
        return Contract{.order = p.get<std::int64_t>("steps") == 0 ? Order::kArrival : Order::kStateful,
                        .cost = Cost::kHeavy};
      })
      .about(
          "While a chunk is recorded, the one before it is learnt; its networks are sent when the chunk "
          "ends, and serve "
          "what is recorded next. Until the first have been sent, the general model serves all. Frames are "
          "never held "
          "back. Patches of a new frame are sorted by the general model's PSNR on them, at the thresholds of "
          "the chunk "
          "that the networks learnt.\n\n"
          "With `limit` the networks depend on how fast the machine is; with `steps` on the video alone, and "
          "then a "
          "resumed run gives the output of one that was never stopped. A checkpoint waits for the training "
          "under way.")
      .paper(
          "Li, Ji, Qin, Niu, Ren, Afghah, Guo, Ma, Towards High-Quality and Efficient Video Super-Resolution "
          "via "
          "Spatial-Temporal Data Overfitting, CVPR 2023")
      .example("A made-up live video", R"(title = "Live"
[nodes.clip]
use = "video_world.clip"
frames = 12
width = 64
height = 64
[nodes.live]
use = "superres.live"
from = "clip"
columns = 2
rows = 2
models = 2
chunk = "130ms"
steps = 10
[nodes.yuv]
use = "video.convert"
from = "live"
format = "yuv444p"
[nodes.out]
use = "video.write"
from = "yuv"
path = "-"
[nodes.file]
use = "bytes.write"
from = "live.stream"
path = "live.srs"
)");
}

LiveOperator::LiveOperator(const Params& p)
    : settings_(training_settings(p)),
      chunk_length_(p.get<Duration>("chunk")),
      limit_(p.get<Duration>("limit")),
      steps_(p.get<std::int64_t>("steps")),
      workers_(p.get<int>("workers")),
      random_(p.random("training")) {
  const Method method = settings_.options.method;
  if (method != Method::kStdo && method != Method::kJoint && method != Method::kWhole)
    throw bad_recipe(
        std::string("method = \"") + name_of(method) +
        "\" cannot be live: patches of frames to come must find their model (stdo, joint, whole)");
  if (!settings_.general || !(settings_.general->shape() == settings_.options.shape))
    throw bad_recipe(
        "live needs a general model of the shape that is trained, which serves until others have arrived");
  if (chunk_length_ <= Duration{0}) throw bad_recipe("chunk must be longer than nothing");
  general_ = std::make_shared<const Network>(settings_.general->folded());
}

LiveOperator::~LiveOperator() {
  if (thread_.joinable()) thread_.join();
}

void LiveOperator::send(Output& out, Time time, std::string bytes) const {
  out.emit(2, Packet::of<Bytes>(time, Buffer::own(std::move(bytes))));
}

void LiveOperator::begin(const PatchGrid& grid, Duration period, Output& out, Time time) {
  const int models = settings_.options.method == Method::kStdo ? settings_.options.models : 1;
  header_ = header_of(settings_, grid, models, period);
  weights_.assign(static_cast<std::size_t>(models), settings_.general->folded());
  set_models();
  std::string bytes = begin_bytes(header_);
  for (std::size_t i = 0; i < weights_.size(); ++i)
    bytes += model_bytes(static_cast<int>(i), weights_[i], settings_.precision);
  send(out, time, std::move(bytes));
}

/// As a viewer has them: with the file's precision.
void LiveOperator::set_models() {
  if (!upscaler_)
    upscaler_ = std::make_unique<Upscaler>(header_.grid, header_.shape.scale, header_.halo, workers_);
  std::vector<std::shared_ptr<const Network>> networks;
  for (const Weights& w : weights_)
    networks.push_back(std::make_shared<const Network>(
        Weights::read(w.shape, settings_.precision, w.bytes(settings_.precision))));
  upscaler_->set_models(std::move(networks));
}

Labels LiveOperator::labels_of(const Pixels& hr) const {
  Labels labels(static_cast<std::size_t>(header_.grid.patches()), 0);
  if (thresholds_.empty()) return labels;
  TrainingClip one(header_.shape.scale, settings_.columns, settings_.rows);
  one.add(Pixels(hr));
  const auto d = difficulty(one, *general_);
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::uint8_t>(std::lower_bound(thresholds_.begin(), thresholds_.end(), d[i]) -
                                          thresholds_.begin());
  return labels;
}

void LiveOperator::process(Packet in, Output& out) {
  // A chunk begins with a frame that fits those of the chunks before it: one that is refused changes nothing.
  std::unique_ptr<TrainingClip> fresh;
  if (!recording_)
    fresh = std::make_unique<TrainingClip>(settings_.options.shape.scale, settings_.columns, settings_.rows);
  TrainingClip& recording = fresh ? *fresh : *recording_;
  const Pixels& lr = recording.add(in.as<Frame>());
  const Pixels& hr = recording.hr(recording.frames() - 1);
  const PatchGrid& grid = recording.grid();
  if (frames_ > 0 && (grid.width != header_.grid.width || grid.height != header_.grid.height))
    throw bad_data("frame " + std::to_string(frames_) + " is of another size than those before it");
  if (frames_ == 0) begin(grid, in.duration, out, in.time);
  if (fresh) {
    recording_ = std::move(fresh);
    chunk_begun_ = in.time;
  }
  const Labels labels = labels_of(hr);
  send(out, in.time, labels_bytes(header_, frames_, {labels}));
  const Pixels shown = upscaler_->run(lr, labels);
  squared_error_ += squared_error(shown, hr);
  samples_ += static_cast<double>(hr.samples.size());
  out.emit(1, in.with<Frame>(frame_of(lr, in.as<Frame>().sampling())));
  out.emit(0, in.with<Frame>(frame_of(shown, in.as<Frame>().sampling())));
  ++frames_;
  newest_ = in.time;
  if (in.time + in.duration - chunk_begun_ < chunk_length_) return;
  // The chunk is complete: what was learnt from the one before is sent, and this one is learnt next.
  install(out, in.time);
  start_training();
}

LiveOperator::Outcome LiveOperator::train(const TrainingClip& clip, std::int64_t chunk) const {
  const auto end = std::chrono::steady_clock::now() + limit_;
  OverfitOptions options = settings_.options;
  // By the clock the learning rate falls over as many updates as a first guess allows.
  options.steps = steps_ > 0 ? steps_ : std::max<std::int64_t>(1, limit_ / std::chrono::milliseconds(5));
  Random random = random_;
  for (std::int64_t i = 0; i <= chunk; ++i) random();
  Overfit training(clip, options, settings_.general.get(), random);
  while (!training.finished() && (steps_ > 0 || std::chrono::steady_clock::now() < end)) training.step();
  Outcome outcome;
  outcome.weights = training.weights();
  outcome.chunk = chunk;
  outcome.steps = training.steps();
  outcome.psnr = play(clip, outcome.weights, training.labels(), settings_.precision, settings_.halo).total();
  if (options.method == Method::kStdo) {
    // The largest d of each part but the last.
    const auto& d = training.difficulties();
    outcome.thresholds.assign(static_cast<std::size_t>(options.models - 1), -1e9f);
    std::size_t patch = 0;
    for (const Labels& labels : training.labels())
      for (const std::uint8_t label : labels) {
        if (label + 1 < options.models) {
          float& most = outcome.thresholds[label];
          most = std::max(most, d[patch]);
        }
        ++patch;
      }
    std::sort(outcome.thresholds.begin(), outcome.thresholds.end());
  }
  return outcome;
}

void LiveOperator::start_training() {
  training_clip_ = std::move(recording_);
  const std::int64_t chunk = chunks_++;
  thread_ = std::thread([this, chunk, &clip = *training_clip_] {
    try {
      outcome_ = train(clip, chunk);
    } catch (...) {
      failure_ = std::current_exception();
    }
  });
}

void LiveOperator::join() const {
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, {}));
}

void LiveOperator::install(Output& out, Time time) {
  join();
  if (!outcome_) return;
  weights_ = outcome_->weights;
  thresholds_ = outcome_->thresholds;
  set_models();
  std::string bytes;
  for (std::size_t i = 0; i < weights_.size(); ++i)
    bytes += model_bytes(static_cast<int>(i), weights_[i], settings_.precision);
  send(out, time, std::move(bytes));
  out.emit(3, Packet::of<Record>(time, Object{{"chunk", outcome_->chunk},
                                              {"steps", outcome_->steps},
                                              {"psnr_trained", outcome_->psnr},
                                              {"psnr_shown", psnr_of(squared_error_, samples_)}}));
  outcome_.reset();
  training_clip_.reset();
}

void LiveOperator::finish(Output& out) {
  // What the last whole chunk taught serves nobody any more, but a file that ends here is complete.
  install(out, newest_);
  if (frames_ > 0) send(out, newest_, end_bytes(frames_));
}

void LiveOperator::save(Archive& state) const {
  join();
  state.set("frames", frames_);
  state.set("chunks", chunks_);
  if (frames_ == 0) return;
  state.set("lr_width", header_.grid.width);
  state.set("lr_height", header_.grid.height);
  state.set("rate_num", header_.rate_num);
  state.set("rate_den", header_.rate_den);
  state.set("chunk_begun", chunk_begun_);
  state.set("newest", newest_);
  state.set("squared_error", squared_error_);
  state.set("samples", samples_);
  const auto put = [](Archive& group, const std::vector<Weights>& weights,
                      const std::vector<float>& thresholds) {
    group.set("models", static_cast<std::int64_t>(weights.size()));
    for (std::size_t i = 0; i < weights.size(); ++i)
      group.set("model" + std::to_string(i), weights[i].values);
    group.set("thresholds", thresholds);
  };
  put(state.group("now"), weights_, thresholds_);
  state.set("trained", outcome_.has_value());
  if (outcome_) {
    Archive& next = state.group("next");
    put(next, outcome_->weights, outcome_->thresholds);
    next.set("chunk", outcome_->chunk);
    next.set("steps", outcome_->steps);
    next.set("psnr", outcome_->psnr);
  }
  state.set("recorded", recording_ ? recording_->frames() : 0);
  std::vector<std::uint8_t> all;
  for (int f = 0; recording_ && f < recording_->frames(); ++f)
    all.insert(all.end(), recording_->hr(f).samples.begin(), recording_->hr(f).samples.end());
  state.set("video", all);
}

void LiveOperator::load(const Archive& state) {
  frames_ = state.get<std::int64_t>("frames");
  chunks_ = state.get<std::int64_t>("chunks");
  if (frames_ == 0) return;
  PatchGrid grid;
  grid.columns = settings_.columns, grid.rows = settings_.rows;
  grid.width = state.get<int>("lr_width"), grid.height = state.get<int>("lr_height");
  grid.check();
  const int models = settings_.options.method == Method::kStdo ? settings_.options.models : 1;
  header_ = header_of(settings_, grid, models, Duration{1});
  header_.rate_num = state.get<std::int64_t>("rate_num");
  header_.rate_den = state.get<std::int64_t>("rate_den");
  chunk_begun_ = state.get<Duration>("chunk_begun");
  newest_ = state.get<Duration>("newest");
  squared_error_ = state.get<double>("squared_error");
  samples_ = state.get<double>("samples");
  const auto take = [&](const Archive& group, std::vector<Weights>& weights, std::vector<float>& thresholds) {
    if (group.get<std::int64_t>("models") != models)
      throw bad_data("the saved networks are not as many as the recipe's");
    weights.clear();
    for (int i = 0; i < models; ++i) {
      Weights w{settings_.options.shape, group.get<std::vector<float>>("model" + std::to_string(i))};
      if (static_cast<std::int64_t>(w.values.size()) != w.shape.parameters())
        throw bad_data("a saved network is of another shape than the recipe's");
      weights.push_back(std::move(w));
    }
    thresholds = group.get<std::vector<float>>("thresholds");
    if (thresholds.size() >= static_cast<std::size_t>(std::max(2, models)))
      throw bad_data("the saved thresholds are damaged");
  };
  take(state.group("now"), weights_, thresholds_);
  set_models();
  if (state.get<bool>("trained")) {
    const Archive& next = state.group("next");
    Outcome o;
    take(next, o.weights, o.thresholds);
    o.chunk = next.get<std::int64_t>("chunk");
    o.steps = next.get<std::int64_t>("steps");
    o.psnr = next.get<double>("psnr");
    outcome_ = std::move(o);
  }
  const auto all = state.get<std::vector<std::uint8_t>>("video");
  const int recorded = state.get<int>("recorded"), scale = header_.shape.scale;
  const Pixels shape{grid.width * scale, grid.height * scale, {}};
  if (recorded < 0 || all.size() != 3 * shape.plane() * static_cast<std::size_t>(recorded))
    throw bad_data("the saved recording is damaged");
  if (recorded == 0) return;
  recording_ = std::make_unique<TrainingClip>(scale, settings_.columns, settings_.rows);
  for (int f = 0; f < recorded; ++f) {
    const auto first =
        all.begin() + static_cast<std::ptrdiff_t>(3 * shape.plane() * static_cast<std::size_t>(f));
    recording_->add(
        Pixels{shape.width, shape.height, {first, first + static_cast<std::ptrdiff_t>(3 * shape.plane())}});
  }
}

std::size_t LiveOperator::state_bytes() const {
  std::size_t bytes = sizeof *this;
  for (const auto* clip : {recording_.get(), training_clip_.get()})
    bytes += clip != nullptr ? clip->bytes() : 0;
  for (const Weights& w : weights_) bytes += 2 * w.values.size() * sizeof(float);
  return bytes;
}

std::string LiveOperator::progress() const {
  char text[80];
  std::snprintf(text, sizeof text, "frame %lld, chunk %lld, %.2f dB", static_cast<long long>(frames_),
                static_cast<long long>(chunks_), samples_ > 0 ? psnr_of(squared_error_, samples_) : 0.0);
  return text;
}

}  // namespace stream::super_resolution
