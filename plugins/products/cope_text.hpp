/// Words as numbers, without a vocabulary: what COPE's text encoder reads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace stream::products {

inline constexpr std::int64_t kStart = 1;  ///< the piece that no word has: of the token before the text
/// Pieces of one word at the most.
inline constexpr std::size_t kMostPieces = 24;

/// A text's tokens: the first stands before the text, each other one is a word.
struct TextTokens {
  std::vector<std::int64_t> pieces;  ///< those of all tokens, one after the other, in [1, vocabulary)
  std::vector<std::size_t> ends;     ///< of each token, in `pieces`
  std::size_t count() const { return ends.size(); }
};

/// A word's vector is the sum of those of its pieces: itself, and each three characters that follow each
/// other in it, its ends counted as characters, all hashed (Bojanowski, Grave, Joulin, Mikolov, "Enriching
/// Word Vectors with Subword Information", TACL 5, 2017, section 3.2); so a word that was misheard is like
/// itself still. Words are of letters and digits (and whatever is not ASCII), without regard to ASCII's case;
/// each sign of Chinese, Japanese or Korean script is a word of one piece. At most `length` tokens; later
/// words are left out.
TextTokens tokens_of(std::string_view text, std::int64_t vocabulary, std::int64_t length);

}  // namespace stream::products
