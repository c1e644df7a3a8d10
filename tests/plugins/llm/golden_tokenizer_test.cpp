/// Tokenizers against what the reference libraries gave: tests/golden/tokenizers/make_*.py wrote what is
/// expected.
#include <gtest/gtest.h>

#include "tokenizer_goldens.hpp"

namespace stream::llm {
namespace {

class GoldenTokenizer : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenTokenizer, GivesTheIdsAndTextsOfTheReference) {
  const auto tokenizer = golden_tokenizer(GetParam());
  const auto strings = golden_strings();
  const Expected expected(GetParam());
  if (const auto* chain = dynamic_cast<const ChainTokenizer*>(tokenizer.get())) {
    EXPECT_EQ(chain->before(), expected.before);
    EXPECT_EQ(chain->after(), expected.after);
  }
  ASSERT_GE(strings.size(), 300u);
  ASSERT_EQ(expected.ids.size(), strings.size());
  for (std::size_t i = 0; i < strings.size(); ++i) {
    EXPECT_EQ(tokenizer->encode(strings[i]), expected.ids[i]) << Value(strings[i]).dump();
    EXPECT_EQ(tokenizer->decode(expected.ids[i]), expected.decoded[i]) << Value(strings[i]).dump();
  }
}

TEST_P(GoldenTokenizer, NeitherCutsNorStopsChangeAnything) {
  const auto tokenizer = golden_tokenizer(GetParam());
  const auto strings = golden_strings();
  const Expected expected(GetParam());
  Random random(17);
  for (std::size_t i = 0; i < strings.size(); ++i) {
    for (int round = 0; round < 3; ++round) {
      ASSERT_EQ(encode_in_pieces(*tokenizer, strings[i], random), expected.ids[i])
          << Value(strings[i]).dump();
    }
    ASSERT_EQ(decode_in_pieces(*tokenizer, expected.ids[i]), expected.decoded[i]) << Value(strings[i]).dump();
  }
}

TEST_P(GoldenTokenizer, InvalidBytesAreReplacedWhereverTheTextIsCut) {
  const auto tokenizer = golden_tokenizer(GetParam());
  const std::string r = "\xEF\xBF\xBD";
  for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{
           {"a\xff z", "a" + r + " z"},
           {"\xe6\x97\xe6\x97\xa5", r + "\xe6\x97\xa5"},  // an unfinished character in front of a whole one
           {"\xed\xa0\x80", r + r + r},                   // a surrogate
           {"\xc0\xaf", r + r},                           // an overlong slash
           {"\xf0\x9f\x98", r},                           // cut short by the end
           {"\xf4\x90\x80\x80 \x80",
            r + r + r + r + " " + r}  // above U+10FFFF, and a byte that only continues
       }) {
    Random random(3);
    EXPECT_EQ(tokenizer->encode(bytes), tokenizer->encode(text));
    for (int round = 0; round < 10; ++round)
      EXPECT_EQ(encode_in_pieces(*tokenizer, bytes, random), tokenizer->encode(text));
  }
}

/// Letters, blanks or marks without an end, in pieces of a hundred bytes: no time grows with the square.
TEST_P(GoldenTokenizer, WordsWithoutAnEnd) {
  const auto tokenizer = golden_tokenizer(GetParam());
  for (const std::string unit : {"a", "stream", " ", "\xcc\x81", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "!"}) {
    std::string text;
    while (text.size() < 200'000) text += unit;
    const auto whole = tokenizer->encode(text);
    std::vector<TokenId> ids;
    const auto encoder = tokenizer->encoder();
    for (std::size_t at = 0; at < text.size(); at += 100)
      encoder->push(std::string_view(text).substr(at, 100), ids);
    encoder->finish(ids);
    EXPECT_EQ(ids, whole) << unit;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, GoldenTokenizer,
                         ::testing::Values("gpt2", "gpt_neox", "llama3", "qwen2", "llama2", "mistral",
                                           "metaspace", "folded", "splits", "spm_llama", "spm_bpe",
                                           "spm_unigram", "spm_unigram_bytes", "spm_unigram_plain"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace stream::llm
