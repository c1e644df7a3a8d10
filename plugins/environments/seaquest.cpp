#include "environments/seaquest.hpp"

#include <algorithm>

namespace stream {

Spec Seaquest::spec() {
  return with_shared_params(
      Spec{"seaquest", "Pick up divers with a submarine, shoot what swims, and come up for air in time."}
          .about("The submarine is two cells long and shoots from its front, every 5 steps at most. Fish and "
                 "enemy submarines, "
                 "which shoot every 10 steps, come from the sides every 20 steps and move every 5; hitting "
                 "one earns 1. Divers "
                 "come every 30 steps and are picked up by touch, six at most. Air lasts 200 steps under "
                 "water and is "
                 "renewed in row 0, where one diver is put ashore, or all when there are six, which earns as "
                 "much as cells "
                 "of the gauge are full. Every surfacing makes enemies come a step sooner and, every second "
                 "time, move "
                 "a step sooner. The episode ends with a collision or a hit, without air, and when the "
                 "submarine comes "
                 "up without a diver. A row holds one swimmer at a time; row 9 shows air and, from the "
                 "right, divers."),
      0);
}

Spaces Seaquest::spaces(const Params&) {
  return board({"front", "back", "own bullet", "trail", "enemy bullet", "fish", "submarine", "air gauge",
                "diver gauge", "diver"},
               {"none", "left", "up", "right", "down", "fire"});
}

Seaquest::Seaquest(const Params& params)
    : GridGame(spaces(params), params,
               {Move::kNone, Move::kLeft, Move::kUp, Move::kRight, Move::kDown, Move::kFire}) {}

void Seaquest::begin() {
  player_ = {0, 5};
  facing_right_ = false;
  at_surface_ = true;
  air_ = kAir;
  divers_ = cool_down_ = surfacings_ = 0;
  enemy_every_ = until_enemy_ = kEnemyEvery;
  enemy_moves_ = kEnemyMoves;
  until_diver_ = kDiverEvery;
  swimmers_ = {};
  bullets_ = {};
}

void Seaquest::spawn(bool diver) {
  const bool rightwards = below(2) == 0, submarine = below(3) == 0;
  Swimmer& swimmer = in_row(1 + below(kBottom));
  if (swimmer.kind != Kind::kNothing) return;
  swimmer = {diver       ? Kind::kDiver
             : submarine ? Kind::kSubmarine
                         : Kind::kFish,
             rightwards, rightwards ? 0 : kSide - 1, diver ? kDiverMoves : enemy_moves_, kShotEvery};
}

void Seaquest::shoot(bool own, Cell from, bool rightwards) {
  const auto free = std::find_if(bullets_.begin(), bullets_.end(), [](const Bullet& b) { return !b.there; });
  if (free != bullets_.end()) *free = {true, own, rightwards, from};
}

void Seaquest::steer(Move move) {
  if (move == Move::kFire && cool_down_ == 0) {
    shoot(true, player_, facing_right_);
    cool_down_ = kCoolDown;
  }
  if (move == Move::kLeft || move == Move::kRight) facing_right_ = move == Move::kRight;
  player_.column =
      std::clamp<std::int64_t>(player_.column + (move == Move::kRight) - (move == Move::kLeft), 0, kSide - 1);
  player_.row =
      std::clamp<std::int64_t>(player_.row + (move == Move::kDown) - (move == Move::kUp), 0, kBottom);
}

bool Seaquest::fly(double& reward) {
  bool hit = false;
  for (Bullet& bullet : bullets_) {
    if (!bullet.there) continue;
    bullet.at.column += bullet.rightwards ? 1 : -1;
    bullet.there = inside(bullet.at);
    if (!bullet.there) continue;
    if (!bullet.own) {
      hit = hit || bullet.at == player_;
    } else if (bullet.at.row >= 1) {
      Swimmer& swimmer = in_row(bullet.at.row);
      const bool enemy = swimmer.kind == Kind::kFish || swimmer.kind == Kind::kSubmarine;
      if (!enemy || swimmer.column != bullet.at.column) continue;
      swimmer.kind = Kind::kNothing;
      bullet.there = false;
      reward += 1;
    }
  }
  return hit;
}

bool Seaquest::swim(double& reward) {
  bool hit = false;
  for (std::int64_t row = 1; row <= kBottom; ++row) {
    Swimmer& swimmer = in_row(row);
    const auto meet = [&] {
      if (swimmer.kind == Kind::kNothing || !(player_ == Cell{row, swimmer.column})) return;
      if (swimmer.kind != Kind::kDiver) {
        hit = true;
      } else if (divers_ < kHold) {
        swimmer.kind = Kind::kNothing;
        ++divers_;
      }
    };
    meet();
    if (swimmer.kind == Kind::kNothing) continue;
    if (swimmer.until_move > 0) {
      --swimmer.until_move;
    } else {
      swimmer.until_move = swimmer.kind == Kind::kDiver ? kDiverMoves : enemy_moves_;
      swimmer.column += swimmer.rightwards ? 1 : -1;
      if (!inside({row, swimmer.column})) swimmer.kind = Kind::kNothing;
      meet();
      // What moves into a bullet is hit as well.
      for (Bullet& bullet : bullets_) {
        const bool enemy = swimmer.kind == Kind::kFish || swimmer.kind == Kind::kSubmarine;
        if (!enemy || !bullet.there || !bullet.own || !(bullet.at == Cell{row, swimmer.column})) continue;
        swimmer.kind = Kind::kNothing;
        bullet.there = false;
        reward += 1;
      }
    }
    if (swimmer.kind != Kind::kSubmarine) continue;
    if (swimmer.until_shot > 0) {
      --swimmer.until_shot;
    } else {
      swimmer.until_shot = kShotEvery;
      shoot(false, {row, swimmer.column}, swimmer.rightwards);
    }
  }
  return hit;
}

bool Seaquest::surface(double& reward) {
  if (divers_ == 0) return true;
  if (divers_ == kHold) {
    reward += static_cast<double>(gauge());
    divers_ = 0;
  } else {
    --divers_;
  }
  air_ = kAir;
  if (surfacings_ % 2 == 1 && enemy_moves_ > kFastest) --enemy_moves_;
  if (enemy_every_ > 1) --enemy_every_;
  ++surfacings_;
  return false;
}

Environment::Outcome Seaquest::tick(Move move) {
  if (until_enemy_ == 0) {
    spawn(false);
    until_enemy_ = enemy_every_;
  }
  if (until_diver_ == 0) {
    spawn(true);
    until_diver_ = kDiverEvery;
  }
  steer(move);
  double reward = 0;
  bool over = fly(reward);
  over = swim(reward) || over;
  until_enemy_ -= until_enemy_ > 0;
  until_diver_ -= until_diver_ > 0;
  cool_down_ -= cool_down_ > 0;
  if (player_.row > 0) {
    at_surface_ = false;
    if (air_ == 0) return {reward, true};
    --air_;
  } else if (!at_surface_) {
    at_surface_ = true;
    over = surface(reward) || over;
  }
  return {reward, over};
}

void Seaquest::draw() {
  plot(player_, 0);
  plot({player_.row, player_.column + (facing_right_ ? -1 : 1)}, 1);
  for (const Bullet& bullet : bullets_) {
    if (bullet.there) plot(bullet.at, bullet.own ? 2 : 4);
  }
  for (std::int64_t row = 1; row <= kBottom; ++row) {
    const Swimmer& swimmer = in_row(row);
    if (swimmer.kind == Kind::kNothing) continue;
    plot({row, swimmer.column}, swimmer.kind == Kind::kFish ? 5 : swimmer.kind == Kind::kSubmarine ? 6 : 9);
    plot({row, swimmer.column + (swimmer.rightwards ? -1 : 1)}, 3);
  }
  for (std::int64_t i = 0; i < gauge(); ++i) plot({kSide - 1, i}, 7);
  for (std::int64_t i = 0; i < divers_; ++i) plot({kSide - 1, kSide - 1 - i}, 8);
}

}  // namespace stream
