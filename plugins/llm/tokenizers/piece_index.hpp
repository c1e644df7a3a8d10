/// Strings that begin at a place of a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stream::llm {

/// A set of strings, each with a number, that can be followed byte by byte.
class PieceIndex {
 public:
  PieceIndex() = default;
  /// Of two equal strings the first counts. Empty ones are left out.
  explicit PieceIndex(std::vector<std::pair<std::string, std::int32_t>> pieces);
  bool empty() const { return pieces_.empty(); }

  /// The strings that begin with what has been read.
  class Cursor {
   public:
    explicit Cursor(const PieceIndex& index) : index_(&index), end_(index.pieces_.size()) {}
    /// False when no string goes on like that.
    bool step(char byte);
    /// The number of the string that is exactly what has been read, or -1.
    std::int32_t found() const;
    /// A string is longer than what has been read.
    bool open() const { return end_ - begin_ > (found() >= 0 ? 1u : 0u); }

   private:
    const PieceIndex* index_;
    std::size_t begin_ = 0, end_, depth_ = 0;
  };

  struct Match {
    std::int32_t number;  ///< -1: none
    std::size_t size;
    bool open;  ///< the text ends where a longer one could go on
  };
  Match longest(std::string_view text) const;

 private:
  std::vector<std::pair<std::string, std::int32_t>> pieces_;  ///< sorted
};

}  // namespace stream::llm
