#include "check/shapes.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <tuple>

#include "stream/random.hpp"

namespace stream::laws {
namespace {

namespace gen = rc::gen;

/// 0 to `end` - 1, whatever the size; most often 0, which keeps streams plain.
rc::Gen<int> mostly_zero(int end, std::size_t zeros) {
  return gen::weightedOneOf<int>({{zeros, gen::just(0)}, {1, gen::resize(100, gen::inRange(0, end))}});
}

rc::Gen<Mark> a_mark(const Extent& extent) {
  return gen::apply([](int port, int gap, int key, int kind, int size,
                       int seed) { return Mark{port, gap, key, kind, size, seed}; },
                    gen::resize(100, gen::inRange(0, extent.ports)), mostly_zero(8, 1),
                    mostly_zero(extent.keys, extent.keys > 1 ? 0 : 1), gen::resize(100, gen::inRange(0, 4)),
                    gen::inRange(0, 100), gen::inRange(0, 1000));
}

rc::Gen<Shape> a_shape(const Extent& extent) {
  const auto most = static_cast<std::size_t>(extent.marks);
  return gen::apply(
      [most](int variant, int first, int count, std::vector<Mark> marks) {
        if (marks.size() > most) marks.resize(most);
        return Shape{variant, first, count, std::move(marks)};
      },
      gen::resize(100, gen::inRange(0, 100)), gen::resize(100, gen::inRange(0, 1000)),
      gen::inRange(0, std::max(1, extent.recorded + 1)), gen::container<std::vector<Mark>>(a_mark(extent)));
}

rc::Shrinkable<Shape> grown(std::uint64_t seed, const Extent& extent) {
  Random choice(seed);
  const int size = 8 + static_cast<int>(choice.below(93));
  return a_shape(extent)(rc::Random(seed), size);
}

}  // namespace

// This file is compiled with its symbols hidden: the generator's must not be seen from outside of the
// library.
#define STREAM_SHOWN __attribute__((visibility("default")))

STREAM_SHOWN Shape make_shape(std::uint64_t seed, const Extent& extent) {
  return grown(seed, extent).value();
}

STREAM_SHOWN Shape shrink_shape(std::uint64_t seed, const Extent& extent,
                                const std::function<bool(const Shape&)>& fails,
                                const std::function<bool()>& more) {
  rc::Shrinkable<Shape> smallest = grown(seed, extent);
  for (bool smaller = true; smaller && more();) {
    smaller = false;
    auto candidates = smallest.shrinks();
    while (more()) {
      auto candidate = candidates.next();
      if (!candidate) break;
      if (!fails(candidate->value())) continue;
      smallest = std::move(*candidate);
      smaller = true;
      break;
    }
  }
  return smallest.value();
}

}  // namespace stream::laws
