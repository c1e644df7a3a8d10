/// What is put to a language model in one turn.
#pragma once

#include <vector>

#include "llm/tokenizer.hpp"
#include "stream/packet.hpp"
#include "stream/payload.hpp"

namespace stream::llm {

struct Turn {
  std::vector<TokenId> prompt;
  std::vector<std::vector<TokenId>> choices;  ///< answers of which one is to be picked; empty: any answer
  std::vector<std::string> labels;            ///< their texts, where they are texts
  std::int64_t right = -1;                    ///< index of the right choice, where it is told
  bool read_only = false;                     ///< nothing is to be answered
  Object more;                                ///< other members of its record, which go on with the answer
};

/// A text, a tensor [n] of int32, or a record: {"text" or "ids": [...], and "choices": texts or lists of ids,
/// "answer": index of the right one, "read": true where nothing is to be answered}. Texts are put between
/// `prefix` and `suffix`. `tokenizer` may be null: then ids only. Throws Error(kBadData).
Turn turn_of(const Packet& packet, const Tokenizer* tokenizer, const std::string& prefix,
             const std::string& suffix);

}  // namespace stream::llm
