/// A tokenizer that is two chains of stages, one for each way.
#pragma once

#include <utility>
#include <vector>

#include "llm/tokenizers/stage.hpp"

namespace stream::llm {

/// Makes stages, the last of which appends to `*out`.
using ModelMaker = std::function<std::unique_ptr<Stage>(std::vector<TokenId>* const* out)>;

/// An encoder that replaces what is not UTF-8 and hands the rest to the stages that `make` makes.
std::unique_ptr<TextEncoder> chain_encoder(const ModelMaker& make);

struct TokenizerParts {
  std::vector<StageMaker> encode;  ///< text to words
  ModelMaker model;                ///< words to ids
  std::vector<StageMaker> decode;  ///< tokens to text
  /// By id. An id that is missing here (a hole) decodes to nothing.
  std::vector<std::pair<TokenId, std::string>> tokens;
  std::vector<TokenId> special;        ///< not part of decoded text
  std::vector<TokenId> before, after;  ///< what the reference puts around a text
};

class ChainTokenizer final : public Tokenizer {
 public:
  explicit ChainTokenizer(TokenizerParts parts);
  std::int64_t size() const override { return size_; }
  std::unique_ptr<TextEncoder> encoder() const override;
  std::unique_ptr<TextDecoder> decoder() const override;
  std::optional<TokenId> special(std::string_view name) const override;

  /// Ids that the reference puts in front of a text and behind it (the begin and the end token). `encode`
  /// does not: a stream begins once, and that is the model's to say.
  const std::vector<TokenId>& before() const { return parts_.before; }
  const std::vector<TokenId>& after() const { return parts_.after; }
  /// The text of a token as the file has it, or null for a hole.
  const std::string* token(TokenId id) const;
  bool is_special(TokenId id) const;

 private:
  TokenizerParts parts_;
  std::int64_t size_ = 0;
};

}  // namespace stream::llm
