#include "video_world/clips.hpp"

#include <algorithm>
#include <array>

#include "stream/error.hpp"
#include "video_world/scene.hpp"

namespace stream::video_world {
namespace {

Colour faded(Colour a, Colour b, int part, int whole) {
  Colour out{};
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = static_cast<std::uint8_t>(a[c] + (b[c] - a[c]) * part / std::max(1, whole));
  return out;
}
Colour random_colour(SplitMix& random) {
  Colour out{};
  for (std::uint8_t& c : out) c = static_cast<std::uint8_t>(random.below(256));
  return out;
}

/// What fills a rectangle; coordinates are those of the whole frame.
class Content {
 public:
  virtual ~Content() = default;
  virtual Colour at(int x, int y, int frame) const = 0;
};

/// A zoom into the border of the Mandelbrot set.
class Mandelbrot final : public Content {
 public:
  /// Zooms into what stands at (x, y).
  Mandelbrot(std::uint64_t seed, int width, int x, int y) : width_(width), x_(x), y_(y) {
    SplitMix random(seed);
    constexpr std::array<std::array<double, 2>, 4> kPlaces = {
        {{-0.743643, 0.131825}, {-0.16, 1.0405}, {-1.25066, 0.02012}, {-0.7463, 0.1102}}};
    const auto& place = kPlaces[static_cast<std::size_t>(random.below(4))];
    re_ = place[0], im_ = place[1];
    for (Colour& c : bands_) c = random_colour(random);
  }
  Colour at(int x, int y, int frame) const override {
    // 1 % a frame, in plain products: no library function that differs from machine to machine.
    double scale = 0.1 / width_;
    for (int i = 0; i < frame; ++i) scale *= 0.99;
    const double cr = re_ + (x - x_) * scale, ci = im_ + (y - y_) * scale;
    double r = 0, i = 0;
    int n = 0;
    for (; n < 64 && r * r + i * i <= 4; ++n) {
      const double next = r * r - i * i + cr;
      i = 2 * r * i + ci;
      r = next;
    }
    if (n == 64) return {8, 8, 16};
    const int band = n / 6 % 8;
    return faded(bands_[static_cast<std::size_t>(band)], bands_[static_cast<std::size_t>((band + 1) % 8)],
                 n % 6, 6);
  }

 private:
  int width_, x_, y_;
  double re_ = 0, im_ = 0;
  std::array<Colour, 8> bands_{};
};

/// Conway's game of life on cells of 8 pixels, one generation every fourth frame; what died glows on.
class Life final : public Content {
 public:
  Life(std::uint64_t seed, int width, int height, int frames)
      : columns_(width / kCell + 1), rows_(height / kCell + 1) {
    SplitMix random(seed);
    alive_ = random_colour(random);
    for (std::uint8_t& c : alive_) c |= 128;
    Cells cells(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_));
    for (std::uint8_t& c : cells) c = random.below(10) < 3 ? 255 : 0;
    generations_.push_back(cells);
    while (static_cast<int>(generations_.size()) <= frames / 4)
      generations_.push_back(next(generations_.back()));
  }
  Colour at(int x, int y, int frame) const override {
    const Cells& cells = generations_[std::min(generations_.size() - 1, static_cast<std::size_t>(frame / 4))];
    const int level = cells[static_cast<std::size_t>(y / kCell) * static_cast<std::size_t>(columns_) +
                            static_cast<std::size_t>(x / kCell)];
    return level == 255 ? alive_ : faded({10, 10, 30}, {90, 30, 60}, level, 254);
  }

 private:
  static constexpr int kCell = 8;
  using Cells = std::vector<std::uint8_t>;  ///< 255: alive; less: dead, and how much it glows
  Cells next(const Cells& now) const {
    Cells out(now.size());
    const auto cell = [&](int c, int r) {
      return now[static_cast<std::size_t>((r + rows_) % rows_) * static_cast<std::size_t>(columns_) +
                 static_cast<std::size_t>((c + columns_) % columns_)];
    };
    for (int r = 0; r < rows_; ++r) {
      for (int c = 0; c < columns_; ++c) {
        int neighbours = 0;
        for (int dr = -1; dr <= 1; ++dr)
          for (int dc = -1; dc <= 1; ++dc)
            if (dr != 0 || dc != 0) neighbours += cell(c + dc, r + dr) == 255 ? 1 : 0;
        const int self = cell(c, r);
        const bool lives = neighbours == 3 || (neighbours == 2 && self == 255);
        out[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(c)] =
            static_cast<std::uint8_t>(lives         ? 255
                                      : self == 255 ? 200
                                                    : self * 3 / 4);
      }
    }
    return out;
  }
  int columns_, rows_;
  Colour alive_{};
  std::vector<Cells> generations_;
};

/// Bars, a checker of changing period, and a box that wanders.
class TestPattern final : public Content {
 public:
  explicit TestPattern(std::uint64_t seed) {
    SplitMix random(seed);
    period_ = static_cast<int>(random.within(9, 14));
    for (Colour& c : bars_) c = random_colour(random);
    step_x_ = static_cast<int>(random.within(1, 3));
    step_y_ = static_cast<int>(random.within(1, 3));
  }
  Colour at(int x, int y, int frame) const override {
    const auto bounce = [](int v, int range) {
      v %= 2 * range;
      return v < range ? v : 2 * range - v;
    };
    const int bx = bounce(frame * step_x_, 96), by = bounce(frame * step_y_, 64);
    const int lx = (x % 128) - bx, ly = (y % 96) - by;
    if (lx >= 0 && ly >= 0 && lx < 28 && ly < 28)
      return (lx * lx + ly * ly) / 120 % 2 == 0 ? Colour{250, 250, 240} : Colour{20, 20, 30};
    if (y / 24 % 2 == 0) return bars_[static_cast<std::size_t>((x + frame) / 12 % 8)];
    return ((x + frame) / period_ + y / period_) % 2 == 0 ? Colour{200, 200, 200} : Colour{50, 50, 60};
  }

 private:
  int period_, step_x_, step_y_;
  std::array<Colour, 8> bars_{};
};

/// Smooth colours that drift.
class Gradient final : public Content {
 public:
  Gradient(std::uint64_t seed, int width, int height, int drift)
      : width_(width), height_(height), drift_(drift) {
    SplitMix random(seed);
    for (Colour& c : corners_) c = random_colour(random);
  }
  Colour at(int x, int y, int frame) const override {
    const int span = 2 * width_;
    int along = (x + frame * drift_) % span;
    if (along >= width_) along = span - 1 - along;
    return faded(faded(corners_[0], corners_[1], along, width_),
                 faded(corners_[2], corners_[3], along, width_), y, height_);
  }

 private:
  int width_, height_, drift_;
  std::array<Colour, 4> corners_{};
};

void paint(Picture& picture, const Content& content, int x, int y, int width, int height, int frame) {
  for (int j = std::max(0, y); j < std::min(picture.height(), y + height); ++j)
    for (int i = std::max(0, x); i < std::min(picture.width(), x + width); ++i)
      picture.set(i, j, content.at(i, j, frame));
}

class Mixed final : public Clip {
 public:
  Mixed(std::uint64_t seed, int width, int height, int frames)
      : width_(width),
        height_(height),
        fractal_(mix(seed, 1), width, width / 4, height / 4),
        life_(mix(seed, 2), width, height, frames),
        pattern_(mix(seed, 3)),
        gradient_(mix(seed, 4), width, height, 2) {}
  Picture frame(int number) const override {
    const auto swing = [number](int middle, int reach, int period) {
      const int t = number % period;
      return middle - reach + 2 * reach * (2 * t < period ? t : period - t) * 2 / period;
    };
    const int x = swing(width_ / 2, width_ / 8, 60), y = swing(height_ / 2, height_ / 8, 44);
    Picture picture(width_, height_);
    paint(picture, fractal_, 0, 0, x, y, number);
    paint(picture, life_, x, 0, width_ - x, y, number);
    paint(picture, pattern_, 0, y, x, height_ - y, number);
    paint(picture, gradient_, x, y, width_ - x, height_ - y, number);
    return picture;
  }

 private:
  int width_, height_;
  Mandelbrot fractal_;
  Life life_;
  TestPattern pattern_;
  Gradient gradient_;
};

class Cut final : public Clip {
 public:
  Cut(std::uint64_t seed, int width, int height, int frames)
      : width_(width),
        height_(height),
        third_(std::max(1, (frames + 2) / 3)),
        fractal_(mix(seed, 5), width, width / 2, height / 2),
        pattern_(mix(seed, 6)),
        life_(mix(seed, 7), width, height, third_) {}
  Picture frame(int number) const override {
    Picture picture(width_, height_);
    const Content* const contents[] = {&fractal_, &pattern_, &life_};
    paint(picture, *contents[std::min(2, number / third_)], 0, 0, width_, height_, number % third_);
    return picture;
  }

 private:
  int width_, height_, third_;
  Mandelbrot fractal_;
  TestPattern pattern_;
  Life life_;
};

class Talk final : public Clip {
 public:
  Talk(std::uint64_t seed, int width, int height)
      : width_(width),
        height_(height),
        wall_(mix(seed, 8), width, height, 0),
        face_(mix(seed, 9), width, width / 2, height / 2) {
    SplitMix random(mix(seed, 10));
    constexpr const char* kWords[] = {"NEWS",   "LIVE",   "TODAY",  "MARKET", "RIVER",
                                      "STORM",  "GAME",   "MUSIC",  "HARBOR", "STATION",
                                      "GARDEN", "WINTER", "SUMMER", "BRIDGE", "NIGHT"};
    for (int i = 0; i < 12; ++i) {
      words_ += kWords[random.below(15)];
      words_ += ' ';
    }
    ink_ = {245, 245, 235};
  }
  Picture frame(int number) const override {
    Picture picture(width_, height_);
    paint(picture, wall_, 0, 0, width_, height_, 0);
    const int size = height_ / 3;
    const int t = number % 40, nod = t < 20 ? t : 40 - t;
    paint(picture, face_, width_ / 2 - size / 2 + nod / 2, height_ / 4 + nod / 4, size, size, number);
    picture.fill(0, height_ - 30, width_, 30, {20, 30, 60});
    picture.text(width_ - 2 * number, height_ - 26, words_, 4, ink_);
    picture.text(8, 8, "STREAM " + std::to_string(100 + number), 4, ink_);
    return picture;
  }

 private:
  int width_, height_;
  Gradient wall_;
  Mandelbrot face_;
  std::string words_;
  Colour ink_{};
};

class WorldClip final : public Clip {
 public:
  WorldClip(std::uint64_t seed, int width, int height, int frames)
      : width_(width), height_(height), world_(seed, 2, std::max(kTicks, frames)) {}
  Picture frame(int number) const override {
    const int size = std::max(width_, height_);
    const Picture whole = world_.render(number, size);
    Picture picture(width_, height_);
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x)
        picture.set(x, y, whole.get(x + (size - width_) / 2, y + (size - height_) / 2));
    return picture;
  }

 private:
  int width_, height_;
  World world_;
};

}  // namespace

std::vector<std::string> clip_names() { return {"mixed", "cut", "talk", "world"}; }

std::unique_ptr<Clip> make_clip(const std::string& name, std::uint64_t seed, int width, int height,
                                int frames) {
  if (name == "mixed") return std::make_unique<Mixed>(seed, width, height, frames);
  if (name == "cut") return std::make_unique<Cut>(seed, width, height, frames);
  if (name == "talk") return std::make_unique<Talk>(seed, width, height);
  if (name == "world") return std::make_unique<WorldClip>(seed, width, height, frames);
  throw bad_recipe("clip = \"" + name + "\"" + did_you_mean(name, clip_names()));
}

}  // namespace stream::video_world
