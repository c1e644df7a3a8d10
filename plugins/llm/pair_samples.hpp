/// Samples of pair text in which the places are labelled where something far back is needed, or nothing is.
#pragma once

#include <vector>

#include "llm/pair_text.hpp"

namespace stream::llm {

/// What is labelled: the places in front of values that repeat one more than `far` tokens back, or in front
/// of filler symbols, which their predecessors alone determine.
enum class PairLabels : std::uint8_t { kFarValues, kFillers };

struct PairSample {
  std::vector<std::int32_t> tokens;    ///< the begin token, and text
  std::vector<std::int32_t> labels;    ///< 1 where the next token is of the kind
  std::int32_t next = 0;               ///< the token behind the sample
  std::vector<PairText::Token> facts;  ///< facts[t] of the token behind tokens[t]
};

/// A sample of `length` tokens that has at least one label; draws texts until it has.
PairSample pair_sample(const PairTextShape& shape, double repeat, std::int64_t length, PairLabels labels,
                       std::int64_t far, Random& random);

}  // namespace stream::llm
