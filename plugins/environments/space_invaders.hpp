/// Space Invaders on 10 x 10 cells; see grid_game.hpp.
#pragma once

#include <array>

#include "environments/grid_game.hpp"

namespace stream {

class SpaceInvaders final : public GridGame<SpaceInvaders> {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit SpaceInvaders(const Params& params);

 private:
  friend class GridGame<SpaceInvaders>;
  static constexpr std::int64_t kCannonRow = 9, kCoolDown = 5, kShotEvery = 10, kSlowest = 12, kFastest = 6;
  using Board = std::array<bool, kSide * kSide>;
  void begin();
  Outcome tick(Move move);
  void draw();
  void line_up();
  void march(bool& over);
  void shoot_back();
  static bool& at(Board& board, std::int64_t row, std::int64_t column) {
    return board[static_cast<std::size_t>(row * kSide + column)];
  }
  std::int64_t aliens() const;
  template <typename Self, typename Visit>
  static void each_number(Self& self, Visit visit) {
    visit(self.cannon_, 0, kSide - 1);
    visit(self.way_, -1, 1);
    visit(self.interval_, kFastest, kSlowest);
    visit(self.until_march_, 0, kSlowest);
    visit(self.until_shot_, 0, kShotEvery);
    visit(self.cool_down_, 0, kCoolDown);
    for (auto* board : {&self.aliens_, &self.own_, &self.enemy_}) {
      for (auto& cell : *board) visit(cell, 0, 1);
    }
  }

  std::int64_t cannon_ = 0, way_ = -1;
  std::int64_t interval_ = 0, until_march_ = 0, until_shot_ = 0, cool_down_ = 0;
  Board aliens_{}, own_{}, enemy_{};  ///< aliens and bullets
};

}  // namespace stream
