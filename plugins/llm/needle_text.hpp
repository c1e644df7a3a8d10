/// Long texts of pairs in which a few pairs, the needles, occur once: what is asked for after tens of
/// thousands of tokens.
#pragma once

#include <vector>

#include "llm/pair_text.hpp"

namespace stream::llm {

struct NeedleShape {
  PairTextShape text = filler_text();
  std::int64_t length = 4096;  ///< tokens, the begin token among them
  std::int64_t needles = 8;
  std::int64_t margin = 400;  ///< tokens between the last needle and the end, at least
  double repeat = 0.3;        ///< probability that a key is taken up again
  /// What is wrong with it, or empty.
  std::string fault() const;
};

struct Needle {
  std::int32_t key, value;
  std::int64_t at;  ///< of its value among the tokens
  /// What is put to the model: a filler symbol and the key.
  std::int32_t filler;
};

struct NeedleStream {
  std::vector<std::int32_t> tokens;
  std::vector<Needle> needles;  ///< in the order of the text
  /// 1 at values whose key, not a needle's, had come before: the text determines them.
  std::vector<std::uint8_t> known;
};

/// Text like that of PairText, but a key keeps its value for the whole stream, so what stands far back is
/// never stale; the needles' keys occur nowhere else, their values are any. Throws Error(kBadRecipe) for a
/// shape that cannot be.
NeedleStream needle_stream(const NeedleShape& shape, Random random);

}  // namespace stream::llm
