#include "video_world/scene.hpp"

#include <algorithm>
#include <cstdlib>

namespace stream::video_world {
namespace {

constexpr Colour kPalette[] = {{220, 50, 47},  {60, 180, 75},  {0, 110, 220},  {255, 225, 25},
                               {200, 60, 200}, {70, 220, 230}, {245, 130, 48}, {240, 240, 240}};
constexpr int kColours = 8, kShapes = 6, kPlaces = 12, kPatterns = 6;
constexpr int kSmall = 1280, kLarge = 2304;
constexpr int kLeft = 2560, kRight = 13824, kTop = 3584, kBottom = 13824;  ///< for centres

constexpr Level kLevels[] = {{2, 16, 32, 0, 0, 0, 0, 0, 0},
                             {3, 12, 28, 20, 40, 4, 0, 0, 0},
                             {4, 8, 24, 12, 30, 8, 1, 6, 0},
                             {5, 4, 20, 8, 24, 12, 2, 12, 0},
                             {6, 2, 16, 5, 16, 20, 2, 20, 2}};

/// round(256 sin(2 pi i / 64)), a quarter of it.
constexpr int kSine[17] = {0, 25, 50, 74, 98, 121, 142, 162, 181, 198, 213, 226, 237, 245, 251, 255, 256};
int sine(int angle) {
  angle &= 63;
  const int folded = angle & 31, quarter = folded <= 16 ? kSine[folded] : kSine[32 - folded];
  return angle < 32 ? quarter : -quarter;
}
int cosine(int angle) { return sine(angle + 16); }

bool covers(const Object& o, std::int64_t dx, std::int64_t dy) {
  const std::int64_t r = o.radius;
  if (o.angle != 0) {
    const std::int64_t c = cosine(o.angle), s = sine(o.angle);
    const std::int64_t x = (dx * c + dy * s) >> 8, y = (dy * c - dx * s) >> 8;
    dx = x, dy = y;
  }
  const std::int64_t ax = std::abs(dx), ay = std::abs(dy), squared = dx * dx + dy * dy;
  switch (o.shape) {
    case Shape::kCircle:
      return squared <= r * r;
    case Shape::kSquare:
      return std::max(ax, ay) <= (r * 227) >> 8;
    case Shape::kTriangle:
      return dy <= (r * 5) >> 3 && 2 * ax <= dy + r;
    case Shape::kDiamond:
      return ax + ay <= (r * 5) >> 2;
    case Shape::kCross:
      return std::min(ax, ay) <= r / 3 && std::max(ax, ay) <= r;
    default:
      return squared <= r * r && squared >= ((r * 5) >> 3) * ((r * 5) >> 3);
  }
}

/// One of two dark colours of a place at a pixel of the canvas of 64.
bool pattern(int kind, int period, std::int64_t x, std::int64_t y) {
  const auto half = [period](std::int64_t v) { return ((v % period + period) % period) * 2 < period; };
  switch (kind) {
    case 0:
      return false;
    case 1:
      return half(y);
    case 2:
      return half(x);
    case 3:
      return half(x) != half(y);
    case 4:
      return half(x + y);
    default:
      return half(x) && half(y);
  }
}

int between(int from, int to, std::int64_t t, std::int64_t length) {
  return from + static_cast<int>((to - from) * t / length);
}

/// How `o` looks `t` ticks into the event; at its end and later, what it leaves.
void apply(const Event& e, std::int64_t tick, Object& o) {
  if (tick < e.begin) return;
  const std::int64_t length = e.end - e.begin, t = std::min(tick - e.begin, length);
  const int shift = between(0, e.amount, t, std::max<std::int64_t>(1, length));
  switch (e.kind) {
    case EventKind::kMoveLeft:
      o.x -= shift;
      break;
    case EventKind::kMoveRight:
      o.x += shift;
      break;
    case EventKind::kMoveUp:
      o.y -= shift;
      break;
    case EventKind::kMoveDown:
      o.y += shift;
      break;
    case EventKind::kBounce: {
      const std::int64_t hop = length / e.amount, at = t % hop;
      if (t < length) o.y -= static_cast<int>(4 * 6 * 256 * at * (hop - at) / (hop * hop));
      break;
    }
    case EventKind::kSpinClockwise:
      o.angle = static_cast<int>((o.angle + e.amount * t) & 63);
      break;
    case EventKind::kSpinCounterclockwise:
      o.angle = static_cast<int>((o.angle - e.amount * t) & 63);
      break;
    case EventKind::kGrow:
    case EventKind::kShrink:
      o.radius = between(o.radius, e.kind == EventKind::kGrow ? kLarge : kSmall, t, length);
      break;
    case EventKind::kBlink:
      o.visible = t == length || (t / 4) % 2 == 1;
      break;
    case EventKind::kRecolour:
      o.colour = e.amount;
      break;
    case EventKind::kSceneCut:
      break;
  }
}

}  // namespace

const char* name_of(Shape shape) {
  constexpr const char* kNames[] = {"circle", "square", "triangle", "diamond", "cross", "ring"};
  return kNames[static_cast<int>(shape)];
}
const char* name_of(EventKind kind) {
  constexpr const char* kNames[] = {"move_left", "move_right", "move_up",  "move_down",
                                    "bounce",    "spin_cw",    "spin_ccw", "grow",
                                    "shrink",    "blink",      "recolor",  "scene_cut"};
  return kNames[static_cast<int>(kind)];
}
const Level& level(int number) { return kLevels[number]; }

World::World(std::uint64_t seed, int number, std::int64_t ticks)
    : pixels_(part_seed(seed, Part::kPixels)), level_(level(number)), ticks_(ticks) {
  SplitMix layout(part_seed(seed, Part::kLayout)), random(part_seed(seed, Part::kEvents));
  for (std::int64_t at = 0; at < ticks_; at = scenes_.back().end) {
    make_scene(at, layout);
    if (at > 0)
      events_.push_back(
          {at, at + 1, EventKind::kSceneCut, -1, scenes_.back().place, static_cast<int>(scenes_.size()) - 1});
    make_events(scenes_.size() - 1, random);
  }
}

void World::make_scene(std::int64_t begin, SplitMix& layout) {
  Scene scene;
  scene.begin = begin;
  scene.end = level_.scene_high == 0
                  ? ticks_
                  : std::min(ticks_, begin + kTicks * layout.within(level_.scene_low, level_.scene_high));
  scene.place = static_cast<int>(layout.below(kPlaces));
  scene.pan_x = static_cast<int>(layout.within(-level_.pan, level_.pan));
  scene.pan_y = static_cast<int>(layout.within(-level_.pan, level_.pan));
  while (static_cast<int>(scene.objects.size()) < level_.objects) {
    Object o{};
    o.shape = static_cast<Shape>(layout.below(kShapes));
    o.colour = static_cast<int>(layout.below(kColours));
    o.radius = layout.below(2) == 0 ? kSmall : kLarge;
    o.x = static_cast<int>(layout.within(kLeft, kRight));
    o.y = static_cast<int>(layout.within(kTop, kBottom));
    o.visible = true;
    // "The red circle" must name one object.
    const bool taken = std::any_of(scene.objects.begin(), scene.objects.end(), [&](const Object& other) {
      return other.shape == o.shape && other.colour == o.colour;
    });
    if (!taken) scene.objects.push_back(o);
  }
  scenes_.push_back(std::move(scene));
}

void World::make_events(std::size_t index, SplitMix& random) {
  const Scene& scene = scenes_[index];
  std::int64_t at = scene.begin + random.within(level_.gap_low, level_.gap_high);
  while (at < scene.end) {
    const auto now = objects(at);
    Event e{at,
            0,
            static_cast<EventKind>(random.below(11)),
            static_cast<int>(random.below(static_cast<std::int64_t>(now.size()))),
            0,
            static_cast<int>(index)};
    const Object& o = now[static_cast<std::size_t>(e.object)];
    std::int64_t length = 0;
    bool possible = true;
    switch (e.kind) {
      case EventKind::kMoveLeft:
      case EventKind::kMoveRight:
      case EventKind::kMoveUp:
      case EventKind::kMoveDown: {
        length = random.within(8, 24);
        e.amount = static_cast<int>(256 * random.within(12, 28));
        const int room = e.kind == EventKind::kMoveLeft    ? o.x - kLeft
                         : e.kind == EventKind::kMoveRight ? kRight - o.x
                         : e.kind == EventKind::kMoveUp    ? o.y - kTop
                                                           : kBottom - o.y;
        possible = e.amount <= room;
        break;
      }
      case EventKind::kBounce:
        e.amount = static_cast<int>(random.within(2, 4));
        length = 8 * e.amount;
        break;
      case EventKind::kSpinClockwise:
      case EventKind::kSpinCounterclockwise:
        length = random.within(16, 32);
        e.amount = random.below(2) == 0 ? 2 : 4;
        possible = o.shape != Shape::kCircle && o.shape != Shape::kRing;
        break;
      case EventKind::kGrow:
      case EventKind::kShrink:
        length = random.within(8, 12);
        possible = o.radius == (e.kind == EventKind::kGrow ? kSmall : kLarge);
        break;
      case EventKind::kBlink:
        length = 8 * random.within(2, 3);
        break;
      default:
        length = 1;
        e.amount = static_cast<int>(random.below(kColours));
        possible = std::none_of(now.begin(), now.end(), [&](const Object& other) {
          return other.shape == o.shape && other.colour == e.amount;
        });
    }
    e.end = at + length;
    if (!possible || e.end > scene.end) {
      // Another try a tick later: the scene goes on either way.
      ++at;
      continue;
    }
    events_.push_back(e);
    at = e.end + random.within(level_.gap_low, level_.gap_high);
  }
}

const World::Scene& World::scene_at(std::int64_t tick) const {
  for (const Scene& scene : scenes_)
    if (tick < scene.end) return scene;
  return scenes_.back();
}

std::vector<Object> World::objects(std::int64_t tick) const {
  const Scene& scene = scene_at(tick);
  std::vector<Object> now = scene.objects;
  for (const Event& e : events_)
    if (e.object >= 0 && e.begin >= scene.begin && e.begin < scene.end)
      apply(e, tick, now[static_cast<std::size_t>(e.object)]);
  return now;
}

Picture World::render(std::int64_t tick, int size) const {
  const Scene& scene = scene_at(tick);
  SplitMix look(mix(pixels_, static_cast<std::uint64_t>(scene.place) + 1000));
  Colour dark[2];
  for (Colour& colour : dark)
    for (std::uint8_t& channel : colour) channel = static_cast<std::uint8_t>(look.within(10, 90));
  const int kind = static_cast<int>(look.below(kPatterns)), period = static_cast<int>(look.within(4, 12));
  SplitMix moment(mix(pixels_, static_cast<std::uint64_t>(tick)));
  const std::int64_t gain = 100 + moment.within(-level_.gain, level_.gain);
  const std::int64_t shake_x = moment.within(-level_.shake, level_.shake);
  const std::int64_t shake_y = moment.within(-level_.shake, level_.shake);
  const auto now = objects(tick);
  Picture picture(size, size);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const std::int64_t wx = (2 * x + 1) * std::int64_t{8192} / size + 256 * shake_x;
      const std::int64_t wy = (2 * y + 1) * std::int64_t{8192} / size + 256 * shake_y;
      const std::int64_t t = tick - scene.begin;
      Colour colour =
          dark[pattern(kind, period, (wx >> 8) + scene.pan_x * t, (wy >> 8) + scene.pan_y * t) ? 1 : 0];
      for (const Object& o : now)
        if (o.visible && covers(o, wx - o.x, wy - o.y)) colour = kPalette[o.colour];
      if (level_.noise > 0) {
        // A hash of tick and pixel, not a running stream: any tick can be painted alone.
        const std::uint64_t hash =
            SplitMix(pixels_ ^ (static_cast<std::uint64_t>(tick) << 40) ^
                     (static_cast<std::uint64_t>(y) << 20) ^ static_cast<std::uint64_t>(x))
                .next();
        std::int64_t sum = 0;
        for (int k = 0; k < 4; ++k) sum += static_cast<std::int64_t>((hash >> (16 * k)) & 0xFFFF);
        const std::int64_t noise = (sum - 2 * 65535) * level_.noise / (2 * 65535);
        for (std::uint8_t& channel : colour)
          channel = static_cast<std::uint8_t>(std::clamp<std::int64_t>(channel * gain / 100 + noise, 0, 255));
      }
      picture.set(x, y, colour);
    }
  }
  return picture;
}

}  // namespace stream::video_world
