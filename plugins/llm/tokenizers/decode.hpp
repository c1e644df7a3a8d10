/// Decoders of tokenizer.json: each token is a piece, and text comes out of the last stage.
#pragma once

#include "llm/tokenizers/stage.hpp"
#include "stream/value.hpp"

namespace stream::llm {

/// Appends the stages of a `decoder` entry. Throws Error(kBadData) that names an unknown kind or member.
void add_decoder(const Object& entry, std::vector<StageMaker>& stages);
/// What the reference does without a decoder: a space between tokens.
void add_spaces_between(std::vector<StageMaker>& stages);

/// The end of such a chain: appends to `*out`.
class DecodedText final : public Stage {
 public:
  explicit DecodedText(std::string* const* out) : out_(out) {}
  void text(std::string_view utf8) override { (*out_)->append(utf8); }
  void end() override {}
  void token(TokenId) override {}
  void finish() override {}
  void save(Archive&) const override {}
  void load(const Archive&) override {}

 private:
  std::string* const* out_;
};

/// Tokens "<0xE4>" as the bytes that they stand for. Characters come out as their last byte arrives; each
/// byte that is part of none becomes U+FFFD. (Hugging Face's decoder replaces a whole run of byte tokens when
/// one of them is invalid, which is known only when the run has ended; SentencePiece does as here.)
void add_byte_fallback(std::vector<StageMaker>& stages);

}  // namespace stream::llm
