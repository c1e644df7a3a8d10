#include "llm/passkey_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr std::array<const char*, 26> kAlphabet{
    "alpha",  "bravo", "charlie", "delta",  "echo",     "foxtrot", "golf",   "hotel",  "india",
    "juliet", "kilo",  "lima",    "mike",   "november", "oscar",   "papa",   "quebec", "romeo",
    "sierra", "tango", "uniform", "victor", "whiskey",  "x-ray",   "yankee", "zulu"};
constexpr std::int64_t kDepths = 1000;  // evenly spaced, from which those of the needles are drawn

/// 0 -> "first", 20 -> "21st".
std::string ordinal(std::int64_t i) {
  constexpr std::array<const char*, 10> kFirst{"first", "second",  "third",  "fourth", "fifth",
                                               "sixth", "seventh", "eighth", "ninth",  "tenth"};
  if (i < 10) return kFirst[static_cast<std::size_t>(i)];
  const std::int64_t n = i + 1, last = n % 10;
  const bool teen = n % 100 >= 11 && n % 100 <= 13;
  const char* const end = teen || last == 0 || last > 3 ? "th" : last == 1 ? "st" : last == 2 ? "nd" : "rd";
  return std::to_string(n) + end;
}

}  // namespace

PasskeyText::PasskeyText(std::shared_ptr<const Tokenizer> tokenizer, TokenId begin, PasskeyShape shape)
    : tokenizer_(std::move(tokenizer)), begin_(begin), shape_(shape) {
  if (shape_.passkeys < 1 || shape_.passkeys > kDepths || shape_.words < 1)
    throw bad_recipe(std::to_string(shape_.passkeys) + " passkeys of " + std::to_string(shape_.words) +
                     " words, expected 1 to " + std::to_string(kDepths) + " of at least 1");
  head_ = tokenizer_->encode("Below is a book. Remember the passkeys that are hidden in it.\n<book>\n");
  foot_ = tokenizer_->encode("\n</book>\n");
  if (begin_ >= 0) head_.insert(head_.begin(), begin_);
}

PasskeyText::Needles PasskeyText::draw(Random& random) const {
  Needles out;
  out.tokens = static_cast<std::int64_t>(head_.size() + foot_.size());
  std::set<std::uint64_t> depths;
  while (static_cast<std::int64_t>(depths.size()) < shape_.passkeys) depths.insert(random.below(kDepths));
  for (const std::uint64_t d : depths)
    out.depths.push_back(0.05 + 0.9 * static_cast<double>(d) / static_cast<double>(kDepths - 1));
  for (std::int64_t i = 0; i < shape_.passkeys; ++i) {
    std::string words;
    for (std::int64_t w = 0; w < shape_.words; ++w)
      words.append(w > 0 ? " " : "").append(kAlphabet[random.below(kAlphabet.size())]);
    const std::string which = ordinal(i) + " passkey to the vault";
    out.needles.push_back(tokenizer_->encode("\nThis is the " + which + ": " + words + "\n"));
    out.questions.push_back(tokenizer_->encode("What is the " + which + "? It is: "));
    out.answers.push_back(tokenizer_->encode(words + "\n"));
    out.tokens += static_cast<std::int64_t>(out.needles.back().size() + out.questions.back().size() +
                                            out.answers.back().size());
  }
  return out;
}

PasskeySample PasskeyText::place(const Needles& n, std::span<const TokenId> haystack) const {
  PasskeySample out;
  const auto put = [&](std::span<const TokenId> tokens, bool label) {
    out.tokens.insert(out.tokens.end(), tokens.begin(), tokens.end());
    out.labels.insert(out.labels.end(), tokens.size(), label);
  };
  put(head_, false);
  std::size_t at = 0;
  for (std::size_t i = 0; i < n.needles.size(); ++i) {
    const auto depth =
        static_cast<std::size_t>(std::floor(n.depths[i] * static_cast<double>(haystack.size())));
    put(haystack.subspan(at, depth - at), false);
    put(n.needles[i], false);
    at = depth;
  }
  put(haystack.subspan(at), false);
  put(foot_, false);
  for (std::size_t i = 0; i < n.questions.size(); ++i) {
    put(n.questions[i], shape_.tail);
    put(n.answers[i], true);
  }
  return out;
}

}  // namespace stream::llm
