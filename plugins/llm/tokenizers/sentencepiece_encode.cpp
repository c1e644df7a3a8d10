#include <algorithm>
#include <queue>

#include "llm/tokenizers/sentencepiece_words.hpp"
#include "llm/tokenizers/utf8.hpp"

namespace stream::llm {
namespace {

constexpr float kUnknownPenalty = 10;

/// Puts what is in no piece as bytes, or as one unknown piece for a whole run.
class IdWriter {
 public:
  IdWriter(const SentencePieceModel& model, std::vector<TokenId>& ids) : model_(model), ids_(ids) {}
  void put(TokenId id, std::string_view text) {
    const bool unknown = id == model_.unknown;
    if (unknown && model_.byte_fallback) {
      for (const char byte : text) ids_.push_back(model_.bytes[static_cast<unsigned char>(byte)]);
    } else if (!unknown || !unknown_before_) {
      ids_.push_back(id);
    }
    unknown_before_ = unknown;
  }

 private:
  const SentencePieceModel& model_;
  std::vector<TokenId>& ids_;
  bool unknown_before_ = false;
};

TokenId id_of(const SentencePieceModel& model, std::string_view text) {
  if (const auto found = model.reserved.find(text); found != model.reserved.end()) return found->second;
  if (const auto found = model.ids.find(text); found != model.ids.end()) return found->second;
  return model.unknown;
}

}  // namespace

/// Viterbi's algorithm over all ways to cut, from left to right (Kudo 2018).
void encode_unigram(const SentencePieceModel& model, std::string_view text, float& sum,
                    std::vector<TokenId>& ids) {
  struct Node {
    float best = 0;
    std::size_t begin = 0;
    TokenId id = -1;  ///< -1: not reached
  };
  std::vector<Node> ends(text.size() + 1);
  ends[0].best = sum;
  const float unknown_score = model.lowest - kUnknownPenalty;
  for (std::size_t begin = 0; begin < text.size();) {
    const float here = ends[begin].best;
    const std::size_t character = utf8_size(text[begin]);
    const auto reach = [&](std::size_t end, TokenId id, double candidate) {
      Node& node = ends[end];
      if (node.id < 0 || candidate > node.best) node = {static_cast<float>(candidate), begin, id};
    };
    bool single = false;
    PieceIndex::Cursor cursor(model.index);
    for (std::size_t end = begin; end < text.size() && cursor.step(text[end]);) {
      ++end;
      const TokenId id = cursor.found();
      if (id < 0) continue;
      const SentencePiece& piece = model.pieces[static_cast<std::size_t>(id)];
      if (piece.type == PieceType::kUnused) continue;
      // In double, and rounded when kept: as the reference does, or equals would be told apart elsewhere.
      // What the user defines is always chosen.
      const auto length = static_cast<float>(end - begin);
      reach(end, id,
            here +
                (piece.type == PieceType::kUserDefined ? length * model.highest - 0.1 : double{piece.score}));
      single = single || end - begin == character;
    }
    if (!single) reach(begin + character, model.unknown, unknown_score + here);
    begin += character;
  }
  sum = ends[text.size()].best;
  std::vector<std::size_t> path;
  for (std::size_t end = text.size(); end > 0; end = ends[end].begin) path.push_back(end);
  IdWriter writer(model, ids);
  for (auto end = path.rbegin(); end != path.rend(); ++end)
    writer.put(ends[*end].id, text.substr(ends[*end].begin, *end - ends[*end].begin));
}

/// Neighbours whose concatenation has the highest score are merged, the leftmost of equals first.
void encode_bpe(const SentencePieceModel& model, std::string_view text, std::vector<TokenId>& ids) {
  struct Symbol {
    std::string_view text;  ///< empty: merged into another
    int prev, next;
    bool frozen;
  };
  struct Candidate {
    float score;
    int left, right;
    std::size_t size;
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };
  std::vector<Symbol> symbols;
  for (std::string_view rest = text; !rest.empty();) {
    const auto match = model.user_defined.longest(rest);
    const std::size_t size = match.number >= 0 ? match.size : utf8_size(rest[0]);
    const int index = static_cast<int>(symbols.size());
    symbols.push_back(
        {rest.substr(0, size), index - 1, size < rest.size() ? index + 1 : -1, match.number >= 0});
    rest.remove_prefix(size);
  }
  const auto at = [&](int i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  std::priority_queue<Candidate> queue;
  StringMap<std::size_t> halves;  ///< of unused pieces that were made: they come apart again at the end
  const auto consider = [&](int left, int right) {
    if (left < 0 || right < 0 || at(left).frozen || at(right).frozen) return;
    const std::size_t size = at(left).text.size() + at(right).text.size();
    if (size > model.longest) return;
    const std::string_view both(at(left).text.data(), size);
    const auto found = model.ids.find(both);
    if (found == model.ids.end()) return;
    const SentencePiece& piece = model.pieces[static_cast<std::size_t>(found->second)];
    queue.push({piece.score, left, right, size});
    if (piece.type == PieceType::kUnused) halves.insert_or_assign(std::string(both), at(left).text.size());
  };
  for (int i = 0; i + 1 < static_cast<int>(symbols.size()); ++i) consider(i, i + 1);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol &left = at(top.left), &right = at(top.right);
    if (left.text.empty() || right.text.empty() || left.text.size() + right.text.size() != top.size) continue;
    left.text = std::string_view(left.text.data(), top.size);
    left.next = right.next;
    if (right.next >= 0) at(right.next).prev = top.left;
    right.text = {};
    consider(left.prev, top.left);
    consider(top.left, left.next);
  }
  IdWriter writer(model, ids);
  std::vector<std::string_view> apart;
  for (const Symbol& symbol : symbols) {
    if (symbol.text.empty()) continue;
    apart.push_back(symbol.text);
    while (!apart.empty()) {
      const std::string_view part = apart.back();
      apart.pop_back();
      const TokenId id = id_of(model, part);
      const auto half = halves.find(part);
      if (half == halves.end() || model.pieces[static_cast<std::size_t>(id)].type != PieceType::kUnused) {
        writer.put(id, part);
      } else {
        apart.push_back(part.substr(half->second));
        apart.push_back(part.substr(0, half->second));
      }
    }
  }
}

}  // namespace stream::llm
