#include "llm/dialogue.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {

Dialogue make_dialogue(const PairTextShape& text, const DialogueShape& shape, Random random) {
  if (text.keys < shape.recurring + 2 || text.values < shape.recurring + 5 || text.gap < 1)
    throw bad_recipe("the text has too few keys, values or fillers for a dialogue");
  std::vector<std::int32_t> keys, values;
  for (std::int64_t k = 0; k < text.keys; ++k) keys.push_back(text.key(k));
  for (std::int64_t v = 0; v < text.values; ++v) values.push_back(text.value(v));
  const auto deal = [&](std::vector<std::int32_t>& from) {
    const std::size_t at = random.below(from.size());
    const std::int32_t out = from[at];
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(at));
    return out;
  };
  std::vector<std::pair<std::int32_t, std::int32_t>> recurring;
  for (std::int64_t i = 0; i < shape.recurring; ++i) {
    const std::int32_t key = deal(keys);
    recurring.emplace_back(key, deal(values));
  }
  Dialogue out;
  out.key = deal(keys);
  out.value = deal(values);
  const auto length = static_cast<std::size_t>(shape.turns * shape.turn_length);
  std::vector<std::int32_t> tokens{0};
  std::vector<std::int32_t> rare_values;
  std::int64_t filler = -1;
  bool named = false;
  const auto add_filler = [&] {
    filler = PairText::next_filler(text, filler, random);
    tokens.push_back(text.filler(filler));
  };
  while (tokens.size() < length) {
    for (std::uint64_t gap = random.below(static_cast<std::uint64_t>(text.gap + 1)); gap > 0; --gap)
      add_filler();
    if (!named && tokens.size() >= 4) {
      tokens.push_back(out.key);
      out.item_at = static_cast<std::int64_t>(tokens.size());
      tokens.push_back(out.value);
      named = true;
    } else if (random.uniform() < shape.recurring_share || keys.empty()) {
      const auto& [key, value] = recurring[random.below(recurring.size())];
      tokens.push_back(key);
      tokens.push_back(value);
    } else {
      // Values may coincide, but for that of the item and those that recur.
      tokens.push_back(deal(keys));
      rare_values.push_back(values[random.below(values.size())]);
      tokens.push_back(rare_values.back());
      ++out.rare;
    }
  }
  tokens.resize(length);
  for (std::size_t at = 0; at < length; at += static_cast<std::size_t>(shape.turn_length))
    out.turns.emplace_back(tokens.begin() + static_cast<std::ptrdiff_t>(at),
                           tokens.begin() + static_cast<std::ptrdiff_t>(at) + shape.turn_length);
  filler = PairText::next_filler(text, filler, random);
  out.turns.push_back({text.filler(filler), out.key});
  out.options = {out.value};
  if (!rare_values.empty()) out.options.push_back(rare_values[random.below(rare_values.size())]);
  while (out.options.size() < 4) {
    const std::int32_t other = values[random.below(values.size())];
    if (std::find(out.options.begin(), out.options.end(), other) == out.options.end())
      out.options.push_back(other);
  }
  return out;
}

}  // namespace stream::llm
