#include "llm/tokenizers/added_tokens.hpp"

#include <unicode/uchar.h>

#include <algorithm>

#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

bool is_blank(std::string_view character) {
  return u_isUWhiteSpace(static_cast<UChar32>(code_point(character))) != 0;
}

/// What regular expressions call \w (Unicode Technical Standard 18, annex C).
bool is_word(std::string_view character) {
  const auto c = static_cast<UChar32>(code_point(character));
  constexpr std::uint32_t kCategories = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return u_isUAlphabetic(c) != 0 || (U_GET_GC_MASK(c) & kCategories) != 0 ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) != 0;
}

}  // namespace

AddedTokenTrie::AddedTokenTrie(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)), nodes_(1) {
  for (const AddedToken& token : tokens_) {
    if (token.content.empty()) continue;
    std::size_t at = 0;
    for (const char c : token.content) {
      const auto [child, fresh] = nodes_[at].children.try_emplace(c, nodes_.size());
      at = child->second;
      if (fresh) nodes_.emplace_back();
    }
    nodes_[at].token = &token;
    any_lstrip_ = any_lstrip_ || token.lstrip;
  }
}

AddedTokenTrie::Match AddedTokenTrie::longest(std::string_view text) const {
  Match best{nullptr, 0, false};
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto child = nodes_[at].children.find(text[i]);
    if (child == nodes_[at].children.end()) return best;
    at = child->second;
    if (nodes_[at].token != nullptr) best = {nodes_[at].token, i + 1, false};
  }
  best.open = !nodes_[at].children.empty();
  return best;
}

void AddedTokens::text(std::string_view utf8) {
  held_.append(utf8);
  scan(false);
}

void AddedTokens::end() {
  scan(true);
  if (open_) next().end();
  open_ = swallow_ = false;
  before_.clear();
}

void AddedTokens::token(TokenId id) {
  if (open_) next().end();
  open_ = false;
  next().token(id);
}

void AddedTokens::hand_on(std::string_view text) {
  if (text.empty()) return;
  before_ = last_character(text);
  while (swallow_ && !text.empty()) {
    if (is_blank(first_character(text)))
      text.remove_prefix(utf8_size(text[0]));
    else
      swallow_ = false;
  }
  if (text.empty()) return;
  open_ = true;
  next().text(text);
}

void AddedTokens::scan(bool ended) {
  const std::string_view all = held_;
  std::size_t begin = 0;  // of what is not handed on
  std::size_t at = scanned_;
  while (at < all.size()) {
    const auto match = trie_->longest(all.substr(at));
    if (match.open && !ended) break;
    const std::string_view character = first_character(all.substr(at));
    if (match.token == nullptr) {
      at += character.size();
      if (!is_blank(character)) blank_from_ = at;
      continue;
    }
    const std::size_t stop = at + match.size;
    if (match.token->single_word) {
      if (stop == all.size() && !ended) break;
      const std::string_view left =
          at > begin ? last_character(all.substr(0, at)) : std::string_view(before_);
      const bool alone = (left.empty() || !is_word(left)) &&
                         (stop == all.size() || !is_word(first_character(all.substr(stop))));
      if (!alone) {
        at = blank_from_ = stop;
        continue;
      }
    }
    std::size_t start = at;
    // No further back than text may be held for.
    if (match.token->lstrip) start = std::max(blank_from_, at > kLongestPiece ? at - kLongestPiece : 0);
    while (start < at && utf8_continues(all[start])) ++start;
    hand_on(all.substr(begin, start - begin));
    token(match.token->id);
    swallow_ = match.token->rstrip;
    before_ = last_character(match.token->content);
    begin = at = blank_from_ = stop;
  }
  std::size_t keep_from = ended ? all.size() : at;
  if (!ended && trie_->any_lstrip())
    keep_from = std::max(blank_from_, at > kLongestPiece ? at - kLongestPiece : 0);
  keep_from = std::max(keep_from, begin);
  while (keep_from < at && utf8_continues(all[keep_from])) ++keep_from;
  hand_on(all.substr(begin, keep_from - begin));
  held_.erase(0, keep_from);
  scanned_ = ended ? 0 : at - keep_from;
  blank_from_ = ended ? 0 : blank_from_ > keep_from ? blank_from_ - keep_from : 0;
}

void AddedTokens::save(Archive& group) const {
  group.set("held", held_);
  group.set("before", before_);
  group.set("scanned", static_cast<std::int64_t>(scanned_));
  group.set("blank_from", static_cast<std::int64_t>(blank_from_));
  group.set("open", open_);
  group.set("swallow", swallow_);
  InnerStage::save(group);
}

void AddedTokens::load(const Archive& group) {
  held_ = group.get<std::string>("held");
  before_ = group.get<std::string>("before");
  const auto scanned = group.get<std::int64_t>("scanned"), blank_from = group.get<std::int64_t>("blank_from");
  if (scanned < 0 || blank_from < 0 || blank_from > scanned ||
      scanned > static_cast<std::int64_t>(held_.size()))
    throw bad_data("'scanned' is no state of a tokenizer");
  scanned_ = static_cast<std::size_t>(scanned);
  blank_from_ = static_cast<std::size_t>(blank_from);
  open_ = group.get<bool>("open");
  swallow_ = group.get<bool>("swallow");
  InnerStage::load(group);
}

}  // namespace stream::llm
