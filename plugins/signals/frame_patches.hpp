/// Square patches of a picture's luma, and their coordinates without the mean.
///
/// A patch of size x size samples is a vector of size^2 numbers, row by row, in [0, 1]. "Apart" means that
/// its mean is left out: the other size^2 - 1 coordinates are those in Helmert's orthonormal basis of the
/// vectors that sum to 0 (coordinate k, from 1: the sum of the first k numbers less k times the next, over
/// sqrt(k (k + 1))).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stream/payload.hpp"

namespace stream::signals {

class PatchGrid {
 public:
  /// Throws Error(kBadData) for a frame of float samples or without luma (red, green, blue).
  PatchGrid(const Frame& frame, int size);
  std::int64_t count() const { return static_cast<std::int64_t>(columns_) * rows_; }
  /// Patch i, row by row of the grid; beyond the right and lower edge the last sample is repeated.
  std::vector<double> patch(std::int64_t i) const;
  /// `frame` with the samples of patch i, clamped and rounded, in a plane of luma that began as a copy.
  void put(std::int64_t i, std::span<const double> patch, std::vector<std::uint8_t>& luma) const;
  /// The luma, row after row without gaps.
  std::vector<std::uint8_t> luma() const;
  /// The frame with another luma; other planes are shared.
  std::shared_ptr<const Frame> with(std::vector<std::uint8_t> luma) const;

 private:
  const Frame& frame_;
  int size_, columns_, rows_;
  std::size_t bytes_;  ///< of a sample
  double top_;         ///< greatest sample
};

/// [n] to [n - 1] and back, in place of the mean `mean`.
std::vector<double> without_mean(std::span<const double> patch);
std::vector<double> with_mean(std::span<const double> coordinates, double mean);
double mean_of(std::span<const double> patch);

}  // namespace stream::signals
