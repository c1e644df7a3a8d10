/// The grid that cuts frames into patches, and which model serves which patch.
#pragma once

#include <cstdint>
#include <vector>

namespace stream::super_resolution {

/// Non-overlapping patches of a low-resolution frame, row by row. All have one size but those at the right
/// and lower edge, which may be smaller.
struct PatchGrid {
  int width = 0, height = 0;  ///< of the LR frame
  int columns = 0, rows = 0;

  struct Box {
    int x, y, width, height;
  };
  /// Throws Error(kBadRecipe) unless there are 1 to `width` columns and 1 to `height` rows, none of them
  /// empty.
  void check() const;
  int patches() const { return columns * rows; }
  int patch_width() const { return (width + columns - 1) / columns; }
  int patch_height() const { return (height + rows - 1) / rows; }
  Box box(int patch) const;
};

/// For each patch of a frame, in the grid's order: the number of its model.
using Labels = std::vector<std::uint8_t>;

}  // namespace stream::super_resolution
