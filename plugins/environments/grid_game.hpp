/// Games on a board of 10 x 10 cells, seen as planes of zeros and ones.
///
/// K. Young, T. Tian, MinAtar: an Atari-inspired testbed for thorough and reproducible reinforcement learning
/// experiments, arXiv 1903.03176. Written from the published rules.
#pragma once

#include <string>
#include <vector>

#include "stream/environment.hpp"
#include "stream/error.hpp"

namespace stream {

inline constexpr const char* kMinAtarPaper =
    "Young, Tian, MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible Reinforcement Learning "
    "Experiments, arXiv 1903.03176";

/// What a player can do; a game offers some of it.
enum class Move : std::uint8_t { kNone, kLeft, kUp, kRight, kDown, kFire };

/// A cell, or a way to go.
struct Cell {
  std::int64_t row = 0, column = 0;
  friend bool operator==(const Cell&, const Cell&) = default;
};

/// What the games share. Game has:
///   void begin();  Outcome tick(Move);  void draw();
///   template <typename Self, typename Visit> static void each_number(Self& self, Visit visit);
/// the last of which calls visit(number, lowest, highest) for every number of the game's state: that is how a
/// state is stored, and how one that no play leads to is refused.
template <typename Game>
class GridGame : public Environment {
 public:
  static constexpr std::int64_t kSide = 10;

 protected:
  GridGame(Spaces spaces, const Params& params, std::vector<Move> moves)
      : Environment(std::move(spaces), params.get<std::int64_t>("limit")),
        planes_(static_cast<std::size_t>(this->spaces().observation.shape[2])),
        moves_(std::move(moves)),
        sticky_(params.get<double>("sticky")) {}

  /// Parameters of every game.
  static Spec with_shared_params(Spec spec, std::int64_t limit) {
    return std::move(spec)
        .paper(kMinAtarPaper)
        .param("limit", limit, "steps after which an episode is cut off, 0 for never", at_least(0))
        .param("sticky", 0.1, "chance that the action before is repeated instead", range(0, 1));
  }
  static Spaces board(std::vector<std::string> planes, std::vector<std::string> moves) {
    const auto count = static_cast<std::int64_t>(planes.size());
    return {Space::box({kSide, kSide, count}, 0, 1, std::move(planes)), Space::discrete(std::move(moves))};
  }
  static constexpr bool inside(Cell cell) {
    return cell.row >= 0 && cell.row < kSide && cell.column >= 0 && cell.column < kSide;
  }
  /// Sets a cell of a plane; cells off the board are not drawn.
  void plot(Cell cell, std::size_t plane) {
    if (inside(cell)) board_[static_cast<std::size_t>(cell.row * kSide + cell.column) * planes_ + plane] = 1;
  }
  /// Uniform in [0, n).
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random().below(static_cast<std::uint64_t>(n)));
  }

 private:
  void start(std::span<double> observation) override {
    last_ = 0;
    self().begin();
    show(observation);
  }
  Outcome move(std::span<const double> action, std::span<double> observation) override {
    if (!(random().uniform() < sticky_)) last_ = static_cast<std::int64_t>(action[0]);
    const Outcome outcome = self().tick(moves_[static_cast<std::size_t>(last_)]);
    show(observation);
    return outcome;
  }
  void show(std::span<double> observation) {
    board_ = observation;
    std::fill(board_.begin(), board_.end(), 0.0);
    self().draw();
  }
  void store(Archive& state) const override {
    std::vector<std::int64_t> numbers{last_};
    Game::each_number(static_cast<const Game&>(*this), [&](const auto& number, std::int64_t, std::int64_t) {
      numbers.push_back(static_cast<std::int64_t>(number));
    });
    state.set("numbers", numbers);
  }
  void restore(const Archive& state) override {
    const auto numbers = state.get<std::vector<std::int64_t>>("numbers");
    std::size_t at = 0;
    const auto next = [&](std::int64_t low, std::int64_t high) {
      if (at >= numbers.size() || numbers[at] < low || numbers[at] > high)
        throw bad_data("'numbers' holds a state that no play of this game leads to (number " +
                       std::to_string(at) + ")");
      return numbers[at++];
    };
    last_ = next(0, static_cast<std::int64_t>(moves_.size()) - 1);
    Game::each_number(self(), [&](auto& number, std::int64_t low, std::int64_t high) {
      number = static_cast<std::remove_reference_t<decltype(number)>>(next(low, high));
    });
    if (at != numbers.size()) throw bad_data("'numbers' holds more than the state of this game");
  }
  Game& self() { return static_cast<Game&>(*this); }

  std::size_t planes_;
  std::vector<Move> moves_;
  double sticky_;
  std::int64_t last_ = 0;  ///< the action before, by its place in `moves_`
  std::span<double> board_;
};

}  // namespace stream
