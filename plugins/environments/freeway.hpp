/// Freeway on 10 x 10 cells; see grid_game.hpp.
#pragma once

#include <array>

#include "environments/grid_game.hpp"

namespace stream {

class Freeway final : public GridGame<Freeway> {
 public:
  static Spec spec();
  static Spaces spaces(const Params& params);
  explicit Freeway(const Params& params);

 private:
  friend class GridGame<Freeway>;
  static constexpr std::int64_t kColumn = 4, kStart = 9, kMoveEvery = 3, kSlowest = 5;
  struct Car {
    std::int64_t column = 0, countdown = 0,
                 speed = 1;  ///< a cell every |speed| steps, to the right when positive
  };
  void begin();
  Outcome tick(Move move);
  void draw();
  void draw_speeds();
  template <typename Self, typename Visit>
  static void each_number(Self& self, Visit visit) {
    visit(self.chicken_, 0, kSide - 1);
    visit(self.rest_, 0, kMoveEvery);
    for (auto& car : self.cars_) {
      visit(car.column, 0, kSide - 1);
      visit(car.countdown, 0, kSlowest);
      visit(car.speed, -kSlowest, kSlowest);
    }
  }

  std::int64_t chicken_ = kStart, rest_ = 0;  ///< its row, and steps until it may move again
  std::array<Car, 8> cars_;                   ///< in rows 1 to 8
};

}  // namespace stream
