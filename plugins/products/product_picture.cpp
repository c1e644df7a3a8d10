#include "products/product_picture.hpp"

#include <algorithm>
#include <cmath>

namespace stream::products {

namespace {

using Rgb = std::array<float, 3>;

constexpr std::array<Rgb, 8> kPalette{{{220, 40, 40},
                                       {240, 140, 20},
                                       {235, 220, 40},
                                       {40, 160, 60},
                                       {40, 190, 200},
                                       {40, 70, 210},
                                       {150, 50, 180},
                                       {120, 75, 40}}};

/// Inside of a shape of radius 1 around the origin.
bool inside(int shape, double x, double y) {
  switch (shape) {
    case 0:  // disc
      return x * x + y * y <= 0.9;
    case 1:  // square
      return std::abs(x) <= 0.8 && std::abs(y) <= 0.8;
    case 2:  // triangle
      return y <= 0.8 && y >= -0.95 && std::abs(x) <= (y + 0.95) * 0.55;
    case 3:  // diamond
      return std::abs(x) + std::abs(y) <= 1.05;
    case 4:  // cross
      return (std::abs(x) <= 0.38 && std::abs(y) <= 0.95) || (std::abs(y) <= 0.38 && std::abs(x) <= 0.95);
    case 5: {  // star of five
      const double r = std::hypot(x, y), wave = std::cos(5 * std::atan2(x, -y));
      return r <= 0.62 + 0.36 * wave;
    }
    case 6:  // bottle
      return (std::abs(x) <= 0.5 && y >= -0.35 && y <= 0.95) || (std::abs(x) <= 0.2 && y >= -0.95 && y <= 0);
    default:  // bowl: half a disc
      return x * x + (y + 0.45) * (y + 0.45) <= 1.0 && y >= -0.45;
  }
}

/// Whether the second colour is seen at a place of the product.
bool second(int texture, double x, double y) {
  const auto even = [](double v) { return (static_cast<int>(std::floor(v)) & 1) == 0; };
  switch (texture) {
    case 0:  // one half
      return y > 0.15;
    case 1:  // stripes across
      return even(y * 3.2 + 0.5);
    case 2:  // stripes up
      return even(x * 3.2 + 0.5);
    case 3:  // checks
      return even(x * 2.4) == even(y * 2.4);
    default: {  // dots
      const double u = x * 2.2 - std::floor(x * 2.2) - 0.5, v = y * 2.2 - std::floor(y * 2.2) - 0.5;
      return u * u + v * v < 0.14;
    }
  }
}

/// Rows of three dots, the left one being 4; symmetric from left to right, so that a flip changes nothing.
constexpr std::array<std::array<int, 3>, 6> kLogos{
    {{2, 7, 2}, {5, 2, 5}, {7, 2, 2}, {5, 5, 2}, {7, 5, 7}, {2, 2, 7}}};

bool logo(int which, double x, double y) {
  const int column = static_cast<int>(std::floor((x / 0.42 + 1) * 1.5)),
            row = static_cast<int>(std::floor((y / 0.42 + 1) * 1.5));
  if (column < 0 || column > 2 || row < 0 || row > 2) return false;
  return (kLogos[static_cast<std::size_t>(which)][static_cast<std::size_t>(row)] & (4 >> column)) != 0;
}

/// cos((2 x + 1) k pi / 16) with the DCT's scale, [k][x].
const std::array<std::array<float, 8>, 8>& cosines() {
  static const auto kTable = [] {
    std::array<std::array<float, 8>, 8> t{};
    for (int k = 0; k < 8; ++k)
      for (int x = 0; x < 8; ++x)
        t[static_cast<std::size_t>(k)][static_cast<std::size_t>(x)] =
            static_cast<float>((k == 0 ? std::sqrt(0.125) : 0.5) * std::cos((2 * x + 1) * k * M_PI / 16));
    return t;
  }();
  return kTable;
}

}  // namespace

ProductPicture::ProductPicture(int size)
    : size_(size), samples_(3 * static_cast<std::size_t>(size) * static_cast<std::size_t>(size)) {}

ProductPicture::Colour ProductPicture::any_colour(Random& random) {
  Colour c{};
  for (float& v : c) v = static_cast<float>(255 * random.uniform());
  return c;
}

void ProductPicture::fill(Colour colour) {
  const std::size_t plane = samples_.size() / 3;
  for (std::size_t c = 0; c < 3; ++c)
    std::fill_n(samples_.begin() + static_cast<std::ptrdiff_t>(c * plane), plane, colour[c]);
}

void ProductPicture::rectangle(double x, double y, double width, double height, Colour colour) {
  for (int j = std::max(0, static_cast<int>(y)); j < std::min<double>(size_, y + height); ++j)
    for (int i = std::max(0, static_cast<int>(x)); i < std::min<double>(size_, x + width); ++i)
      for (int c = 0; c < 3; ++c) at(c, i, j) = colour[static_cast<std::size_t>(c)];
}

void ProductPicture::ellipse(double x, double y, double a, double b, double angle, Colour colour) {
  const double reach = std::max(a, b), cosine = std::cos(angle), sine = std::sin(angle);
  for (int j = std::max(0, static_cast<int>(y - reach)); j < std::min<double>(size_, y + reach + 1); ++j)
    for (int i = std::max(0, static_cast<int>(x - reach)); i < std::min<double>(size_, x + reach + 1); ++i) {
      const double u = (i + 0.5 - x) * cosine + (j + 0.5 - y) * sine,
                   v = (j + 0.5 - y) * cosine - (i + 0.5 - x) * sine;
      if (u * u / (a * a) + v * v / (b * b) > 1) continue;
      for (int c = 0; c < 3; ++c) at(c, i, j) = colour[static_cast<std::size_t>(c)];
    }
}

void ProductPicture::draw(const MadeProduct& product, double x, double y, double radius, double angle) {
  const Colour first = kPalette[static_cast<std::size_t>(product.value(Attribute::kColour))],
               other = kPalette[static_cast<std::size_t>(product.value(Attribute::kSecondColour))],
               mark{250, 250, 250}, rim{20, 20, 20};
  const double cosine = std::cos(angle), sine = std::sin(angle), reach = 1.1 * radius;
  constexpr int kSub = 2;  // samples of a pixel each way
  for (int j = std::max(0, static_cast<int>(y - reach)); j < std::min<double>(size_, y + reach + 1); ++j)
    for (int i = std::max(0, static_cast<int>(x - reach)); i < std::min<double>(size_, x + reach + 1); ++i) {
      Colour sum{};
      int covered = 0;
      for (int s = 0; s < kSub * kSub; ++s) {
        const int across = s % kSub, down = s / kSub;
        const double px = (i + (across + 0.5) / kSub - x) / radius,
                     py = (j + (down + 0.5) / kSub - y) / radius;
        const double u = px * cosine + py * sine, v = py * cosine - px * sine;
        if (!inside(product.value(Attribute::kShape), u, v)) continue;
        ++covered;
        const bool inner = inside(product.value(Attribute::kShape), u * 1.12, v * 1.12);
        const Colour& c = logo(product.value(Attribute::kLogo), u, v - 0.1)        ? mark
                          : !inner                                                 ? rim
                          : second(product.value(Attribute::kTexture), u, v - 0.1) ? other
                                                                                   : first;
        for (std::size_t k = 0; k < 3; ++k) sum[k] += c[k];
      }
      if (covered == 0) continue;
      for (int c = 0; c < 3; ++c)
        at(c, i, j) =
            (sum[static_cast<std::size_t>(c)] + static_cast<float>(kSub * kSub - covered) * at(c, i, j)) /
            (kSub * kSub);
    }
}

void ProductPicture::clutter(Random& random, int pieces) {
  const auto place = [&] { return (random.uniform() * 1.2 - 0.1) * size_; };
  for (int i = 0; i < pieces; ++i) {
    Colour colour = any_colour(random);
    for (float& v : colour) v = 60 + 0.55f * v;  // duller than what is for sale
    const double x = place(), y = place(), a = (0.08 + 0.3 * random.uniform()) * size_,
                 b = (0.08 + 0.3 * random.uniform()) * size_;
    if (random.below(2) == 0)
      rectangle(x - a / 2, y - b / 2, a, b, colour);
    else
      ellipse(x, y, a / 2, b / 2, 3.14 * random.uniform(), colour);
  }
}

void ProductPicture::brighten(double gain, double offset) {
  for (float& v : samples_) v = static_cast<float>(gain * static_cast<double>(v) + offset);
}

void ProductPicture::noise(Random& random, double amplitude) {
  // The sum of four is near enough to normal.
  for (float& v : samples_) {
    const std::uint64_t bits = random();
    double sum = 0;
    for (int k = 0; k < 4; ++k) sum += static_cast<double>((bits >> (16 * k)) & 0xffff);
    v += static_cast<float>(amplitude * (sum / 65536 - 2) * 1.7320508);
  }
}

void ProductPicture::compress(double step) {
  const auto& t = cosines();
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y + 8 <= size_; y += 8)
      for (int x = 0; x + 8 <= size_; x += 8) {
        float half[8][8] = {}, block[8][8] = {};
        for (int j = 0; j < 8; ++j)
          for (std::size_t k = 0; k < 8; ++k)
            for (int i = 0; i < 8; ++i) half[j][k] += t[k][static_cast<std::size_t>(i)] * at(c, x + i, y + j);
        for (std::size_t k = 0; k < 8; ++k)
          for (std::size_t l = 0; l < 8; ++l) {
            float sum = 0;
            for (int j = 0; j < 8; ++j) sum += t[l][static_cast<std::size_t>(j)] * half[j][k];
            const auto quantum = static_cast<float>(step * (1 + 0.6 * static_cast<double>(k + l)));
            block[l][k] = std::round(sum / quantum) * quantum;
          }
        for (int j = 0; j < 8; ++j)
          for (std::size_t k = 0; k < 8; ++k) {
            half[j][k] = 0;
            for (std::size_t l = 0; l < 8; ++l) half[j][k] += t[l][static_cast<std::size_t>(j)] * block[l][k];
          }
        for (int j = 0; j < 8; ++j)
          for (int i = 0; i < 8; ++i) {
            float sum = 0;
            for (std::size_t k = 0; k < 8; ++k) sum += t[k][static_cast<std::size_t>(i)] * half[j][k];
            at(c, x + i, y + j) = sum;
          }
      }
}

void ProductPicture::page(const MadeProduct& product, Random& clip) {
  fill({252, 252, 252});
  // A seller's photograph shows how large it is, a little.
  const double radius = (0.34 + 0.04 * product.value(Attribute::kSize)) * size_;
  draw(product, (0.5 + 0.04 * (clip.uniform() - 0.5)) * size_, (0.5 + 0.04 * (clip.uniform() - 0.5)) * size_,
       radius, 0.1 * (clip.uniform() - 0.5));
}

void ProductPicture::video(const MadeProduct& product, Random& clip, Random& one, int frame) {
  fill(any_colour(clip));
  clutter(clip, 8);
  const double phase = 6.28 * clip.uniform(), speed = 0.15 + 0.25 * clip.uniform(),
               angle = 0.8 * (clip.uniform() - 0.5), turning = 0.06 * (clip.uniform() - 0.5),
               radius = 0.22 + 0.12 * clip.uniform(), growing = 0.05 * clip.uniform(),
               gain = 0.7 + 0.5 * clip.uniform(), flicker = 0.15 * clip.uniform();
  const double t = frame;
  draw(product, (0.5 + 0.16 * std::sin(phase + speed * t)) * size_,
       (0.5 + 0.12 * std::cos(phase + 1.3 * speed * t)) * size_,
       (radius + growing * std::sin(phase + 0.5 * t)) * size_, angle + turning * t);
  brighten(gain + flicker * std::sin(0.7 * t + phase), 12 * (one.uniform() - 0.5));
  noise(one, 8);
}

void ProductPicture::live(const MadeProduct& product, Random& clip, Random& one, int frame,
                          const std::array<const MadeProduct*, 2>& others) {
  fill(any_colour(clip));
  clutter(clip, 6);
  const double where = 6.28 * clip.uniform();
  for (std::size_t k = 0; k < others.size(); ++k) {  // they lie at the border and stay where they are
    const double a = where + 3.14 * static_cast<double>(k) + 0.8 * (clip.uniform() - 0.5);
    draw(*others[k], (0.5 + 0.42 * std::cos(a)) * size_, (0.5 + 0.42 * std::sin(a)) * size_,
         (0.1 + 0.03 * clip.uniform()) * size_, 6.28 * clip.uniform());
  }
  const double phase = 6.28 * clip.uniform(), speed = 0.2 + 0.3 * clip.uniform(),
               radius = 0.5 * (0.25 + 0.15 * clip.uniform()), gain = 0.7 + 0.5 * clip.uniform();
  const double t = frame, x = (0.5 + 0.14 * std::sin(phase + speed * t)) * size_,
               y = (0.5 + 0.12 * std::cos(phase + 1.3 * speed * t)) * size_;
  if (one.uniform() >= 0.4) {
    draw(product, x, y, radius * size_, 0.5 * std::sin(phase + 0.4 * t));
    const Colour skin{215, 165, 135};
    const double from = phase + 0.3 * t;
    ellipse(x + 0.85 * radius * size_ * std::cos(from), y + 0.85 * radius * size_ * std::sin(from),
            0.62 * radius * size_, 0.4 * radius * size_, from, skin);
  }
  brighten(gain, 20 * (one.uniform() - 0.5));
  noise(one, 22);
  compress(10);
}

void ProductPicture::store(std::span<std::uint8_t> into) const {
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] = static_cast<std::uint8_t>(std::lround(std::clamp(samples_[i], 0.0f, 255.0f)));
}

}  // namespace stream::products
