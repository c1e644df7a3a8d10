#include "products/word_pieces.hpp"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream::products {

namespace {

constexpr std::uint64_t kLargestVocabulary = 100'000'000;
/// A longer word is unknown, as in the reference.
constexpr std::size_t kLongestWord = 100;

bool chinese(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool punctuation(UChar32 c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126) ||
         u_ispunct(c);
}

bool blank(UChar32 c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || u_charType(c) == U_SPACE_SEPARATOR;
}

/// Control, format, private and unassigned characters, and the replacement of what could not be read.
bool dropped(UChar32 c) {
  switch (u_charType(c)) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_PRIVATE_USE_CHAR:
    case U_SURROGATE:
    case U_UNASSIGNED:
      return true;
    default:
      return c == 0 || c == 0xFFFD;
  }
}

icu::UnicodeString lowered(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  if (U_FAILURE(status)) throw bad_data(std::string("Unicode's normalisation: ") + u_errorName(status));
  auto whole = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(std::min<std::size_t>(text.size(), 1 << 24))));
  return nfd->normalize(whole.toLower(icu::Locale::getRoot()), status);
}

}  // namespace

WordPieces::WordPieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    if (!numbers_.emplace(pieces_[i], static_cast<std::int64_t>(i)).second)
      throw bad_data("the piece '" + pieces_[i] + "' is there twice, the second time as number " +
                     std::to_string(i));
  const auto special = [&](const char* piece) {
    const auto at = numbers_.find(piece);
    if (at == numbers_.end()) throw bad_data(std::string("the vocabulary lacks ") + piece);
    return at->second;
  };
  unknown_ = special("[UNK]"), class_ = special("[CLS]"), end_ = special("[SEP]");
}

WordPieces WordPieces::read(const std::string& path) {
  const std::string text = read_file(path, kLargestVocabulary);
  std::vector<std::string> pieces;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    pieces.push_back(text.substr(begin, end - begin));
    if (!pieces.back().empty() && pieces.back().back() == '\r') pieces.back().pop_back();
    begin = end + 1;
  }
  try {
    return WordPieces(std::move(pieces));
  } catch (const Error& e) {
    throw e.within(path);
  }
}

void WordPieces::add_word(std::string_view word, std::vector<std::int64_t>& into) const {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  if (static_cast<std::size_t>(std::count_if(word.begin(), word.end(), begins)) > kLongestWord) {
    into.push_back(unknown_);
    return;
  }
  const std::size_t before = into.size();
  for (std::size_t begin = 0; begin < word.size();) {
    std::size_t end = word.size();
    for (; end > begin; --end) {
      if (end < word.size() && !begins(word[end])) continue;
      const std::string piece = (begin > 0 ? "##" : "") + std::string(word.substr(begin, end - begin));
      if (const auto at = numbers_.find(piece); at != numbers_.end()) {
        into.push_back(at->second);
        break;
      }
    }
    if (end == begin) {  // one part that is not known makes the word unknown
      into.resize(before);
      into.push_back(unknown_);
      return;
    }
    begin = end;
  }
}

std::vector<std::int64_t> WordPieces::tokens_of(std::string_view text, std::int64_t length) const {
  std::vector<std::int64_t> out{class_};
  const icu::UnicodeString all = lowered(text);
  icu::UnicodeString word;
  const auto finish = [&] {
    if (!word.isEmpty()) {
      std::string utf8;
      add_word(word.toUTF8String(utf8), out);
    }
    word.remove();
  };
  for (std::int32_t i = 0; i < all.length() && static_cast<std::int64_t>(out.size()) < length;
       i = all.moveIndex32(i, 1)) {
    const UChar32 c = all.char32At(i);
    if (blank(c)) {
      finish();
    } else if (chinese(c) || punctuation(c)) {
      finish();
      word.append(c);
      finish();
    } else if (!dropped(c) && u_charType(c) != U_NON_SPACING_MARK) {
      word.append(c);
    }
  }
  finish();
  out.resize(static_cast<std::size_t>(
      std::min<std::int64_t>(static_cast<std::int64_t>(out.size()), std::max<std::int64_t>(1, length - 1))));
  if (static_cast<std::int64_t>(out.size()) < length) out.push_back(end_);
  return out;
}

}  // namespace stream::products
