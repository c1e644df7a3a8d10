/// Seaquest on 10 x 10 cells; see grid_game.hpp.
#pragma once

#include <array>

#include "environments/grid_game.hpp"

namespace stream {

class Seaquest final : public GridGame<Seaquest> {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Seaquest(const Params& params);

 private:
  friend class GridGame<Seaquest>;
  static constexpr std::int64_t kAir = 200, kHold = 6, kCoolDown = 5, kShotEvery = 10;
  static constexpr std::int64_t kEnemyEvery = 20, kEnemyMoves = 5, kFastest = 2, kDiverEvery = 30,
                                kDiverMoves = 5;
  static constexpr std::int64_t kBottom = 8;  ///< row 9 shows air and divers
  enum class Kind : std::uint8_t { kNothing, kFish, kSubmarine, kDiver };
  /// What swims in a row; at most one thing does.
  struct Swimmer {
    Kind kind = Kind::kNothing;
    bool rightwards = false;
    std::int64_t column = 0, until_move = 0, until_shot = 0;
  };
  struct Bullet {
    bool there = false, own = false, rightwards = false;
    Cell at;
  };
  void begin();
  Outcome tick(Move move);
  void draw();
  void spawn(bool diver);
  void shoot(bool own, Cell from, bool rightwards);
  void steer(Move move);
  /// Moves bullets and lets them hit; true when the player is hit.
  bool fly(double& reward);
  bool swim(double& reward);
  /// Divers ashore, fresh air, harder times; true when there was nobody to bring.
  bool surface(double& reward);
  Swimmer& in_row(std::int64_t row) { return swimmers_[static_cast<std::size_t>(row - 1)]; }
  std::int64_t gauge() const { return air_ * kSide / kAir; }
  template <typename Self, typename Visit>
  static void each_number(Self& self, Visit visit) {
    visit(self.player_.row, 0, kBottom);
    visit(self.player_.column, 0, kSide - 1);
    visit(self.facing_right_, 0, 1);
    visit(self.at_surface_, 0, 1);
    visit(self.air_, 0, kAir);
    visit(self.divers_, 0, kHold);
    visit(self.cool_down_, 0, kCoolDown);
    visit(self.enemy_every_, 1, kEnemyEvery);
    visit(self.enemy_moves_, kFastest, kEnemyMoves);
    visit(self.until_enemy_, 0, kEnemyEvery);
    visit(self.until_diver_, 0, kDiverEvery);
    visit(self.surfacings_, 0, 1 << 30);
    for (auto& swimmer : self.swimmers_) {
      visit(swimmer.kind, 0, 3);
      visit(swimmer.rightwards, 0, 1);
      visit(swimmer.column, -1, kSide);
      visit(swimmer.until_move, 0, kEnemyMoves);
      visit(swimmer.until_shot, 0, kShotEvery);
    }
    for (auto& bullet : self.bullets_) {
      visit(bullet.there, 0, 1);
      visit(bullet.own, 0, 1);
      visit(bullet.rightwards, 0, 1);
      visit(bullet.at.row, 0, kSide - 1);
      visit(bullet.at.column, -1, kSide);
    }
  }

  Cell player_;
  bool facing_right_ = false, at_surface_ = true;
  std::int64_t air_ = kAir, divers_ = 0, cool_down_ = 0;
  std::int64_t enemy_every_ = kEnemyEvery, enemy_moves_ = kEnemyMoves, until_enemy_ = 0, until_diver_ = 0;
  std::int64_t surfacings_ = 0;
  std::array<Swimmer, 8> swimmers_;  ///< in rows 1 to 8
  /// An own shot every 5 steps and one of each of 8 submarines every 10 leave the board within 10: 10 at
  /// most.
  std::array<Bullet, 24> bullets_;
};

}  // namespace stream
