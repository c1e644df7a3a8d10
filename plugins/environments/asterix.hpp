/// Asterix on 10 x 10 cells; see grid_game.hpp.
#pragma once

#include <array>

#include "environments/grid_game.hpp"

namespace stream {

class Asterix final : public GridGame<Asterix> {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Asterix(const Params& params);

 private:
  friend class GridGame<Asterix>;
  static constexpr std::int64_t kSpawnEvery = 10, kMoveEvery = 5, kRampEvery = 100;
  struct Entity {
    bool there = false, gold = false, rightwards = false;
    std::int64_t column = 0;
  };
  void begin();
  Outcome tick(Move move);
  void draw();
  void spawn();
  void ramp();
  /// Takes gold that the player touches; true when it touches an enemy.
  bool touch(double& reward);
  template <typename Self, typename Visit>
  static void each_number(Self& self, Visit visit) {
    visit(self.player_.row, 1, kSide - 2);
    visit(self.player_.column, 0, kSide - 1);
    for (auto& entity : self.entities_) {
      visit(entity.there, 0, 1);
      visit(entity.gold, 0, 1);
      visit(entity.rightwards, 0, 1);
      visit(entity.column, -1, kSide);
    }
    visit(self.spawn_every_, 1, kSpawnEvery);
    visit(self.move_every_, 1, kMoveEvery);
    visit(self.until_spawn_, 0, kSpawnEvery);
    visit(self.until_move_, 0, kMoveEvery);
    visit(self.until_ramp_, 0, kRampEvery);
    visit(self.ramps_, 0, 1 << 30);
  }

  Cell player_;
  std::array<Entity, 8> entities_;  ///< one each in rows 1 to 8
  std::int64_t spawn_every_ = 0, move_every_ = 0, until_spawn_ = 0, until_move_ = 0, until_ramp_ = 0,
               ramps_ = 0;
};

}  // namespace stream
