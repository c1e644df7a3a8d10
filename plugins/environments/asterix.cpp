#include "environments/asterix.hpp"

#include <algorithm>

namespace stream {

Spec Asterix::spec() {
  return with_shared_params(
      Spec{"asterix", "Collect gold and keep away from enemies that cross the board."}.about(
          "The player moves in rows 1 to 8. Every 10 steps something enters a free row from a random side, "
          "gold with "
          "one chance in three; everything moves every 5 steps. Gold earns 1, an enemy ends the episode. "
          "Every 100 steps things come a step sooner and, every second time, move a step sooner."),
      0);
}

Spaces Asterix::spaces(const Params&) {
  return board({"player", "enemy", "trail", "gold"}, {"none", "left", "up", "right", "down"});
}

Asterix::Asterix(const Params& params)
    : GridGame(spaces(params), params, {Move::kNone, Move::kLeft, Move::kUp, Move::kRight, Move::kDown}) {}

void Asterix::begin() {
  player_ = {5, 5};
  entities_ = {};
  spawn_every_ = until_spawn_ = kSpawnEvery;
  move_every_ = until_move_ = kMoveEvery;
  until_ramp_ = kRampEvery;
  ramps_ = 0;
}

void Asterix::spawn() {
  const bool rightwards = below(2) == 0, gold = below(3) == 0;
  const auto free =
      std::count_if(entities_.begin(), entities_.end(), [](const Entity& e) { return !e.there; });
  if (free == 0) return;
  std::int64_t skip = below(free);
  for (Entity& entity : entities_) {
    if (entity.there || skip-- > 0) continue;
    entity = {true, gold, rightwards, rightwards ? 0 : kSide - 1};
    return;
  }
}

bool Asterix::touch(double& reward) {
  Entity& entity = entities_[static_cast<std::size_t>(player_.row - 1)];
  if (!entity.there || entity.column != player_.column) return false;
  if (!entity.gold) return true;
  entity.there = false;
  reward += 1;
  return false;
}

void Asterix::ramp() {
  if (until_ramp_ > 0) {
    --until_ramp_;
    return;
  }
  if (spawn_every_ == 1 && move_every_ == 1) return;
  if (ramps_ % 2 == 1 && move_every_ > 1) --move_every_;
  if (spawn_every_ > 1) --spawn_every_;
  ++ramps_;
  until_ramp_ = kRampEvery;
}

Environment::Outcome Asterix::tick(Move move) {
  if (until_spawn_ == 0) {
    spawn();
    until_spawn_ = spawn_every_;
  }
  player_.column =
      std::clamp<std::int64_t>(player_.column + (move == Move::kRight) - (move == Move::kLeft), 0, kSide - 1);
  player_.row =
      std::clamp<std::int64_t>(player_.row + (move == Move::kDown) - (move == Move::kUp), 1, kSide - 2);
  double reward = 0;
  bool over = touch(reward);
  if (until_move_ == 0) {
    until_move_ = move_every_;
    for (Entity& entity : entities_) {
      if (!entity.there) continue;
      entity.column += entity.rightwards ? 1 : -1;
      entity.there = entity.column >= 0 && entity.column < kSide;
    }
    over = touch(reward) || over;
  }
  --until_spawn_;
  --until_move_;
  ramp();
  return {reward, over};
}

void Asterix::draw() {
  plot(player_, 0);
  for (std::size_t i = 0; i < entities_.size(); ++i) {
    const Entity& entity = entities_[i];
    if (!entity.there) continue;
    const std::int64_t row = static_cast<std::int64_t>(i) + 1;
    plot({row, entity.column}, entity.gold ? 3 : 1);
    plot({row, entity.column + (entity.rightwards ? -1 : 1)}, 2);
  }
}

}  // namespace stream
