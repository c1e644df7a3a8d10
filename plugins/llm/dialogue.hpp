/// Dialogues of SirLLM's study: one rare item is named in the first turn and asked for in the last.
#pragma once

#include <vector>

#include "llm/pair_text.hpp"

namespace stream::llm {

struct DialogueShape {
  std::int64_t turns = 20, turn_length = 16;
  std::int64_t recurring = 6;  ///< keys that come again and again, with values of their own
  double recurring_share =
      0.9;  ///< of the pairs behind the item; the others are rare: an unused key, any value
};

struct Dialogue {
  /// The first begins with the begin token; the last is the question: a filler symbol and the item's key.
  std::vector<std::vector<std::int32_t>> turns;
  std::int32_t key = 0, value = 0;  ///< the item
  std::int64_t item_at = 0;         ///< place of its value in the dialogue
  std::vector<std::int32_t>
      options;            ///< four values, one of them right: the right one, a rare pair's, two others
  std::int64_t rare = 0;  ///< rare pairs beside the item
};

/// The text has the density of PairText of the same shape: what a model has not seen in training says little.
Dialogue make_dialogue(const PairTextShape& text, const DialogueShape& shape, Random random);

}  // namespace stream::llm
