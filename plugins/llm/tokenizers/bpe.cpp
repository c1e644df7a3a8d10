#include "llm/tokenizers/bpe.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <queue>

#include "llm/tokenizers/json_entry.hpp"
#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr std::uint32_t kByteSymbol = 0x110000;  ///< behind all code points
constexpr std::uint32_t kUnknownSymbol = kByteSymbol + 256;

std::uint64_t pair_of(std::uint32_t left, std::uint32_t right) { return std::uint64_t{left} << 32 | right; }

std::string byte_token(unsigned byte) {
  char text[8];
  std::snprintf(text, sizeof text, "<0x%02X>", byte);
  return text;
}

/// Refuses what would change the tokens and is not done here.
void expect_unset(const Object& entry, const char* name) {
  const Value* value = optional_member(entry, name);
  if (value == nullptr || (value->is_string() && value->as_string().empty()) ||
      (value->is_number() && value->as_double() == 0))
    return;
  throw bad_data("BPE: '" + std::string(name) + "' is set, which is not supported");
}

}  // namespace

Bpe::Bpe(const Object& entry, const TokenizerFile& file) {
  for (const char* name : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    expect_unset(entry, name);
  if (!file.has_vocabulary) member(entry, "vocab").as_object();
  if (!file.has_merges) member(entry, "merges").as_array();
  read_vocabulary(file);
  fuse_unknown_ = flag(entry, "fuse_unk", false);
  ignore_merges_ = flag(entry, "ignore_merges", false);
  if (const Value* unknown = optional_member(entry, "unk_token")) {
    unknown_text_ = unknown->as_string();
    const auto found = vocabulary_.find(unknown_text_);
    if (found == vocabulary_.end())
      throw bad_data("BPE: unk_token '" + unknown_text_ + "' is not in the vocabulary");
    unknown_ = found->second;
  }
  if (flag(entry, "byte_fallback", false)) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto found = vocabulary_.find(byte_token(byte));
      if (found == vocabulary_.end())
        throw bad_data("BPE: byte_fallback needs the token '" + byte_token(byte) +
                       "', which is not in the vocabulary");
      bytes_.push_back(found->second);
    }
  }
  std::uint32_t rank = 0;
  for (const auto& [left, right] : file.merges) {
    try {
      read_merge(left, right, rank++);
    } catch (const Error& e) {
      throw e.within("BPE: merge " + std::to_string(rank - 1));
    }
  }
}

void Bpe::read_vocabulary(const TokenizerFile& file) {
  for (const auto& [token, id] : file.vocabulary) {
    if (id < 0 || id >= std::numeric_limits<TokenId>::max())
      throw bad_data("BPE: token '" + token + "' has the id " + std::to_string(id));
    vocabulary_.insert_or_assign(token, static_cast<TokenId>(id));
    longest_ = std::max(longest_, token.size());
  }
}

void Bpe::read_merge(const std::string& left, const std::string& right, std::uint32_t rank) {
  const auto id_of = [&](const std::string& token) {
    const auto found = vocabulary_.find(token);
    if (found == vocabulary_.end()) throw bad_data("'" + token + "' is not in the vocabulary");
    return found->second;
  };
  if (left.empty() || right.empty()) throw bad_data("one of its tokens is empty");
  // One after the other: the first that is missing is the one to name.
  const auto first = static_cast<std::uint32_t>(id_of(left));
  const auto second = static_cast<std::uint32_t>(id_of(right));
  merges_[pair_of(first, second)] = {rank, id_of(left + right)};
  for (const std::uint32_t l : edge(left, true))
    for (const std::uint32_t r : edge(right, false)) joins_.insert(pair_of(l, r));
}

std::vector<std::uint32_t> Bpe::edge(const std::string& token, bool last) const {
  std::vector<std::uint32_t> symbols{code_point(last ? last_character(token) : first_character(token))};
  if (token == unknown_text_) symbols.push_back(kUnknownSymbol);
  if (!bytes_.empty() && token.size() == 6 && token.starts_with("<0x"))
    for (unsigned byte = 0; byte < 256; ++byte)
      if (token == byte_token(byte)) symbols.push_back(kByteSymbol + byte);
  return symbols;
}

std::optional<std::uint32_t> Bpe::symbol_at(std::string_view character, bool last) const {
  if (vocabulary_.contains(character)) return code_point(character);
  if (!bytes_.empty())
    return kByteSymbol + static_cast<unsigned char>(last ? character.back() : character.front());
  if (unknown_) return kUnknownSymbol;
  return std::nullopt;
}

bool Bpe::joins(std::string_view left, std::string_view right) const {
  const auto l = symbol_at(left, true), r = symbol_at(right, false);
  // A character that is left out brings its neighbours together.
  if (!l || !r) return true;
  if (*l == kUnknownSymbol && *r == kUnknownSymbol && fuse_unknown_) return true;
  return joins_.contains(pair_of(*l, *r));
}

const Bpe::Merge* Bpe::merge_of(TokenId left, TokenId right) const {
  const auto found =
      merges_.find(pair_of(static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(right)));
  return found == merges_.end() ? nullptr : &found->second;
}

void Bpe::symbols_of(std::string_view word, std::vector<TokenId>& ids) const {
  bool unknown_before = false;
  for (std::size_t at = 0; at < word.size();) {
    const std::string_view character = word.substr(at, utf8_size(word[at]));
    at += character.size();
    const auto found = vocabulary_.find(character);
    const bool known = found != vocabulary_.end() || !bytes_.empty();
    if (found != vocabulary_.end()) {
      ids.push_back(found->second);
    } else if (!bytes_.empty()) {
      for (const char byte : character) ids.push_back(bytes_[static_cast<unsigned char>(byte)]);
    } else if (unknown_ && !(unknown_before && fuse_unknown_)) {
      ids.push_back(*unknown_);
    }
    unknown_before = !known;
  }
}

void Bpe::encode(std::string_view word, bool whole, std::vector<TokenId>& ids) const {
  if (whole && ignore_merges_) {
    if (const auto found = vocabulary_.find(word); found != vocabulary_.end()) {
      ids.push_back(found->second);
      return;
    }
  }
  struct Symbol {
    TokenId id;
    int prev, next;
    bool gone = false;
  };
  struct Candidate {
    std::uint32_t rank;
    int at;
    TokenId id;
    bool operator<(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  std::vector<TokenId> initial;
  symbols_of(word, initial);
  const int size = static_cast<int>(initial.size());
  std::vector<Symbol> symbols;
  symbols.reserve(initial.size());
  for (int i = 0; i < size; ++i)
    symbols.push_back({initial[static_cast<std::size_t>(i)], i - 1, i + 1 < size ? i + 1 : -1});
  const auto at = [&](int i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  std::priority_queue<Candidate> queue;
  const auto consider = [&](int left) {
    if (left < 0 || at(left).next < 0) return;
    if (const Merge* merge = merge_of(at(left).id, at(at(left).next).id))
      queue.push({merge->rank, left, merge->id});
  };
  for (int i = 0; i + 1 < size; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = at(top.at);
    if (left.gone || left.next < 0) continue;
    Symbol& right = at(left.next);
    const Merge* merge = merge_of(left.id, right.id);
    if (merge == nullptr || merge->id != top.id) continue;  // one of the two has been merged since
    left.id = top.id;
    right.gone = true;
    left.next = right.next;
    if (left.next >= 0) at(left.next).prev = top.at;
    consider(left.prev);
    consider(top.at);
  }
  for (const Symbol& symbol : symbols)
    if (!symbol.gone) ids.push_back(symbol.id);
}

void BpeWords::text(std::string_view utf8) {
  word_.append(utf8);
  // Words of a sensible length end soon: they are not worth looking at.
  if (prompt_ || word_.size() > 256) cut();
}

void BpeWords::cut() {
  while (examined_ < word_.size()) {
    const std::string_view character = first_character(std::string_view(word_).substr(examined_));
    if (examined_ > 0 &&
        (examined_ - safe_ >= kLongestPiece ||
         !model_->joins(last_character(std::string_view(word_).substr(0, examined_)), character)))
      safe_ = examined_;
    examined_ += character.size();
  }
  // A word that is a token as a whole is not merged; this one may still be.
  if (safe_ == 0 || (model_->ignores_merges() && !continued_ && word_.size() <= model_->longest())) return;
  model_->encode(std::string_view(word_).substr(0, safe_), false, **out_);
  word_.erase(0, safe_);
  examined_ -= safe_;
  safe_ = 0;
  continued_ = true;
}

void BpeWords::end() {
  if (!word_.empty()) model_->encode(word_, !continued_, **out_);
  word_.clear();
  examined_ = safe_ = 0;
  continued_ = false;
}

void BpeWords::save(Archive& group) const {
  group.set("word", word_);
  group.set("continued", continued_);
}

void BpeWords::load(const Archive& group) {
  word_ = group.get<std::string>("word");
  continued_ = group.get<bool>("continued");
  examined_ = safe_ = 0;
}

}  // namespace stream::llm
