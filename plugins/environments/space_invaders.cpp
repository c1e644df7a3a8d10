#include "environments/space_invaders.hpp"

#include <algorithm>
#include <cstdlib>

namespace stream {

Spec SpaceInvaders::spec() {
  return with_shared_params(
      Spec{"space-invaders", "Shoot down aliens that march closer and shoot back."}.about(
          "Four rows of six aliens march sideways and, at a wall, a row down; a step every 12 steps, sooner "
          "when fewer "
          "than 12 are left. The cannon in row 9 may shoot every 5 steps; every 10 steps the lowest alien of "
          "the "
          "column nearest to it does. An alien earns 1. A cleared board fills again with aliens that march a "
          "step sooner, down to 6. The episode ends when the cannon is hit or the aliens reach it."),
      0);
}

Spaces SpaceInvaders::spaces(const Params&) {
  return board({"cannon", "alien", "alien left", "alien right", "own bullet", "enemy bullet"},
               {"none", "left", "right", "fire"});
}

SpaceInvaders::SpaceInvaders(const Params& params)
    : GridGame(spaces(params), params, {Move::kNone, Move::kLeft, Move::kRight, Move::kFire}) {}

void SpaceInvaders::line_up() {
  for (std::int64_t row = 0; row < 4; ++row) {
    for (std::int64_t column = 2; column < 8; ++column) at(aliens_, row, column) = true;
  }
}

void SpaceInvaders::begin() {
  cannon_ = 5;
  way_ = -1;
  interval_ = until_march_ = kSlowest;
  until_shot_ = kShotEvery;
  cool_down_ = 0;
  aliens_ = own_ = enemy_ = {};
  line_up();
}

std::int64_t SpaceInvaders::aliens() const { return std::count(aliens_.begin(), aliens_.end(), true); }

/// One step to the side or, for those at a wall, down.
void SpaceInvaders::march(bool& over) {
  bool at_wall = false;
  for (std::int64_t row = 0; row < kSide; ++row)
    at_wall = at_wall || at(aliens_, row, way_ < 0 ? 0 : kSide - 1);
  if (at_wall) {
    for (std::int64_t column = 0; column < kSide; ++column) over = over || at(aliens_, kCannonRow, column);
    way_ = -way_;
    std::rotate(aliens_.begin(), aliens_.end() - kSide, aliens_.end());
  } else {
    for (auto row = aliens_.begin(); row != aliens_.end(); row += kSide) {
      if (way_ > 0)
        std::rotate(row, row + kSide - 1, row + kSide);
      else
        std::rotate(row, row + 1, row + kSide);
    }
  }
  over = over || at(aliens_, kCannonRow, cannon_);
}

void SpaceInvaders::shoot_back() {
  std::int64_t nearest = -1, shooter = -1;
  for (std::int64_t column = 0; column < kSide; ++column) {
    if (nearest >= 0 && std::abs(column - cannon_) >= std::abs(nearest - cannon_)) continue;
    for (std::int64_t row = kSide - 1; row >= 0; --row) {
      if (!at(aliens_, row, column)) continue;
      nearest = column;
      shooter = row;
      break;
    }
  }
  if (nearest >= 0) at(enemy_, shooter, nearest) = true;
}

Environment::Outcome SpaceInvaders::tick(Move move) {
  if (move == Move::kFire && cool_down_ == 0) {
    at(own_, kCannonRow, cannon_) = true;
    cool_down_ = kCoolDown;
  }
  cannon_ = std::clamp<std::int64_t>(cannon_ + (move == Move::kRight) - (move == Move::kLeft), 0, kSide - 1);
  // Bullets fly a row; those that leave the board are gone.
  std::rotate(own_.begin(), own_.begin() + kSide, own_.end());
  std::fill(own_.end() - kSide, own_.end(), false);
  std::rotate(enemy_.begin(), enemy_.end() - kSide, enemy_.end());
  std::fill(enemy_.begin(), enemy_.begin() + kSide, false);
  bool over = at(enemy_, kCannonRow, cannon_) || at(aliens_, kCannonRow, cannon_);
  if (until_march_ == 0) {
    until_march_ = std::min(aliens(), interval_);
    march(over);
  }
  if (until_shot_ == 0) {
    until_shot_ = kShotEvery;
    shoot_back();
  }
  double reward = 0;
  for (std::size_t i = 0; i < aliens_.size(); ++i) {
    if (!aliens_[i] || !own_[i]) continue;
    aliens_[i] = own_[i] = false;
    reward += 1;
  }
  cool_down_ -= cool_down_ > 0;
  until_march_ -= until_march_ > 0;
  until_shot_ -= until_shot_ > 0;
  if (aliens() == 0) {
    interval_ = std::max(interval_ - 1, kFastest);
    line_up();
  }
  return {reward, over};
}

void SpaceInvaders::draw() {
  plot({kCannonRow, cannon_}, 0);
  for (std::int64_t row = 0; row < kSide; ++row) {
    for (std::int64_t column = 0; column < kSide; ++column) {
      if (at(aliens_, row, column)) {
        plot({row, column}, 1);
        plot({row, column}, way_ < 0 ? 2 : 3);
      }
      if (at(own_, row, column)) plot({row, column}, 4);
      if (at(enemy_, row, column)) plot({row, column}, 5);
    }
  }
}

}  // namespace stream
