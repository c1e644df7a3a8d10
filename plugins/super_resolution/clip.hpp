/// A video in memory, HR and LR, and its patches as training examples.
#pragma once

#include <vector>

#include "nn/torch.hpp"
#include "super_resolution/patches.hpp"
#include "super_resolution/resample.hpp"
#include "super_resolution/upscaler.hpp"

namespace stream::super_resolution {

/// Index of a patch among all of a clip's: frame x patches + number in the frame.
using PatchIndex = std::int32_t;

class TrainingClip {
 public:
  TrainingClip(int scale, int columns, int rows) : scale_(scale) {
    grid_.columns = columns, grid_.rows = rows;
  }
  /// Makes the LR frame, which is returned. Throws Error(kBadData) for another size than the first one's.
  const Pixels& add(const Frame& frame);
  /// The same from pixels.
  const Pixels& add(Pixels hr);
  /// With an LR frame that came another way, through a codec for one. Its size must be 1/scale of HR's.
  const Pixels& add(Pixels hr, Pixels lr);
  void clear();

  int scale() const { return scale_; }
  const PatchGrid& grid() const { return grid_; }
  int frames() const { return static_cast<int>(hr_.size()); }
  std::int64_t patches() const { return std::int64_t{frames()} * grid_.patches(); }
  const Pixels& hr(int frame) const { return hr_[static_cast<std::size_t>(frame)]; }
  const Pixels& lr(int frame) const { return lr_[static_cast<std::size_t>(frame)]; }
  std::size_t bytes() const;

  /// [n, 3, h + 2 halo, w + 2 halo] in 0 to 1: LR patches, each with `halo` pixels around it, the frame's
  /// border being repeated. All are of the grid's full size: one at a ragged edge reaches back into its
  /// neighbour.
  at::Tensor lr_batch(const std::vector<PatchIndex>& which, int halo) const;
  /// [n, 3, s h, s w] in 0 to 1.
  at::Tensor hr_batch(const std::vector<PatchIndex>& which) const;

 private:
  struct Corner {
    int frame, x, y;
  };
  Corner corner(PatchIndex patch) const;
  int scale_;
  PatchGrid grid_;
  std::vector<Pixels> hr_, lr_;
};

/// d_p: PSNR in dB of what `model` makes of each LR patch by itself, rounded to 8 bits, without the outer s +
/// 4 pixels of HR (fewer where the patch is too small for that).
std::vector<float> difficulty(const TrainingClip& clip, const Network& model);

/// Labels by quantiles of d: as many patches for each of `models`, 0 being the hardest.
std::vector<std::uint8_t> by_difficulty(const std::vector<float>& d, int models);
/// By time: frames in `models` equal parts (NAS, CaFM).
std::vector<std::uint8_t> by_time(const TrainingClip& clip, int models);

}  // namespace stream::super_resolution
