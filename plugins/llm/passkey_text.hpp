/// Passkeys in a haystack, and questions for them: the text that DuoAttention finds its retrieval heads on
/// (Xiao et al. 2024, section 2.2).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "llm/tokenizer.hpp"
#include "stream/random.hpp"

namespace stream::llm {

struct PasskeyShape {
  std::int64_t passkeys = 10;  ///< hidden, at depths drawn from [0.05, 0.95] of the haystack
  std::int64_t words = 32;     ///< of a passkey, of the radio alphabet
  bool tail = true;            ///< label all of the questions and answers, else the answers' words only
};

struct PasskeySample {
  std::vector<TokenId> tokens;
  std::vector<std::int32_t> labels;
};

class PasskeyText {
 public:
  /// `begin`: put in front, or -1. Throws Error(kBadRecipe) for more passkeys than there are depths.
  PasskeyText(std::shared_ptr<const Tokenizer> tokenizer, TokenId begin, PasskeyShape shape);

  /// One sample's passkeys are drawn; a haystack is then wanted.
  struct Needles {
    std::vector<std::vector<TokenId>> needles, questions, answers;
    std::vector<double> depths;  ///< ascending
    std::int64_t tokens = 0;     ///< of everything but the haystack
  };
  Needles draw(Random& random) const;
  /// The haystack with the needles at their depths, and questions and answers behind it.
  PasskeySample place(const Needles& needles, std::span<const TokenId> haystack) const;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  TokenId begin_;
  PasskeyShape shape_;
  std::vector<TokenId> head_, foot_;  ///< around the haystack
};

}  // namespace stream::llm
