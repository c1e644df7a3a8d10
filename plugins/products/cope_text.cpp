#include "products/cope_text.hpp"

#include <string>

#include "stream/random.hpp"

namespace stream::products {

std::vector<std::int64_t> tokens_of(std::string_view text, std::int64_t vocabulary, std::int64_t length) {
  std::vector<std::int64_t> out{kStart};
  std::string word;
  const auto finish = [&] {
    if (!word.empty() && static_cast<std::int64_t>(out.size()) < length)
      out.push_back(
          2 + static_cast<std::int64_t>(stable_hash(word) % static_cast<std::uint64_t>(vocabulary - 2)));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto u = static_cast<unsigned char>(c);
    if (u >= 0xE3 && u <= 0xED && i + 2 < text.size()) {  // Chinese, Japanese, Korean: each sign is a word
      finish();
      word = text.substr(i, 3);
      finish();
      i += 2;
      continue;
    }
    if (u >= 'A' && u <= 'Z')
      word += static_cast<char>(u - 'A' + 'a');
    else if ((u >= 'a' && u <= 'z') || (u >= '0' && u <= '9') || u >= 0x80)
      word += c;
    else
      finish();
    if (static_cast<std::int64_t>(out.size()) >= length) return out;
  }
  finish();
  return out;
}

}  // namespace stream::products
