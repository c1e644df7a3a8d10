#include "llm/needle_text.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "stream/error.hpp"

namespace stream::llm {

std::string NeedleShape::fault() const {
  if (std::string wrong = text.fault(); !wrong.empty()) return wrong;
  if (text.gap < 1) return "needles want a text with filler";
  if (needles < 1 || needles >= text.keys)
    return std::to_string(needles) + " needles, expected at least 1 and fewer than the " +
           std::to_string(text.keys) + " keys";
  if (margin < 0 || length < margin + 16 * needles + 1 || length > 100'000'000)
    return "a text of " + std::to_string(length) + " tokens, the last " + std::to_string(margin) +
           " without needles, has no room for " + std::to_string(needles) + " needles";
  return {};
}

NeedleStream needle_stream(const NeedleShape& shape, Random random) {
  if (const std::string wrong = shape.fault(); !wrong.empty()) throw bad_recipe(wrong);
  const PairTextShape& text = shape.text;
  std::vector<std::int64_t> keys;
  for (std::int64_t k = 0; k < text.keys; ++k) keys.push_back(k);
  for (std::size_t i = keys.size() - 1; i > 0; --i) std::swap(keys[i], keys[random.below(i + 1)]);
  const auto planted = static_cast<std::size_t>(shape.needles);
  const std::vector<std::int64_t> others(keys.begin() + static_cast<std::ptrdiff_t>(planted), keys.end());
  const auto any_value = [&] {
    return text.value(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(text.values))));
  };
  std::vector<std::int32_t> value_of(static_cast<std::size_t>(text.keys));
  for (std::int32_t& v : value_of) v = any_value();
  // A needle comes with the first pair behind its place; two places apart never share one.
  const std::int64_t room = shape.length - shape.margin;
  std::set<std::int64_t> places;
  while (places.size() < planted) {
    const auto at = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(room - 16)));
    const auto next = places.lower_bound(at - 8);
    if (next == places.end() || *next > at + 8) places.insert(at);
  }
  NeedleStream out;
  out.tokens.push_back(0);
  out.known.push_back(0);
  std::int64_t filler = -1;
  std::deque<std::int64_t> recent;
  std::vector<bool> seen(static_cast<std::size_t>(text.keys));
  const auto put = [&](std::int32_t token, bool known) {
    out.tokens.push_back(token);
    out.known.push_back(known);
  };
  std::size_t needle = 0;
  auto place = places.begin();
  while (static_cast<std::int64_t>(out.tokens.size()) < shape.length) {
    for (std::uint64_t gap = random.below(static_cast<std::uint64_t>(text.gap + 1)); gap > 0; --gap)
      put(text.filler(filler = PairText::next_filler(text, filler, random)), false);
    if (place != places.end() && static_cast<std::int64_t>(out.tokens.size()) >= *place) {
      const std::int64_t key = keys[needle++];
      put(text.key(key), false);
      out.needles.push_back({text.key(key), value_of[static_cast<std::size_t>(key)],
                             static_cast<std::int64_t>(out.tokens.size()), 0});
      put(out.needles.back().value, false);
      ++place;
      continue;
    }
    const bool again = random.uniform() < shape.repeat && !recent.empty();
    const std::int64_t key =
        again ? recent[random.below(recent.size())] : others[random.below(others.size())];
    const auto k = static_cast<std::size_t>(key);
    put(text.key(key), false);
    put(value_of[k], seen[k]);
    seen[k] = true;
    recent.push_back(key);
    if (static_cast<std::int64_t>(recent.size()) > text.recent) recent.pop_front();
  }
  out.tokens.resize(static_cast<std::size_t>(shape.length));
  out.known.resize(out.tokens.size());
  for (Needle& n : out.needles) n.filler = text.filler(PairText::next_filler(text, filler, random));
  return out;
}

}  // namespace stream::llm
