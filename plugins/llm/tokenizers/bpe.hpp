/// Byte-pair encoding as tokenizer.json has it: pairs of symbols are merged in the order in which training
/// found them (Sennrich et al. 2016).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "llm/tokenizers/stage.hpp"
#include "llm/tokenizers/tokenizer_file.hpp"

namespace stream::llm {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

class Bpe {
 public:
  /// The `model` entry of a file. Throws Error(kBadData) that names what is wrong.
  Bpe(const Object& entry, const TokenizerFile& file);

  /// Appends the ids of a word. `whole`: it is not the rest of a longer one. Time n log n in its length.
  void encode(std::string_view word, bool whole, std::vector<TokenId>& ids) const;
  /// False when no token reaches across the boundary between two characters, whatever stands around them:
  /// what is on either side can then be encoded by itself.
  bool joins(std::string_view left, std::string_view right) const;
  bool ignores_merges() const { return ignore_merges_; }
  std::size_t longest() const { return longest_; }  ///< bytes of the longest token

  const StringMap<TokenId>& vocabulary() const { return vocabulary_; }

 private:
  struct Merge {
    std::uint32_t rank;
    TokenId id;
  };
  void read_vocabulary(const TokenizerFile& file);
  void read_merge(const std::string& left, const std::string& right, std::uint32_t rank);
  const Merge* merge_of(TokenId left, TokenId right) const;
  void symbols_of(std::string_view word, std::vector<TokenId>& ids) const;
  /// What stands for a character at the edge of a token: its code point, a byte of it, or the unknown token.
  std::vector<std::uint32_t> edge(const std::string& token, bool last) const;
  std::optional<std::uint32_t> symbol_at(std::string_view character, bool last) const;

  StringMap<TokenId> vocabulary_;
  std::unordered_map<std::uint64_t, Merge> merges_;
  std::unordered_set<std::uint64_t> joins_;
  std::vector<TokenId> bytes_;  ///< of <0x00> to <0xFF>, where all of them are there
  std::optional<TokenId> unknown_;
  std::string unknown_text_;
  bool fuse_unknown_ = false, ignore_merges_ = false;
  std::size_t longest_ = 0;
};

/// Words as they arrive; each piece is one.
class BpeWords final : public Stage {
 public:
  /// Appends to `*out`. `prompt`: words are texts of any length, so that what is certain is handed out at
  /// once.
  BpeWords(std::shared_ptr<const Bpe> model, bool prompt, std::vector<TokenId>* const* out)
      : model_(std::move(model)), out_(out), prompt_(prompt) {}
  void text(std::string_view utf8) override;
  void end() override;
  void token(TokenId id) override { (*out_)->push_back(id); }
  void finish() override {}
  void save(Archive& group) const override;
  void load(const Archive& group) override;

 private:
  void cut();

  std::shared_ptr<const Bpe> model_;
  std::vector<TokenId>* const* out_;
  bool prompt_;
  std::string word_;
  std::size_t examined_ = 0;  ///< bytes of `word_` whose boundaries are known
  std::size_t safe_ = 0;      ///< the last boundary that no token crosses
  bool continued_ = false;    ///< a part of this word has been encoded
};

}  // namespace stream::llm
