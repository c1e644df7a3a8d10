#include "environments/freeway.hpp"

#include <algorithm>
#include <cstdlib>

namespace stream {

Spec Freeway::spec() {
  return with_shared_params(
      Spec{"freeway", "Lead a chicken across eight lanes of cars, again and again."}.about(
          "The chicken starts in row 9 of column 4 and may move every third step. A car sends it back; row 0 "
          "earns 1, "
          "gives all cars new speeds and sends it back as well. Cars move one cell every 1 to 5 steps and "
          "come "
          "back on the other side; the plane in which their trail is drawn tells their speed."),
      2500);
}

Spaces Freeway::spaces(const Params&) {
  return board({"chicken", "car", "speed 1", "speed 2", "speed 3", "speed 4", "speed 5"},
               {"none", "up", "down"});
}

Freeway::Freeway(const Params& params)
    : GridGame(spaces(params), params, {Move::kNone, Move::kUp, Move::kDown}) {}

void Freeway::draw_speeds() {
  for (Car& car : cars_) {
    car.speed = (1 + below(kSlowest)) * (below(2) == 0 ? -1 : 1);
    car.countdown = std::abs(car.speed);
  }
}

void Freeway::begin() {
  chicken_ = kStart;
  rest_ = 0;
  draw_speeds();
  for (Car& car : cars_) car.column = 0;
}

Environment::Outcome Freeway::tick(Move move) {
  if (rest_ == 0 && (move == Move::kUp || move == Move::kDown)) {
    chicken_ = std::clamp<std::int64_t>(chicken_ + (move == Move::kDown) - (move == Move::kUp), 0, kSide - 1);
    rest_ = kMoveEvery;
  }
  double reward = 0;
  if (chicken_ == 0) {
    reward = 1;
    draw_speeds();
    chicken_ = kStart;
  }
  for (std::size_t lane = 0; lane < cars_.size(); ++lane) {
    Car& car = cars_[lane];
    const auto hit = [&] { return car.column == kColumn && chicken_ == static_cast<std::int64_t>(lane) + 1; };
    if (hit()) chicken_ = kStart;
    if (car.countdown > 0) {
      --car.countdown;
      continue;
    }
    car.countdown = std::abs(car.speed);
    car.column = (car.column + (car.speed > 0 ? 1 : -1) + kSide) % kSide;
    if (hit()) chicken_ = kStart;
  }
  rest_ -= rest_ > 0;
  return {reward, false};
}

void Freeway::draw() {
  plot({chicken_, kColumn}, 0);
  for (std::size_t lane = 0; lane < cars_.size(); ++lane) {
    const Car& car = cars_[lane];
    const std::int64_t row = static_cast<std::int64_t>(lane) + 1;
    plot({row, car.column}, 1);
    plot({row, (car.column - (car.speed > 0 ? 1 : -1) + kSide) % kSide},
         1 + static_cast<std::size_t>(std::abs(car.speed)));
  }
}

}  // namespace stream
