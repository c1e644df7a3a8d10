/// BERT's tokens (Devlin et al., NAACL 2019, section 3; WordPiece: Wu et al., arXiv 1609.08144, section 4.1):
/// the longest pieces of a vocabulary that make up each word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stream::products {

class WordPieces {
 public:
  /// `pieces`: of vocab.txt, by number; those that go on a word begin with "##". Throws Error(kBadData) when
  /// [UNK], [CLS] or [SEP] is not among them or one is there twice.
  explicit WordPieces(std::vector<std::string> pieces);
  WordPieces(WordPieces&&) = default;
  WordPieces(const WordPieces&) = delete;
  WordPieces& operator=(const WordPieces&) = delete;
  /// One piece to a line. Throws Error(kNoInput), Error(kBadData) that name the file.
  static WordPieces read(const std::string& path);
  /// [CLS], the pieces of the text, [SEP]: `length` tokens at the most. Text is lowered and loses its
  /// accents; control characters go; a sign of Chinese script or of punctuation is a word. What is no UTF-8
  /// becomes U+FFFD.
  std::vector<std::int64_t> tokens_of(std::string_view text, std::int64_t length) const;
  const std::vector<std::string>& pieces() const { return pieces_; }

 private:
  void add_word(std::string_view word, std::vector<std::int64_t>& into) const;
  std::vector<std::string> pieces_;
  std::unordered_map<std::string_view, std::int64_t> numbers_;  ///< views of pieces_
  std::int64_t unknown_ = 0, class_ = 0, end_ = 0;
};

}  // namespace stream::products
