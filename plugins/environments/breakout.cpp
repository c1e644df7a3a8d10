#include "environments/breakout.hpp"

#include <algorithm>

namespace stream {

Spec Breakout::spec() {
  return with_shared_params(
      Spec{"breakout", "Keep a ball in play with a paddle and clear away the bricks."}.about(
          "Bricks fill rows 1 to 3; the ball moves one cell along a diagonal in each step and bounces off "
          "walls, "
          "bricks and the paddle in row 9. A brick earns 1; a cleared wall is built anew when the ball comes "
          "down. "
          "The episode ends when the ball passes the paddle."),
      0);
}

Spaces Breakout::spaces(const Params&) {
  return board({"paddle", "ball", "trail", "brick"}, {"none", "left", "right"});
}

Breakout::Breakout(const Params& params)
    : GridGame(spaces(params), params, {Move::kNone, Move::kLeft, Move::kRight}) {}

void Breakout::fill() { bricks_.fill(true); }

bool* Breakout::brick(Cell cell) {
  if (cell.row < kFirstBrickRow || cell.row >= kFirstBrickRow + kBrickRows) return nullptr;
  bool& there = bricks_[static_cast<std::size_t>((cell.row - kFirstBrickRow) * kSide + cell.column)];
  return there ? &there : nullptr;
}

void Breakout::begin() {
  const bool from_left = below(2) == 0;
  ball_ = {3, from_left ? 0 : kSide - 1};
  way_ = {1, from_left ? 1 : -1};
  trail_ = ball_;
  paddle_ = 4;
  struck_ = false;
  fill();
}

Environment::Outcome Breakout::tick(Move move) {
  paddle_ = std::clamp<std::int64_t>(paddle_ + (move == Move::kRight) - (move == Move::kLeft), 0, kSide - 1);
  trail_ = ball_;
  Cell next{ball_.row + way_.row, ball_.column + way_.column};
  if (next.column < 0 || next.column >= kSide) {
    next.column = std::clamp<std::int64_t>(next.column, 0, kSide - 1);
    way_.column = -way_.column;
  }
  double reward = 0;
  bool over = false, on_brick = false;
  if (next.row < 0) {
    next.row = 0;
    way_.row = -way_.row;
  } else if (bool* const there = brick(next)) {
    on_brick = true;
    if (!struck_) {
      reward = 1;
      *there = false;
      next.row = ball_.row;
      way_.row = -way_.row;
    }
  } else if (next.row == kPaddleRow) {
    if (std::none_of(bricks_.begin(), bricks_.end(), [](bool b) { return b; })) fill();
    if (ball_.column == paddle_) {
      way_.row = -way_.row;
      next.row = ball_.row;
    } else if (next.column == paddle_) {
      way_ = {-way_.row, -way_.column};
      next.row = ball_.row;
    } else {
      over = true;
    }
  }
  struck_ = on_brick;
  ball_ = next;
  return {reward, over};
}

void Breakout::draw() {
  plot({kPaddleRow, paddle_}, 0);
  plot(ball_, 1);
  plot(trail_, 2);
  for (std::size_t i = 0; i < bricks_.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    if (bricks_[i]) plot({kFirstBrickRow + at / kSide, at % kSide}, 3);
  }
}

}  // namespace stream
