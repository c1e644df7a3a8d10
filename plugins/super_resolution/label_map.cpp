#include "super_resolution/label_map.hpp"

#include <array>

#include "stream/error.hpp"
#include "super_resolution/range_coder.hpp"

namespace stream::super_resolution {
namespace {

/// What both sides have learnt so far.
struct Model {
  std::array<std::array<Bit, 2>, 2> changed{};  ///< by whether the left and the upper patch changed
  std::array<std::array<Bit, 256>, 3>
      value{};  ///< of a label's bits from the top; by what the upper patch did

  int bits;
  explicit Model(int models) : bits(0) {
    while ((1 << bits) < models) ++bits;
  }
};

/// Walks the patches of one frame; `code(bit, one)` codes a decision, or says how it was coded.
template <typename Code>
void walk(Model& model, Labels& now, const Labels& before, bool first, int columns, Code&& code) {
  std::vector<bool> changed(now.size());
  for (std::size_t p = 0; p < now.size(); ++p) {
    const auto width = static_cast<std::size_t>(columns);
    const bool left = p % width > 0 && changed[p - 1], above = p >= width && changed[p - width];
    const bool differs = first || code(model.changed[left ? 1 : 0][above ? 1 : 0], now[p] != before[p]);
    changed[p] = differs;
    if (!differs) {
      now[p] = before[p];
      continue;
    }
    auto& tree = model.value[first ? 0 : above ? 2 : 1];
    std::size_t node = 1;
    for (int b = model.bits - 1; b >= 0; --b)
      node = 2 * node + (code(tree[node & 255], ((now[p] >> b) & 1) != 0) ? 1 : 0);
    now[p] = static_cast<std::uint8_t>(node - (std::size_t{1} << model.bits));
  }
}

}  // namespace

std::string encode_labels(const std::vector<Labels>& frames, int columns, int models) {
  Model model(models);
  RangeEncoder out;
  Labels before;
  for (const Labels& frame : frames) {
    Labels now = frame;
    walk(model, now, before, before.empty(), columns, [&](Bit& bit, bool one) {
      out.put(one, bit);
      return one;
    });
    before = frame;
  }
  return out.finish();
}

std::vector<Labels> decode_labels(std::string_view bytes, std::size_t frames, std::size_t patches,
                                  int columns, int models) {
  Model model(models);
  RangeDecoder in(bytes);
  std::vector<Labels> out;
  Labels before;
  for (std::size_t f = 0; f < frames; ++f) {
    Labels now(patches);
    walk(model, now, before, f == 0, columns, [&](Bit& bit, bool) { return in.get(bit); });
    if (in.exhausted())
      throw bad_data("a patch map that ends at frame " + std::to_string(f) + " of " + std::to_string(frames));
    for (const std::uint8_t label : now)
      if (label >= models)
        throw bad_data("a patch map with label " + std::to_string(label) + " where there are " +
                       std::to_string(models) + " models");
    before = now;
    out.push_back(std::move(now));
  }
  return out;
}

}  // namespace stream::super_resolution
