#include "products/products_made.hpp"

#include <algorithm>

#include "stream/error.hpp"
#include "stream/frame_layout.hpp"

namespace stream::products {

namespace {

constexpr const char* kPaper =
    "Bai, Li, Cheng, Yang, Chen, Li, Cross-Domain Product Representation Learning for Rich-Content "
    "E-Commerce, ICCV 2023";

Frame frame_of(const MadeProducts& world, std::int32_t product, Domain domain, std::int32_t number,
               int frame) {
  const int size = world.options().size;
  std::vector<std::uint8_t> samples(3 * static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
  world.render(product, domain, number, frame, samples);
  return FrameLayout{size, size, PixelFormat::kRgb, 8, ColorRange::kFull, {}}.frame(
      Buffer::own(std::move(samples)));
}

/// "page-%04d.png" with a number in it.
std::string numbered(const std::string& pattern, std::int32_t number) {
  const std::size_t at = pattern.find('%'), end = pattern.find('d', at);
  if (at == std::string::npos || end == std::string::npos || end - at > 3) return pattern;
  std::string digits = std::to_string(number);
  const std::string width = pattern.substr(at + 1, end - at - 1);
  const std::size_t least = width.empty() ? 0 : static_cast<std::size_t>(std::atoi(width.c_str()));
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  return pattern.substr(0, at) + digits + pattern.substr(end + 1);
}

std::pair<std::int32_t, std::int32_t> chosen(const Params& p, const MadeProducts& world) {
  const auto all = static_cast<std::int32_t>(world.products().size());
  const auto first = p.get<std::int32_t>("first"), count = p.get<std::int32_t>("count");
  if (first >= all)
    throw bad_recipe("first = " + std::to_string(first) + ": there are " + std::to_string(all) + " products");
  return {first, count <= 0 ? all : std::min(all, first + count)};
}

}  // namespace

Spec with_world_params(Spec spec) {
  const MadeProductsOptions o;
  return std::move(spec)
      .param("products", std::int64_t{o.products}, "that there are", range(4, 5000))
      .param("unseen", std::int64_t{o.unseen}, "of them, the last, that training does not see",
             range(1, 4999))
      .param("twin_groups", std::int64_t{o.twin_groups},
             "groups of near twins, every other one among the unseen", range(0, 1000))
      .param("twins", std::int64_t{o.twins}, "products in such a group: they differ in one attribute",
             range(2, 5))
      .param("size", std::int64_t{o.size}, "width and height of a made-up picture", range(16, 512),
             unit("pixels"))
      .param("world_seed", std::int64_t{-1}, "what differs from world to world; -1: the run's seed",
             at_least(-1));
}

MadeProductsOptions world_options(const Params& p) {
  MadeProductsOptions o;
  o.products = p.get<std::int32_t>("products"), o.unseen = p.get<std::int32_t>("unseen");
  o.twin_groups = p.get<std::int32_t>("twin_groups"), o.twins = p.get<std::int32_t>("twins");
  o.size = p.get<int>("size");
  const auto seed = p.get<std::int64_t>("world_seed");
  o.seed = seed < 0 ? p.context().seed : static_cast<std::uint64_t>(seed);
  return o;
}

Spec PagesSource::spec() {
  return with_world_params(
             Spec("products.pages", "Make up product pages: titles and pictures.")
                 .output<Record>("pages", "{\"id\", \"title\", \"image\": name of the picture's file}")
                 .output<Frame>("pictures", "RGB, 8 bits, square, one for each page: what image.write takes"))
      .param("first", std::int64_t{0}, "product to begin with", range(0, 5000))
      .param("count", std::int64_t{0}, "products; 0: all that follow", range(0, 5000))
      .param("image", "page-%04d.png", "name of a picture's file, with the number of the page from 0 on")
      .contract({.order = Order::kStateful})
      .about(
          "A product is a shape, a texture, two colours, a logo and a size; a title has words for these, "
          "with "
          "synonyms, words left out, noise and a seller's slogan. Words are the same in all worlds, the "
          "products are not.")
      .paper(kPaper)
      .example("Four pages", R"([nodes.world]
use   = "products.pages"
count = 4

[nodes.out]
use  = "jsonl.write"
from = "world.pages"
path = "-"
)");
}

PagesSource::PagesSource(const Params& p) : world_(world_options(p)), pattern_(p.get<std::string>("image")) {
  std::tie(begin_, end_) = chosen(p, world_);
  next_ = begin_;
}

bool PagesSource::read(Output& out) {
  if (next_ >= end_) return false;
  const Time time{next_ - begin_};
  out.emit(0, Packet::of<Record>(time, Object{{"id", world_.id(next_)},
                                              {"title", world_.title(next_, 0)},
                                              {"image", numbered(pattern_, next_ - begin_)}}));
  if (!out.unused(1)) out.emit(1, Packet::of<Frame>(time, frame_of(world_, next_, Domain::kPage, 0, 0)));
  ++next_;
  return true;
}

double PagesSource::fraction() const {
  return static_cast<double>(next_ - begin_) / static_cast<double>(end_ - begin_);
}

void PagesSource::load(const Archive& state) {
  next_ = state.get<std::int32_t>("next");
  if (next_ < begin_ || next_ > end_) throw bad_data("the saved pages are of another world");
}

Spec ShowSource::spec() {
  return with_world_params(
             Spec("products.show", "Make up a live stream, or short videos, in which products are shown.")
                 .output<Frame>("frames", "RGB, 8 bits, square")
                 .output<Record>("speech", "{\"t\": seconds, \"text\"}: what is said, as it was understood")
                 .output<Record>("truth", "{\"t0\", \"t1\", \"id\"} when a product begins to be shown"))
      .param("domain", "live", "how products are shown", choices({"live", "video"}))
      .param("first", std::int64_t{500}, "product to begin with", range(0, 5000))
      .param("count", std::int64_t{10}, "products, one after the other; 0: all that follow", range(0, 5000))
      .param("number", std::int64_t{100}, "of the clip: another number is another clip of each product",
             range(0, 1000000))
      .param("rate", std::int64_t{2}, "frames per second", range(1, 1000))
      .contract({.order = Order::kStateful})
      .about(
          "Each product is shown for 12 to 24 frames. Live: 25 to 40 percent of the width, behind a hand, "
          "other products around it, 40 percent of the frames without it, noise, JPEG's blocks; of seven "
          "words one is about the product, and 15 percent of the characters are wrong. Videos: moving and "
          "turning before clutter; of four words one, 5 percent.")
      .paper(kPaper)
      .example("What is said of two products", R"([nodes.world]
use   = "products.show"
count = 2

[nodes.out]
use  = "jsonl.write"
from = "world.speech"
path = "-"
)");
}

ShowSource::ShowSource(const Params& p)
    : world_(world_options(p)),
      domain_(p.get<std::string>("domain") == "live" ? Domain::kLive : Domain::kVideo),
      number_(p.get<std::int32_t>("number")),
      rate_(p.get<int>("rate")) {
  std::tie(begin_, end_) = chosen(p, world_);
  product_ = begin_;
}

bool ShowSource::read(Output& out) {
  if (product_ >= end_) return false;
  const auto time_of = [&](std::int64_t frame) { return Time{frame * 1'000'000'000 / rate_}; };
  const Time now = time_of(frames_);
  const int count = world_.frames(product_, domain_, number_);
  if (frame_ == 0)
    out.emit(2, Packet::of<Record>(now, Object{{"t0", static_cast<double>(frames_) / rate_},
                                               {"t1", static_cast<double>(frames_ + count) / rate_},
                                               {"id", world_.id(product_)}}));
  Packet picture = Packet::of<Frame>(now, frame_of(world_, product_, domain_, number_, frame_));
  picture.duration = time_of(frames_ + 1) - now;
  out.emit(0, std::move(picture));
  for (const Utterance& u : world_.speech(product_, domain_, number_))
    if (u.frame == frame_ && !u.words.empty())
      out.emit(
          1, Packet::of<Record>(now, Object{{"t", static_cast<double>(frames_) / rate_}, {"text", u.words}}));
  ++frames_;
  if (++frame_ == count) frame_ = 0, ++product_;
  return true;
}

double ShowSource::fraction() const {
  return static_cast<double>(product_ - begin_) / static_cast<double>(end_ - begin_);
}

void ShowSource::save(Archive& state) const {
  state.set("product", product_);
  state.set("frame", frame_);
  state.set("frames", frames_);
}

void ShowSource::load(const Archive& state) {
  product_ = state.get<std::int32_t>("product");
  frame_ = state.get<int>("frame");
  frames_ = state.get<std::int64_t>("frames");
  if (product_ < begin_ || product_ > end_ || frame_ < 0 || frames_ < 0)
    throw bad_data("the saved stream is of another world");
}

}  // namespace stream::products
