/// What a SentencePiece model file says.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/tokenizers/bpe.hpp"
#include "llm/tokenizers/piece_index.hpp"

namespace stream::llm {

/// SentencePiece writes a blank as this (U+2581).
inline constexpr std::string_view kSpaceSymbol = "\xe2\x96\x81";

enum class PieceType : std::uint8_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

struct SentencePiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

/// Replacement of characters by others, as compiled by SentencePiece: a double-array trie of what is replaced
/// (Darts-clone's units), then the replacements.
class CharacterMap {
 public:
  CharacterMap() = default;
  /// Throws Error(kBadData) when the sizes in `compiled` do not fit.
  explicit CharacterMap(std::string_view compiled);
  struct Match {
    std::size_t size;  ///< bytes that are replaced; 0: none
    std::string_view by;
    bool open;  ///< the text ends where a longer one could go on
  };
  /// The longest at the front. Throws Error(kBadData) when the trie leads out of itself.
  Match longest(std::string_view text) const;

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

struct SentencePieceModel {
  enum class Kind : std::uint8_t { kUnigram = 1, kBpe = 2 };
  Kind kind = Kind::kUnigram;
  std::vector<SentencePiece> pieces;  ///< by id
  CharacterMap map;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool byte_fallback = false;
  std::string unknown_surface = " \xe2\x81\x87 ";

  // What follows from it.
  TokenId unknown = 0;
  std::vector<TokenId> bytes;   ///< of each byte, with byte_fallback
  StringMap<TokenId> ids;       ///< of pieces that text can become
  StringMap<TokenId> reserved;  ///< of the others
  PieceIndex index;             ///< of `ids`
  PieceIndex user_defined;
  std::size_t longest = 0;                           ///< bytes of the longest in `ids`
  float lowest = std::numeric_limits<float>::max();  ///< score of a normal piece
  /// Not below the smallest positive number, with which the reference begins: scores are logarithms of
  /// probabilities.
  float highest = std::numeric_limits<float>::min();
  std::unordered_set<std::uint64_t> joined;  ///< neighbouring characters of pieces

  /// False when no piece reaches across the boundary between two characters, whatever stands around them.
  bool joins(std::string_view left, std::string_view right) const;
};

/// Throws Error(kBadData) with the offset at which the file is no such model, and names what is not
/// supported: models of whole words or characters, blanks at the end of words, text replaced on the way back.
SentencePieceModel read_sentencepiece_model(std::string_view file);

}  // namespace stream::llm
