/// Text to token ids and back, piece by piece: how a stream is cut into pieces never changes the ids.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/model_file.hpp"
#include "stream/archive.hpp"

namespace stream::llm {

using TokenId = std::int32_t;

/// Of one text that arrives in pieces.
class TextEncoder {
 public:
  virtual ~TextEncoder() = default;
  /// Appends the ids that are certain now, whatever follows.
  virtual void push(std::string_view bytes, std::vector<TokenId>& ids) = 0;
  /// The text ends here: appends the ids of what was held back. The next push begins a new text.
  virtual void finish(std::vector<TokenId>& ids) = 0;
  /// What is held back.
  virtual void save(Archive& group) const = 0;
  virtual void load(const Archive& group) = 0;
};

/// Of one stream of ids.
class TextDecoder {
 public:
  virtual ~TextDecoder() = default;
  /// The bytes that are certain now: valid UTF-8 as far as the tokens are. Nothing for an id that no token
  /// has: embeddings are padded to round sizes, and a model may sample from the padding. Throws
  /// Error(kBadData) for a negative id, and bytes' tokenizer for one outside of its vocabulary.
  virtual std::string push(TokenId id) = 0;
  /// The stream of ids ends here: what was held back (an unfinished character).
  virtual std::string finish() = 0;
  virtual void save(Archive& group) const = 0;
  virtual void load(const Archive& group) = 0;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Ids are 0 to size - 1; a model's embedding may have more rows, never fewer.
  virtual std::int64_t size() const = 0;
  virtual std::unique_ptr<TextEncoder> encoder() const = 0;
  virtual std::unique_ptr<TextDecoder> decoder() const = 0;
  /// A special token by its text ("<|im_end|>").
  virtual std::optional<TokenId> special(std::string_view name) const = 0;

  /// All of a text at once.
  std::vector<TokenId> encode(std::string_view text) const;
  std::string decode(const std::vector<TokenId>& ids) const;
};

/// A byte is a token, of the same number; 256 is the begin token, 257 ends a turn. Needs no data.
inline constexpr TokenId kByteBegin = 256, kByteEnd = 257;
inline constexpr std::int64_t kByteVocabulary = 258;
std::shared_ptr<const Tokenizer> byte_tokenizer();

/// The model's, or null for a model of bare ids. Throws Error(kBadData) for an unknown kind, for data that is
/// none of that kind, and for one with more ids than the model has.
std::shared_ptr<const Tokenizer> tokenizer_of(const LanguageModel& model);

}  // namespace stream::llm
