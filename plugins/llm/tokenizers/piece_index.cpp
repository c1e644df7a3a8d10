#include "llm/tokenizers/piece_index.hpp"

#include <algorithm>

namespace stream::llm {

PieceIndex::PieceIndex(std::vector<std::pair<std::string, std::int32_t>> pieces)
    : pieces_(std::move(pieces)) {
  std::erase_if(pieces_, [](const auto& piece) { return piece.first.empty(); });
  std::stable_sort(pieces_.begin(), pieces_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  pieces_.erase(std::unique(pieces_.begin(), pieces_.end(),
                            [](const auto& a, const auto& b) { return a.first == b.first; }),
                pieces_.end());
}

bool PieceIndex::Cursor::step(char byte) {
  // std::string compares bytes as unsigned, and so does this.
  const auto of = [&](std::size_t i) {
    const std::string& piece = index_->pieces_[i].first;
    return depth_ < piece.size() ? int{static_cast<unsigned char>(piece[depth_])} : -1;
  };
  const int wanted = static_cast<unsigned char>(byte);
  const auto first = [&](int value) {  // in [begin_, end_), the first whose byte is not below `value`
    std::size_t low = begin_, high = end_;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (of(middle) < value)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  };
  const std::size_t begin = first(wanted);
  if (begin == end_ || of(begin) != wanted) return false;
  end_ = first(wanted + 1);
  begin_ = begin;
  ++depth_;
  return true;
}

std::int32_t PieceIndex::Cursor::found() const {
  if (begin_ == end_ || index_->pieces_[begin_].first.size() != depth_) return -1;
  return index_->pieces_[begin_].second;
}

PieceIndex::Match PieceIndex::longest(std::string_view text) const {
  Match best{-1, 0, false};
  Cursor cursor(*this);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!cursor.step(text[i])) return best;
    if (const std::int32_t number = cursor.found(); number >= 0) best = {number, i + 1, false};
  }
  best.open = cursor.open();
  return best;
}

}  // namespace stream::llm
