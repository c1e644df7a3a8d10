/// The synthetic video world: coloured shapes that move in changing places, every tick a function of seed and
/// number, and a log of what happens. Integers alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "video_world/picture.hpp"
#include "video_world/split_mix.hpp"

namespace stream::video_world {

inline constexpr int kTicks = 8;  ///< a second

enum class Shape : std::uint8_t { kCircle, kSquare, kTriangle, kDiamond, kCross, kRing };
const char* name_of(Shape shape);

enum class EventKind : std::uint8_t {
  kMoveLeft,
  kMoveRight,
  kMoveUp,
  kMoveDown,
  kBounce,
  kSpinClockwise,
  kSpinCounterclockwise,
  kGrow,
  kShrink,
  kBlink,
  kRecolour,
  kSceneCut
};
const char* name_of(EventKind kind);

/// Positions and radii in 1/256 of a pixel of a canvas of 64.
struct Object {
  Shape shape;
  int colour;  ///< index of the palette
  int radius, x, y;
  int angle;  ///< of 64
  bool visible;
};

struct Event {
  std::int64_t begin, end;  ///< ticks; nothing of it is left at `end` but its effect
  EventKind kind;
  int object;  ///< -1 for none
  int amount;  ///< shift, hops, steps a tick, colour, place
  int scene;
};

/// The levels D0 to D4: how many objects, how dense the events, how much noise.
struct Level {
  int objects, gap_low, gap_high, scene_low, scene_high;  ///< gaps in ticks, scenes in seconds; 0: one scene
  int noise, pan, gain;                                   ///< noise amplitude; pixels a tick; per cent
  int shake;                                              ///< pixels
};
const Level& level(int number);

class World {
 public:
  /// A video of `ticks` ticks.
  World(std::uint64_t seed, int level, std::int64_t ticks);
  const std::vector<Event>& events() const { return events_; }
  /// What there is at a tick.
  std::vector<Object> objects(std::int64_t tick) const;
  /// The picture at a tick, `size` pixels wide and high. Independent of every other tick.
  Picture render(std::int64_t tick, int size) const;
  std::int64_t ticks() const { return ticks_; }

 private:
  struct Scene {
    std::int64_t begin, end;
    int place, pan_x, pan_y;
    std::vector<Object> objects;  ///< at its beginning
  };
  void make_scene(std::int64_t begin, SplitMix& layout);
  void make_events(std::size_t scene, SplitMix& random);
  const Scene& scene_at(std::int64_t tick) const;

  std::uint64_t pixels_;
  const Level& level_;
  std::int64_t ticks_;
  std::vector<Scene> scenes_;
  std::vector<Event> events_;
};

}  // namespace stream::video_world
