#include "super_resolution/upscaler.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "stream/error.hpp"

namespace stream::super_resolution {
namespace {

constexpr int kGap = 2;              ///< zeros between patches without halo: half of the widest kernel
constexpr int kTogether = 8;         ///< patches without halo that lie side by side
constexpr std::int64_t kSlack = 64;  ///< floats that kernels may write past the end of a row

/// A run of pixels of one row.
struct Run {
  int y, x, pixels;
};

std::int64_t step_of(int channels) { return nn::Convolution::step(channels); }

}  // namespace

/// The layers' activations, pixel by pixel, over an area of `width` x `height` pixels.
struct Upscaler::Canvas {
  int width = 0, height = 0;
  WdsrShape made_for{.scale = 0};
  std::vector<float> input, features, hidden, output;

  void resize(int w, int h, const WdsrShape& shape) {
    if (w == width && h == height && shape == made_for) return;
    width = w, height = h;
    made_for = shape;
    const auto size = [&](int channels) {
      return static_cast<std::size_t>(h) * static_cast<std::size_t>(w * step_of(channels) + kSlack);
    };
    // What lies around patches stays zero: runs write nothing else there.
    input.assign(size(3), 0.0f);
    features.assign(size(shape.features), 0.0f);
    hidden.assign(size(shape.features * shape.expansion), 0.0f);
    output.assign(size(3 * shape.scale * shape.scale), 0.0f);
  }
  std::int64_t row(int channels) const { return width * step_of(channels) + kSlack; }

  static void layer(const nn::Convolution& c, const std::vector<float>& from, std::vector<float>& to,
                    const Canvas& canvas, const std::vector<Run>& runs, bool relu, bool add) {
    const std::int64_t in_step = step_of(static_cast<int>(c.in())),
                       out_step = step_of(static_cast<int>(c.out()));
    const std::int64_t in_row = canvas.row(static_cast<int>(c.in())),
                       out_row = canvas.row(static_cast<int>(c.out()));
    for (const Run& r : runs)
      c.run(from.data() + r.y * in_row + r.x * in_step, in_row, to.data() + r.y * out_row + r.x * out_step,
            out_step, r.pixels, relu, add);
  }

  /// All layers. `runs`: where each needs to be known, the head first, the tail last.
  std::int64_t forward(const Network& network, const std::vector<std::vector<Run>>& runs) {
    const WdsrShape& shape = network.shape();
    std::int64_t count = 0;
    const auto run = [&](int index, const std::vector<float>& from, std::vector<float>& to,
                         const std::vector<Run>& where, bool relu, bool add) {
      const nn::Convolution& c = network.layer(index);
      layer(c, from, to, *this, where, relu, add);
      for (const Run& r : where) count += r.pixels * c.multiply_adds();
    };
    run(0, input, features, runs[0], false, false);
    for (int b = 0; b < shape.blocks; ++b) {
      const auto at = static_cast<std::size_t>(std::ptrdiff_t{2} * b);
      run(2 * b + 1, features, hidden, runs[at + 1], true, false);
      run(2 * b + 2, hidden, features, runs[at + 2], false, true);
    }
    run(shape.layers() - 1, input, output, runs.back(), false, false);
    run(shape.layers() - 2, features, output, runs.back(), false, true);
    return count;
  }
};

namespace {

struct Source {
  const std::array<const std::uint8_t*, 3>& planes;
  const std::array<std::size_t, 3>& strides;
  std::array<float, 3> at(int x, int y) const {
    std::array<float, 3> out{};
    for (std::size_t c = 0; c < 3; ++c)
      out[c] = static_cast<float>(
                   planes[c][static_cast<std::size_t>(y) * strides[c] + static_cast<std::size_t>(x)]) /
                   255.0f -
               0.5f;
    return out;
  }
};

/// Channel c s^2 + dy s + dx of an LR pixel is sample (dx, dy) of its s x s block.
void shuffle(const float* values, int scale, int x, int y, int hr_width, std::size_t hr_plane,
             std::uint8_t* hr) {
  for (int c = 0; c < 3; ++c)
    for (int dy = 0; dy < scale; ++dy) {
      std::uint8_t* const to = hr + static_cast<std::size_t>(c) * hr_plane +
                               static_cast<std::size_t>(y * scale + dy) * static_cast<std::size_t>(hr_width) +
                               static_cast<std::size_t>(x * scale);
      for (int dx = 0; dx < scale; ++dx) {
        const float v = (*values++ + 0.5f) * 255.0f + 0.5f;
        to[dx] = static_cast<std::uint8_t>(v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v);
      }
    }
}

/// Where `mask` is true, as runs, rows from `top` on.
std::vector<Run> runs_of(const std::vector<std::uint8_t>& mask, int width, int height) {
  std::vector<Run> out;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width;) {
      if (mask[static_cast<std::size_t>(std::ptrdiff_t{y} * width + x)] == 0) {
        ++x;
        continue;
      }
      const int first = x;
      while (x < width && mask[static_cast<std::size_t>(std::ptrdiff_t{y} * width + x)] != 0) ++x;
      out.push_back({y, first, x - first});
    }
  return out;
}

std::vector<std::uint8_t> dilated(const std::vector<std::uint8_t>& mask, int width, int height) {
  std::vector<std::uint8_t> across(mask.size()), out(mask.size());
  const auto at = [width](int x, int y) { return static_cast<std::size_t>(std::ptrdiff_t{y} * width + x); };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      across[at(x, y)] =
          mask[at(x, y)] | (x > 0 ? mask[at(x - 1, y)] : 0) | (x + 1 < width ? mask[at(x + 1, y)] : 0);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      out[at(x, y)] =
          across[at(x, y)] | (y > 0 ? across[at(x, y - 1)] : 0) | (y + 1 < height ? across[at(x, y + 1)] : 0);
  return out;
}

}  // namespace

Upscaler::Upscaler(PatchGrid grid, int scale, Halo halo, int workers)
    : grid_(grid), scale_(scale), halo_(halo), crew_(workers) {
  grid_.check();
  for (int i = 0; i < crew_.workers(); ++i) canvases_.push_back(std::make_shared<Canvas>());
}

void Upscaler::set_models(std::vector<std::shared_ptr<const Network>> models) {
  for (const auto& model : models)
    if (model->shape().scale != scale_)
      throw bad_data("a model for a scale of " + std::to_string(model->shape().scale) + ", expected " +
                     std::to_string(scale_));
  models_ = std::move(models);
}

Pixels Upscaler::run(const Pixels& lr, const Labels& labels) {
  Pixels out{lr.width * scale_, lr.height * scale_, {}};
  out.samples.resize(3 * out.plane());
  const std::uint8_t* const first = lr.samples.data();
  const auto row = static_cast<std::size_t>(lr.width);
  run({first, first + lr.plane(), first + 2 * lr.plane()}, {row, row, row}, labels, out.samples.data());
  return out;
}

/// The two ways to lay out a frame on canvases.
class Upscaler::Job {
 public:
  Job(Upscaler& of, Source source, const Labels& labels, std::uint8_t* hr)
      : of_(of),
        source_(source),
        labels_(labels),
        hr_(hr),
        hr_width_(of.grid_.width * of.scale_),
        hr_plane_(static_cast<std::size_t>(hr_width_) *
                  static_cast<std::size_t>(of.grid_.height * of.scale_)) {}

  /// Patches of one model side by side, with zeros between them.
  std::int64_t without_halo() {
    struct Batch {
      int model;
      std::vector<int> patches;
    };
    std::vector<Batch> batches;
    for (std::size_t m = 0; m < of_.models_.size(); ++m) {
      for (int p = 0; p < of_.grid_.patches(); ++p) {
        if (labels_[static_cast<std::size_t>(p)] != m) continue;
        if (batches.empty() || batches.back().model != static_cast<int>(m) ||
            batches.back().patches.size() == kTogether)
          batches.push_back({static_cast<int>(m), {}});
        batches.back().patches.push_back(p);
      }
    }
    std::atomic<std::int64_t> count = 0;
    of_.crew_.run(static_cast<int>(batches.size()), [&](int number, int worker) {
      const Batch& batch = batches[static_cast<std::size_t>(number)];
      count += patches(*of_.models_[static_cast<std::size_t>(batch.model)], batch.patches,
                       *of_.canvases_[static_cast<std::size_t>(worker)]);
    });
    return count;
  }

  /// The whole frame for each model, but only where its patches, and what they depend on, are.
  std::int64_t with_halo() {
    std::atomic<std::int64_t> count = 0;
    of_.crew_.run(static_cast<int>(of_.models_.size()), [&](int number, int worker) {
      count += area(number, *of_.canvases_[static_cast<std::size_t>(worker)]);
    });
    return count;
  }

 private:
  std::int64_t patches(const Network& network, const std::vector<int>& list, Canvas& canvas) {
    const PatchGrid& grid = of_.grid_;
    const int pitch = grid.patch_width() + kGap;
    canvas.resize(kTogether * pitch + kGap, grid.patch_height() + 2 * kGap, network.shape());
    // Smaller patches at an edge leave what a larger one wrote before.
    const bool ragged = grid.width % grid.patch_width() != 0 || grid.height % grid.patch_height() != 0;
    if (ragged)
      for (auto* values : {&canvas.input, &canvas.features, &canvas.hidden})
        std::fill(values->begin(), values->end(), 0.0f);
    std::vector<Run> runs;
    for (int y = 0; y < grid.patch_height(); ++y)
      for (std::size_t i = 0; i < list.size(); ++i) {
        const auto box = grid.box(list[i]);
        if (y >= box.height) continue;
        const int left = kGap + static_cast<int>(i) * pitch;
        runs.push_back({y + kGap, left, box.width});
        float* to = canvas.input.data() + (y + kGap) * canvas.row(3) + left * step_of(3);
        for (int x = 0; x < box.width; ++x, to += step_of(3)) {
          const auto pixel = source_.at(box.x + x, box.y + y);
          std::copy(pixel.begin(), pixel.end(), to);
        }
      }
    const std::vector<std::vector<Run>> all(static_cast<std::size_t>(2 * network.shape().blocks + 2), runs);
    const std::int64_t count = canvas.forward(network, all);
    const int channels = 3 * of_.scale_ * of_.scale_;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto box = grid.box(list[i]);
      for (int y = 0; y < box.height; ++y) {
        const float* from = canvas.output.data() + (y + kGap) * canvas.row(channels) +
                            (kGap + static_cast<int>(i) * pitch) * step_of(channels);
        for (int x = 0; x < box.width; ++x, from += step_of(channels))
          shuffle(from, of_.scale_, box.x + x, box.y + y, hr_width_, hr_plane_, hr_);
      }
    }
    return count;
  }

  std::int64_t area(int model, Canvas& canvas) {
    const Network& network = *of_.models_[static_cast<std::size_t>(model)];
    const PatchGrid& grid = of_.grid_;
    const int reach = network.shape().reach() + 1, width = grid.width + 2 * reach,
              height = grid.height + 2 * reach;
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(width * height));
    bool any = false;
    for (int p = 0; p < grid.patches(); ++p) {
      if (labels_[static_cast<std::size_t>(p)] != model) continue;
      any = true;
      const auto box = grid.box(p);
      for (int y = 0; y < box.height; ++y)
        std::fill_n(mask.begin() + (box.y + y + reach) * width + box.x + reach, box.width, std::uint8_t{1});
    }
    if (!any) return 0;
    canvas.resize(width, height, network.shape());
    for (int y = 0; y < height; ++y) {
      float* to = canvas.input.data() + y * canvas.row(3);
      for (int x = 0; x < width; ++x, to += step_of(3)) {
        const auto pixel =
            source_.at(std::clamp(x - reach, 0, grid.width - 1), std::clamp(y - reach, 0, grid.height - 1));
        std::copy(pixel.begin(), pixel.end(), to);
      }
    }
    const auto wanted = runs_of(mask, width, height);
    // From the tail back to the head each layer must be known one pixel further out.
    std::vector<std::vector<Run>> runs(static_cast<std::size_t>(2 * network.shape().blocks + 2));
    runs.back() = wanted;
    for (std::size_t i = runs.size() - 1; i-- > 0;) {
      mask = dilated(mask, width, height);
      runs[i] = runs_of(mask, width, height);
    }
    const std::int64_t count = canvas.forward(network, runs);
    const int channels = 3 * of_.scale_ * of_.scale_;
    for (const Run& r : wanted) {
      const float* from = canvas.output.data() + r.y * canvas.row(channels) + r.x * step_of(channels);
      for (int x = 0; x < r.pixels; ++x, from += step_of(channels))
        shuffle(from, of_.scale_, r.x + x - reach, r.y - reach, hr_width_, hr_plane_, hr_);
    }
    return count;
  }

  Upscaler& of_;
  Source source_;
  const Labels& labels_;
  std::uint8_t* hr_;
  int hr_width_;
  std::size_t hr_plane_;
};

void Upscaler::run(const std::array<const std::uint8_t*, 3>& lr, const std::array<std::size_t, 3>& strides,
                   const Labels& labels, std::uint8_t* hr) {
  Job job(*this, {lr, strides}, labels, hr);
  multiply_adds_ = halo_ == Halo::kNone ? job.without_halo() : job.with_halo();
}

}  // namespace stream::super_resolution
