#include <algorithm>
#include <cmath>

#include "super_resolution/label_map.hpp"
#include "super_resolution/study_part.hpp"
#include "video_world/clips.hpp"

namespace stream::super_resolution {
namespace {

TrainingClip clip_of(const StudySetting& s, int frames) {
  TrainingClip clip(s.general->shape().scale, s.columns, s.rows);
  const auto made = video_world::make_clip("mixed", s.seed, s.width, s.height, s.frames);
  for (int f = 0; f < frames; ++f) clip.add(made->frame(f).frame());
  return clip;
}

std::int64_t differing(const Pixels& a, const Pixels& b) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) count += a.samples[i] != b.samples[i] ? 1 : 0;
  return count;
}

/// WDSR with a convolution for each layer, named by its number.
template <typename Convolve>
at::Tensor forward(const WdsrShape& shape, const at::Tensor& x, const Convolve& conv) {
  at::Tensor h = conv(0, x - 0.5);
  for (int b = 0; b < shape.blocks; ++b) h = h + conv(2 * b + 2, conv(2 * b + 1, h).relu());
  return at::pixel_shuffle(conv(shape.layers() - 2, h) + conv(shape.layers() - 1, x - 0.5), shape.scale) +
         0.5;
}

/// Largest difference between folded weights and weight norm as it is written: a convolution with v, whose
/// result is scaled by g / |v|.
double folding_error(const Wdsr& network, const at::Tensor& x) {
  const torch::NoGradGuard no_grad;
  const WdsrShape& shape = network.shape();
  const Weights folded = network.folded();
  std::vector<const float*> starts;
  const float* at = folded.values.data();
  for (int i = 0; i < shape.layers(); ++i) {
    const auto [in, out, side] = shape.layer(i);
    starts.push_back(at);
    at += std::int64_t{out} * (in * side * side + 1);
  }
  const auto by_folded = [&](int i, const at::Tensor& v) {
    const auto [in, out, side] = shape.layer(i);
    auto* const first = const_cast<float*>(starts[static_cast<std::size_t>(i)]);
    return at::conv2d(v, torch::from_blob(first, {out, in, side, side}),
                      torch::from_blob(first + std::int64_t{out} * in * side * side, {out}), 1, side / 2);
  };
  const auto parameters = network.named_parameters();
  const auto by_norm = [&](int i, const at::Tensor& v) {
    const std::string layer = "layer" + std::to_string(i) + ".";
    const at::Tensor &direction = parameters[layer + "weight_v"], &length = parameters[layer + "weight_g"];
    const at::Tensor scale = length.flatten() / direction.square().sum({1, 2, 3}).sqrt();
    return at::conv2d(v, direction, {}, 1, direction.size(2) / 2) * scale.view({1, -1, 1, 1}) +
           parameters[layer + "bias"].view({1, -1, 1, 1});
  };
  return (forward(shape, x, by_folded) - forward(shape, x, by_norm)).abs().max().item<double>();
}

}  // namespace

bool ExactStudy::step() {
  if (!records_.empty()) return false;
  const StudySetting& s = setting_;
  const int frames = std::min(s.frames, 6);
  const TrainingClip clip = clip_of(s, frames);
  const auto network = std::make_shared<const Network>(s.general->folded());
  const auto wrong = [&](std::string what, double value, const char* bar, bool held) {
    records_.push_back(claim(std::move(what), Value(), Value(), value, bar, held));
  };

  // (a) One model, halo of the receptive field: a grid of patches is a whole frame.
  std::int64_t apart = 0;
  {
    Upscaler patches(clip.grid(), 4, Halo::kFull, 1),
        whole({clip.grid().width, clip.grid().height, 1, 1}, 4, Halo::kFull, 1);
    patches.set_models({network});
    whole.set_models({network});
    for (int f = 0; f < frames; ++f)
      apart += differing(patches.run(clip.lr(f), Labels(static_cast<std::size_t>(clip.grid().patches()), 0)),
                         whole.run(clip.lr(f), Labels(1, 0)));
  }
  wrong("samples in which patches with a halo differ from whole frames", static_cast<double>(apart), "0",
        apart == 0);

  // (c) The map.
  const auto d = difficulty(clip, *network);
  const auto parts = by_difficulty(d, s.models);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(s.models));
  for (const std::uint8_t p : parts) ++counts[p];
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  wrong("most by which the counts of patches differ from model to model", static_cast<double>(*most - *least),
        "<= 1", *most - *least <= 1);
  std::vector<Labels> labels;
  const auto each = static_cast<std::size_t>(clip.grid().patches());
  int varied = 0;
  for (int f = 0; f < frames; ++f) {
    labels.emplace_back(parts.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(f) * each),
                        parts.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(f + 1) * each));
    varied += *std::max_element(labels.back().begin(), labels.back().end()) !=
                      *std::min_element(labels.back().begin(), labels.back().end())
                  ? 1
                  : 0;
  }
  const std::string coded = encode_labels(labels, clip.grid().columns, s.models);
  const bool same = decode_labels(coded, labels.size(), each, clip.grid().columns, s.models) == labels;
  records_.push_back(claim("bytes of the map, decoded as it was coded", Value(),
                           static_cast<std::int64_t>(labels.size() * each),
                           static_cast<std::int64_t>(coded.size()), "equal labels, fewer bytes than patches",
                           same && coded.size() < labels.size() * each));
  wrong("frames whose patches are of more than one model", static_cast<double>(varied), "all",
        varied == frames);

  // Clustering does not know about time: frames in another order, the same partition.
  {
    TrainingClip backwards(4, s.columns, s.rows);
    for (int f = frames; f-- > 0;) backwards.add(Pixels(clip.hr(f)));
    const auto reversed = difficulty(backwards, *network);
    std::int64_t moved = 0;
    for (int f = 0; f < frames; ++f)
      for (std::size_t p = 0; p < each; ++p)
        moved += reversed[static_cast<std::size_t>(frames - 1 - f) * each + p] !=
                         d[static_cast<std::size_t>(f) * each + p]
                     ? 1
                     : 0;
    wrong("patches whose difficulty changes when frames come in another order", static_cast<double>(moved),
          "0", moved == 0);
  }

  // (d) Folded weight norm.
  {
    std::vector<PatchIndex> some;
    for (int i = 0; i < std::min<int>(16, static_cast<int>(clip.patches())); ++i) some.push_back(i);
    const double error = folding_error(*s.general, clip.lr_batch(some, 0));
    wrong("largest difference between folded and unfolded weights", error, "<= 1e-6", error <= 1e-6);
  }

  // (e) Workers, and how patches are batched.
  {
    std::vector<std::shared_ptr<const Network>> models(static_cast<std::size_t>(s.models), network);
    std::int64_t differ = 0;
    for (const Halo halo : {Halo::kNone, Halo::kFull}) {
      Upscaler one(clip.grid(), 4, halo, 1), three(clip.grid(), 4, halo, 3), alone(clip.grid(), 4, halo, 2);
      one.set_models(models);
      three.set_models(models);
      alone.set_models({network});
      for (int f = 0; f < frames; ++f) {
        const Pixels expected = one.run(clip.lr(f), labels[static_cast<std::size_t>(f)]);
        differ += differing(expected, three.run(clip.lr(f), labels[static_cast<std::size_t>(f)]));
        differ += differing(expected, alone.run(clip.lr(f), Labels(each, 0)));
      }
    }
    wrong("samples that depend on workers or on how patches are batched", static_cast<double>(differ), "0",
          differ == 0);
  }
  return true;
}

}  // namespace stream::super_resolution
