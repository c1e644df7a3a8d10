/// Vectors from pictures and pictures from vectors: patches of luma.
#pragma once

#include "signals/frame_patches.hpp"
#include "signals/vectors.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::signals {

inline Spec with_patch_params(Spec spec) {
  return std::move(spec)
      .param("size", std::int64_t{8}, "samples along each side of a patch", range(2, 32))
      .param("mean", "apart", "of a patch: apart from the vector, or a part of it",
             choices({"apart", "kept"}));
}

class FramePatches final : public Operator {
 public:
  static Spec spec() {
    return with_patch_params(
               Spec("signals.frame_patches", "Cut the luma of pictures into square patches, a vector each.")
                   .input<Frame>("in", "gray or YUV, 8 to 16 bits")
                   .output<Tensor>("out",
                                   "[size^2 - 1] of float64 with the mean apart, [size^2] with it "
                                   "kept; row by row, all with the time of their picture"))
        .contract({.order = Order::kStateless})
        .about(
            "Samples are in [0, 1]. Beyond the right and lower edge the last sample is repeated. With the "
            "mean "
            "apart a vector holds the patch's coordinates in an orthonormal basis of what sums to 0.")
        .example("A basis of a video's patches", R"([nodes.in]
use = "video.read"

[nodes.patches]
use  = "signals.frame_patches"
from = "in"

[nodes.learner]
use  = "signals.dictionary"
from = "patches"
size = 63

[nodes.out]
use  = "jsonl.write"
from = "learner.status"
)");
  }
  explicit FramePatches(const Params& p)
      : size_(p.get<int>("size")), apart_(p.get<std::string>("mean") == "apart") {}
  void process(Packet in, Output& out) override {
    const PatchGrid grid(in.as<Frame>(), size_);
    for (std::int64_t i = 0; i < grid.count(); ++i) {
      std::vector<double> patch = grid.patch(i);
      if (apart_) patch = without_mean(patch);
      const auto n = static_cast<std::int64_t>(patch.size());
      out.emit(in.with<Tensor>(Tensor::of(std::move(patch), {n})));
    }
  }

 private:
  int size_;
  bool apart_;
};

class PatchesFrame final : public Operator {
 public:
  static Spec spec() {
    return with_patch_params(
               Spec("signals.patches_frame",
                    "Pictures from their patches: the inverse of signals.frame_patches.")
                   .input<Frame>("frames",
                                 "the pictures that the patches were cut from: size, chroma and, "
                                 "with the mean apart, each patch's mean")
                   .input<Tensor>("patches", "as many for each picture as it was cut into")
                   .output<Frame>("out", "with the time of the picture"))
        .contract({.order = Order::kStateful})
        .about("A picture is given when its last patch has come. Samples are clamped and rounded.")
        .example("Less noise, with a basis that is learnt on the way", R"([nodes.in]
use = "video.read"

[nodes.patches]
use  = "signals.frame_patches"
from = "in"

[nodes.learner]
use       = "signals.dictionary"
from      = "patches"
size      = 63
terms     = 63
threshold = 0.1

[nodes.pictures]
use  = "signals.patches_frame"
from = { frames = "in", patches = "learner.approximation" }

[nodes.out]
use  = "video.write"
from = "pictures"
)");
  }
  explicit PatchesFrame(const Params& p)
      : size_(p.get<int>("size")), apart_(p.get<std::string>("mean") == "apart") {}
  void process(std::size_t port, Packet in, Output& out) override {
    if (port == 0) {
      if (frame_.payload)
        throw bad_data("a picture comes when only " + std::to_string(come_) + " of the " +
                       std::to_string(grid().count()) + " patches of the one before have come");
      frame_ = std::move(in);
      luma_ = grid().luma();
      return;
    }
    if (!frame_.payload || in.time != frame_.time)
      throw bad_data("a patch of " + to_string(in.time) + " belongs to no picture");
    const PatchGrid cut = grid();
    const auto n = static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_);
    std::vector<double> patch = vector_of(in, apart_ ? n - 1 : n);
    if (apart_) patch = with_mean(patch, mean_of(cut.patch(come_)));
    cut.put(come_, patch, luma_);
    if (++come_ < cut.count()) return;
    out.emit(Packet{cut.with(std::exchange(luma_, {})), frame_.time, frame_.duration, frame_.key, 0,
                    frame_.arrival});
    frame_ = {}, come_ = 0;
  }
  void save(Archive& state) const override {
    state.set("come", come_);
    if (!frame_.payload) return;
    state.set("frame", frame_);
    state.set("luma", luma_);
  }
  void load(const Archive& state) override {
    come_ = state.get<std::int64_t>("come");
    if (!state.has("luma")) return;
    frame_ = state.packet("frame");
    luma_ = state.get<std::vector<std::uint8_t>>("luma");
    if (come_ < 0 || come_ >= grid().count() || luma_.size() != grid().luma().size())
      throw bad_data("the checkpoint's picture does not fit its patches");
  }
  std::size_t state_bytes() const override {
    return sizeof *this + luma_.size() + (frame_.payload ? frame_.payload->bytes() : 0);
  }

 private:
  PatchGrid grid() const { return {frame_.as<Frame>(), size_}; }
  int size_;
  bool apart_;
  Packet frame_;                    ///< whose patches are coming; none: no payload
  std::vector<std::uint8_t> luma_;  ///< of that, with the patches that have come
  std::int64_t come_ = 0;
};

}  // namespace stream::signals
