/// Demonstrations: what was observed and what was done, episode by episode, and as files.
#pragma once

#include <string>
#include <vector>

#include "stream/archive.hpp"

namespace stream::diffusion_policy {

/// Row t of `observations` was seen before row t of `actions` was done.
struct Episode {
  std::vector<float> observations;  ///< [T, Do]
  std::vector<float> actions;       ///< [T, Da]
};

struct Episodes {
  std::int64_t observation = 0, action = 0;  ///< Do, Da
  std::vector<Episode> list;

  std::int64_t ticks(const Episode& episode) const {
    return static_cast<std::int64_t>(episode.actions.size()) / action;
  }
};

/// An archive (HDF5) with a group "episodes" of groups "000000", "000001" ..., each with the datasets "obs"
/// [T, Do] and "action" [T, Da] in float32, float64 or integers.
void write_episodes(const std::string& path, const Episodes& episodes);
/// Throws Error(kNoInput), or Error(kBadData) that names the file, the episode and what is wrong with it.
Episodes read_episodes(const std::string& path);

/// Each dimension from [min, max] over all episodes to [-1, 1], and back. A dimension that never changes maps
/// to 0 and back to its value.
struct Normaliser {
  std::vector<float> scale, offset;  ///< normalised = x * scale + offset

  static Normaliser fitted(const std::vector<const std::vector<float>*>& tables, std::int64_t width);
  void apply(std::span<const float> in, std::span<float> out) const;  ///< rows of the width, any number
  void invert(std::span<const float> in, std::span<float> out) const;
  void save(Archive& group) const;
  /// Throws Error(kBadData) unless it is of that width, finite and invertible.
  static Normaliser load(const Archive& group, std::int64_t width);
};

}  // namespace stream::diffusion_policy
