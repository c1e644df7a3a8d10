#include "super_resolution/settings.hpp"

#include <cmath>
#include <numeric>

#include "stream/error.hpp"

namespace stream::super_resolution {

Spec with_training_params(Spec spec) {
  const OverfitOptions o;
  return std::move(spec)
      .param("method", name_of(o.method),
             "stdo: models for equally hard patches, wherever and whenever they are; joint: one model that "
             "is shown hard "
             "patches more often (J-STDO); whole: one model (awDNN); time: a model for each part of the time "
             "(NAS); cafm: "
             "one body, modulated for each part of the time; random: models for patches at random",
             choices({"stdo", "joint", "whole", "time", "cafm", "random"}))
      .param("models", o.models, "how many; joint: parts into which patches are sorted", range(1, 255))
      .param("share", o.share, "joint: part j is shown with this to the power of j in each epoch",
             range(0.0, 1.0))
      .param("scale", o.shape.scale, "HR over LR, each way", range(2, 4))
      .param("columns", 10, "patches from left to right", range(1, 4096))
      .param("rows", 6, "patches from top to bottom", range(1, 4096))
      .param("features", o.shape.features, "channels between the blocks", range(1, 256))
      .param("blocks", o.shape.blocks, "residual blocks", range(1, 64))
      .param("expansion", o.shape.expansion, "channels inside a block, in multiples of features",
             range(1, 16))
      .param("batch", o.batch, "patches in an update", range(1, 1024))
      .param("learning_rate", o.learning_rate, "of Adam, at the beginning; half a cosine down to 4e-8",
             range(0, 1))
      .param("halo", "none",
             "what a patch sees around itself: none (as the paper), or full: its receptive field",
             choices({"none", "full"}))
      .param("precision", "float16", "of weights in the file", choices({"float32", "float16", "int8"}))
      .path("general", "models/superres-x4.h5",
            "the general model M0, which tells hard patches from easy ones and which all training starts "
            "from; ours, or a "
            "published WDSR checkpoint through stream import; - for none (whole, time, cafm, random)");
}

TrainingSettings training_settings(const Params& p) {
  TrainingSettings s;
  OverfitOptions& o = s.options;
  o.method = method_of(p.get<std::string>("method"));
  o.models = p.get<int>("models");
  o.share = p.get<double>("share");
  o.shape = {p.get<int>("scale"), p.get<int>("features"), p.get<int>("blocks"), p.get<int>("expansion")};
  o.batch = p.get<int>("batch");
  o.learning_rate = p.get<double>("learning_rate");
  s.columns = p.get<int>("columns");
  s.rows = p.get<int>("rows");
  s.halo = p.get<std::string>("halo") == "full" ? Halo::kFull : Halo::kNone;
  o.halo = s.halo == Halo::kFull ? o.shape.reach() : 0;
  s.precision = precision_of(p.get<std::string>("precision"));
  if (p.get<std::string>("general") != "-") {
    s.general = load_wdsr(p.input_path("general"));
    if (s.general->shape().scale != o.shape.scale)
      throw bad_recipe("general = \"" + p.get<std::string>("general") + "\" is a model for a scale of " +
                       std::to_string(s.general->shape().scale) + ", scale is " +
                       std::to_string(o.shape.scale));
  } else if (o.method == Method::kStdo || o.method == Method::kJoint) {
    throw bad_recipe(std::string("method = \"") + name_of(o.method) + "\" needs a general model");
  }
  return s;
}

StreamHeader header_of(const TrainingSettings& s, const PatchGrid& grid, int models, Duration period) {
  StreamHeader h;
  h.grid = grid;
  h.shape = s.options.shape;
  h.models = models;
  h.halo = s.halo;
  h.precision = s.precision;
  h.method = name_of(s.options.method);
  // In microseconds where it is no whole rate: for display alone, every frame has its own time.
  const std::int64_t nanoseconds = std::max<std::int64_t>(1, period.count());
  const std::int64_t whole = (1'000'000'000 + nanoseconds / 2) / nanoseconds;
  h.rate_num = 1'000'000, h.rate_den = std::max<std::int64_t>(1, nanoseconds / 1000);
  if (duration_of(1, std::max<std::int64_t>(1, whole)) == period) h.rate_num = whole, h.rate_den = 1;
  const std::int64_t common = std::gcd(h.rate_num, h.rate_den);
  h.rate_num /= common, h.rate_den /= common;
  return h;
}

}  // namespace stream::super_resolution
