#include "super_resolution/patches.hpp"

#include <algorithm>
#include <string>

#include "stream/error.hpp"

namespace stream::super_resolution {

void PatchGrid::check() const {
  const auto fits = [](int side, int parts) {
    return parts >= 1 && parts <= side && (parts - 1) * ((side + parts - 1) / parts) < side;
  };
  if (!fits(width, columns) || !fits(height, rows))
    throw bad_recipe("a grid of " + std::to_string(columns) + "x" + std::to_string(rows) +
                     " patches does not divide frames of " + std::to_string(width) + "x" +
                     std::to_string(height));
}

PatchGrid::Box PatchGrid::box(int patch) const {
  const int x = patch % columns * patch_width(), y = patch / columns * patch_height();
  return {x, y, std::min(patch_width(), width - x), std::min(patch_height(), height - y)};
}

}  // namespace stream::super_resolution
