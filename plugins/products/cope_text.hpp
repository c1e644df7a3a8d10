/// Words as numbers, without a vocabulary: what COPE's text encoder reads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace stream::products {

inline constexpr std::int64_t kPadding = 0, kStart = 1;  ///< the tokens that are no words

/// kStart, then a number in [2, vocabulary) for each word: letters and digits (and whatever is not ASCII),
/// without regard to ASCII's case, hashed; each sign of Chinese, Japanese or Korean script is a word. At most
/// `length` tokens; later words are left out.
std::vector<std::int64_t> tokens_of(std::string_view text, std::int64_t vocabulary, std::int64_t length);

}  // namespace stream::products
