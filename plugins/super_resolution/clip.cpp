#include "super_resolution/clip.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "stream/error.hpp"

namespace stream::super_resolution {

const Pixels& TrainingClip::add(const Frame& frame) { return add(pixels_of(frame)); }

const Pixels& TrainingClip::add(Pixels hr) {
  Pixels lr = shrink(hr, scale_);
  return add(std::move(hr), std::move(lr));
}

const Pixels& TrainingClip::add(Pixels hr, Pixels lr) {
  if (lr.width * scale_ != hr.width || lr.height * scale_ != hr.height)
    throw std::logic_error("an LR frame of another size than its HR frame's");
  if (hr_.empty()) {
    grid_.width = lr.width;
    grid_.height = lr.height;
    grid_.check();
  } else if (lr.width != grid_.width || lr.height != grid_.height) {
    throw bad_data("frame " + std::to_string(frames()) + " is " + std::to_string(hr.width) + "x" +
                   std::to_string(hr.height) + ", those before it are " +
                   std::to_string(grid_.width * scale_) + "x" + std::to_string(grid_.height * scale_));
  }
  hr_.push_back(std::move(hr));
  lr_.push_back(std::move(lr));
  return lr_.back();
}

void TrainingClip::clear() {
  hr_.clear();
  lr_.clear();
}

std::size_t TrainingClip::bytes() const {
  std::size_t sum = 0;
  for (const auto* list : {&hr_, &lr_})
    for (const Pixels& p : *list) sum += p.samples.size();
  return sum;
}

TrainingClip::Corner TrainingClip::corner(PatchIndex patch) const {
  const int number = patch % grid_.patches();
  const auto box = grid_.box(number);
  return {patch / grid_.patches(), std::min(box.x, grid_.width - grid_.patch_width()),
          std::min(box.y, grid_.height - grid_.patch_height())};
}

at::Tensor TrainingClip::lr_batch(const std::vector<PatchIndex>& which, int halo) const {
  const int w = grid_.patch_width() + 2 * halo, h = grid_.patch_height() + 2 * halo;
  at::Tensor out = torch::empty({static_cast<std::int64_t>(which.size()), 3, h, w});
  float* to = out.data_ptr<float>();
  for (const PatchIndex patch : which) {
    const Corner c = corner(patch);
    const Pixels& from = lr(c.frame);
    for (std::size_t channel = 0; channel < 3; ++channel)
      for (int y = 0; y < h; ++y) {
        const std::uint8_t* const row =
            from.samples.data() + channel * from.plane() +
            static_cast<std::size_t>(std::clamp(c.y + y - halo, 0, from.height - 1)) *
                static_cast<std::size_t>(from.width);
        for (int x = 0; x < w; ++x)
          *to++ = static_cast<float>(row[std::clamp(c.x + x - halo, 0, from.width - 1)]) / 255.0f;
      }
  }
  return out;
}

at::Tensor TrainingClip::hr_batch(const std::vector<PatchIndex>& which) const {
  const int w = grid_.patch_width() * scale_, h = grid_.patch_height() * scale_;
  at::Tensor out = torch::empty({static_cast<std::int64_t>(which.size()), 3, h, w});
  float* to = out.data_ptr<float>();
  for (const PatchIndex patch : which) {
    const Corner c = corner(patch);
    const Pixels& from = hr(c.frame);
    for (std::size_t channel = 0; channel < 3; ++channel)
      for (int y = 0; y < h; ++y) {
        const std::uint8_t* const row =
            from.samples.data() + channel * from.plane() +
            static_cast<std::size_t>(c.y * scale_ + y) * static_cast<std::size_t>(from.width) +
            static_cast<std::size_t>(c.x * scale_);
        for (int x = 0; x < w; ++x) *to++ = static_cast<float>(row[x]) / 255.0f;
      }
  }
  return out;
}

std::vector<float> difficulty(const TrainingClip& clip, const Network& model) {
  const PatchGrid& grid = clip.grid();
  const int scale = clip.scale(), shave = scale + 4;
  Upscaler upscaler(grid, scale, Halo::kNone, 1);
  upscaler.set_models({std::make_shared<const Network>(model)});
  const Labels all(static_cast<std::size_t>(grid.patches()), 0);
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(clip.patches()));
  for (int f = 0; f < clip.frames(); ++f) {
    const Pixels got = upscaler.run(clip.lr(f), all);
    const Pixels& wanted = clip.hr(f);
    for (int p = 0; p < grid.patches(); ++p) {
      const auto box = grid.box(p);
      const int w = box.width * scale, h = box.height * scale;
      const int left = std::min(shave, (w - 1) / 2), top = std::min(shave, (h - 1) / 2);
      double sum = 0;
      for (std::size_t c = 0; c < 3; ++c)
        for (int y = top; y < h - top; ++y) {
          const std::size_t at =
              c * wanted.plane() +
              static_cast<std::size_t>(box.y * scale + y) * static_cast<std::size_t>(wanted.width) +
              static_cast<std::size_t>(box.x * scale);
          for (int x = left; x < w - left; ++x) {
            const int d = int{got.samples[at + static_cast<std::size_t>(x)]} -
                          wanted.samples[at + static_cast<std::size_t>(x)];
            sum += d * d;
          }
        }
      out.push_back(static_cast<float>(psnr_of(sum, 3.0 * (w - 2 * left) * (h - 2 * top))));
    }
  }
  return out;
}

std::vector<std::uint8_t> by_difficulty(const std::vector<float>& d, int models) {
  std::vector<std::size_t> order(d.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Equal ones in the order of the stream: counts differ by at most one.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return d[a] < d[b]; });
  std::vector<std::uint8_t> labels(d.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    labels[order[i]] = static_cast<std::uint8_t>(i * static_cast<std::size_t>(models) / order.size());
  return labels;
}

std::vector<std::uint8_t> by_time(const TrainingClip& clip, int models) {
  std::vector<std::uint8_t> labels;
  for (int f = 0; f < clip.frames(); ++f)
    labels.insert(labels.end(), static_cast<std::size_t>(clip.grid().patches()),
                  static_cast<std::uint8_t>(std::int64_t{f} * models / clip.frames()));
  return labels;
}

}  // namespace stream::super_resolution
