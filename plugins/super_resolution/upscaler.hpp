/// From an LR frame and its labels to an HR frame: the client's loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "super_resolution/crew.hpp"
#include "super_resolution/network.hpp"
#include "super_resolution/patches.hpp"
#include "super_resolution/resample.hpp"

namespace stream::super_resolution {

/// What a patch sees of its surroundings.
enum class Halo : std::uint8_t {
  kNone,  ///< nothing, as the paper: zeros beyond its edge at every layer
  kFull,  ///< the receptive field, the frame's border being repeated outside
};

class Upscaler {
 public:
  /// `workers` threads share a frame. What comes out does not depend on it.
  Upscaler(PatchGrid grid, int scale, Halo halo, int workers);

  /// Throws Error(kBadData) for another scale.
  void set_models(std::vector<std::shared_ptr<const Network>> models);
  bool ready() const { return !models_.empty(); }
  std::size_t models() const { return models_.size(); }
  const PatchGrid& grid() const { return grid_; }
  int scale() const { return scale_; }

  /// `lr`: planes R, G, B of the grid's size. `hr`: planes of `scale` times its size, rows without gaps.
  /// Precondition: a label for every patch, each below models().
  void run(const std::array<const std::uint8_t*, 3>& lr, const std::array<std::size_t, 3>& strides,
           const Labels& labels, std::uint8_t* hr);
  Pixels run(const Pixels& lr, const Labels& labels);

  /// Multiply-adds of the newest frame, halos included.
  std::int64_t multiply_adds() const { return multiply_adds_; }

 private:
  struct Canvas;
  class Job;
  PatchGrid grid_;
  int scale_;
  Halo halo_;
  std::vector<std::shared_ptr<const Network>> models_;
  std::vector<std::shared_ptr<Canvas>> canvases_;  ///< one for each worker
  Crew crew_;
  std::int64_t multiply_adds_ = 0;
};

}  // namespace stream::super_resolution
