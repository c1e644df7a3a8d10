/// Breakout on 10 x 10 cells; see grid_game.hpp.
#pragma once

#include <array>

#include "environments/grid_game.hpp"

namespace stream {

class Breakout final : public GridGame<Breakout> {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Breakout(const Params& params);

 private:
  friend class GridGame<Breakout>;
  static constexpr std::int64_t kFirstBrickRow = 1, kBrickRows = 3, kPaddleRow = 9;
  void begin();
  Outcome tick(Move move);
  void draw();
  void fill();
  /// Null where there is no brick.
  bool* brick(Cell cell);
  template <typename Self, typename Visit>
  static void each_number(Self& self, Visit visit) {
    for (auto* cell : {&self.ball_, &self.trail_}) {
      visit(cell->row, 0, kSide - 1);
      visit(cell->column, 0, kSide - 1);
    }
    visit(self.way_.row, -1, 1);
    visit(self.way_.column, -1, 1);
    visit(self.paddle_, 0, kSide - 1);
    visit(self.struck_, 0, 1);
    for (auto& brick : self.bricks_) visit(brick, 0, 1);
  }

  Cell ball_, trail_, way_;
  std::int64_t paddle_ = 0;
  bool struck_ = false;  ///< a brick was hit in the step before
  std::array<bool, kBrickRows * kSide> bricks_{};
};

}  // namespace stream
