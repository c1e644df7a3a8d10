/// Tokens that are found in the text itself, before any model sees it: "<|im_end|>".
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "llm/tokenizers/stage.hpp"

namespace stream::llm {

/// An entry of `added_tokens`, with Hugging Face's meanings.
struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool special = false;                 ///< not part of decoded text
  bool single_word = false;             ///< only where no letter, digit or mark adjoins
  bool lstrip = false, rstrip = false;  ///< takes the white space before, behind
  bool normalized = true;               ///< looked for in the text as the normaliser leaves it
};

/// The longest token that begins at a place, by the bytes of its content. Immutable.
class AddedTokenTrie {
 public:
  /// Entries without content are left out, as they are by the reference.
  explicit AddedTokenTrie(std::vector<AddedToken> tokens);
  struct Match {
    const AddedToken* token;  ///< null: none
    std::size_t size;
    bool open;  ///< the text ends where a longer one could go on
  };
  Match longest(std::string_view text) const;
  bool any_lstrip() const { return any_lstrip_; }
  bool empty() const { return nodes_.size() == 1; }

 private:
  struct Node {
    std::map<char, std::size_t> children;
    const AddedToken* token = nullptr;
  };
  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;
  bool any_lstrip_ = false;
};

/// Hands on the text between such tokens as pieces.
class AddedTokens final : public InnerStage {
 public:
  AddedTokens(std::shared_ptr<const AddedTokenTrie> trie, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), trie_(std::move(trie)) {}
  void text(std::string_view utf8) override;
  void end() override;
  void token(TokenId id) override;
  void save(Archive& group) const override;
  void load(const Archive& group) override;

 private:
  void scan(bool ended);
  void hand_on(std::string_view text);

  std::shared_ptr<const AddedTokenTrie> trie_;
  std::string held_;
  std::size_t scanned_ = 0;     ///< bytes of `held_` at which no token begins
  std::size_t blank_from_ = 0;  ///< of the scanned bytes, where the white space at their end begins
  std::string before_;          ///< the character in front of `held_`, within this piece
  bool open_ = false;           ///< a piece has been begun
  bool swallow_ = false;        ///< the token before takes the white space that follows
};

}  // namespace stream::llm
