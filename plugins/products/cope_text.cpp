#include "products/cope_text.hpp"

#include <string>

#include "stream/random.hpp"

namespace stream::products {

namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// The word, and each three characters of "<word>".
void add_pieces(const std::string& word, bool whole, std::int64_t vocabulary,
                std::vector<std::int64_t>& pieces) {
  const std::size_t most = pieces.size() + kMostPieces;
  const auto add = [&](std::string_view piece, std::uint64_t kind) {
    pieces.push_back(
        2 + static_cast<std::int64_t>(stable_hash(piece, kind) % static_cast<std::uint64_t>(vocabulary - 2)));
  };
  constexpr std::uint64_t kWord = stable_hash("word"), kPart = stable_hash("part");
  add(word, kWord);
  if (whole) return;
  const std::string bounded = '<' + word + '>';
  std::vector<std::size_t> begins;  // of its characters
  for (std::size_t i = 0; i <= bounded.size(); ++i)
    if (i == bounded.size() || begins_character(bounded[i])) begins.push_back(i);
  for (std::size_t i = 0; i + 3 < begins.size() && pieces.size() < most; ++i)
    add(std::string_view(bounded).substr(begins[i], begins[i + 3] - begins[i]), kPart);
}

}  // namespace

TextTokens tokens_of(std::string_view text, std::int64_t vocabulary, std::int64_t length) {
  TextTokens out{{kStart}, {1}};
  std::string word;
  const auto full = [&] { return static_cast<std::int64_t>(out.count()) >= length; };
  const auto finish = [&](bool whole) {
    if (!word.empty() && !full()) {
      add_pieces(word, whole, vocabulary, out.pieces);
      out.ends.push_back(out.pieces.size());
    }
    word.clear();
  };
  for (std::size_t i = 0; i < text.size() && !full(); ++i) {
    const char c = text[i];
    const auto u = static_cast<unsigned char>(c);
    if (u >= 0xE3 && u <= 0xED && i + 2 < text.size()) {  // Chinese, Japanese, Korean: each sign is a word
      finish(false);
      word = text.substr(i, 3);
      finish(true);
      i += 2;
      continue;
    }
    if (u >= 'A' && u <= 'Z')
      word += static_cast<char>(u - 'A' + 'a');
    else if ((u >= 'a' && u <= 'z') || (u >= '0' && u <= '9') || u >= 0x80)
      word += c;
    else
      finish(false);
  }
  finish(false);
  return out;
}

}  // namespace stream::products
