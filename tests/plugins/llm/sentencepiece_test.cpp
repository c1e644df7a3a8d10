/// tokenizer.model: side by side with libsentencepiece on random strings, long texts, and damaged files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include "stream/error.hpp"
#include "tokenizer_goldens.hpp"

namespace stream::llm {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kModels{"spm_llama", "spm_bpe", "spm_unigram", "spm_unigram_bytes",
                                       "spm_unigram_plain"};

std::string file_of(const std::string& name) {
  return testing::contents(golden_tokenizers() / (name + ".model"));
}

/// Golden strings cut into characters and put together anew.
std::string random_string(const std::vector<std::string>& characters, std::size_t size, Random& random) {
  std::string out;
  while (size-- > 0) {
    const std::string& c = characters[random.below(characters.size())];
    // Runs, as in words: a few characters that come again.
    for (std::uint64_t n = random.below(8) == 0 ? random.below(6) : 1; n > 0; --n) out += c;
  }
  return out;
}

std::vector<std::string> characters_of(const std::vector<std::string>& strings) {
  std::vector<std::string> out;
  for (const std::string& s : strings) {
    for (std::size_t at = 0; at < s.size();) {
      std::size_t end = at + 1;
      while (end < s.size() && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) ++end;
      // The library takes a NUL, but its own interface for strings ends there.
      if (s[at] != '\0') out.push_back(s.substr(at, end - at));
      at = end;
    }
  }
  return out;
}

class SentencePieceModels : public ::testing::TestWithParam<std::string> {};

TEST_P(SentencePieceModels, GiveWhatTheLibraryGives) {
  const auto tokenizer = golden_tokenizer(GetParam());
  sentencepiece::SentencePieceProcessor library;
  ASSERT_TRUE(library.LoadFromSerializedProto(file_of(GetParam())).ok());
  ASSERT_EQ(tokenizer->size(), library.GetPieceSize());
  const auto characters = characters_of(golden_strings());
  Random random(23);
  for (int round = 0; round < 4000; ++round) {
    const std::string text = random_string(characters, random.below(round % 100 == 0 ? 2000 : 40), random);
    std::vector<int> ids;
    ASSERT_TRUE(library.Encode(text, &ids).ok());
    ASSERT_EQ(tokenizer->encode(text), ids) << Value(text).dump();
    if (round % 10 == 0) {
      ASSERT_EQ(encode_in_pieces(*tokenizer, text, random), ids) << Value(text).dump();
    }
    // What a model says need not be what an encoder gives.
    for (int& id : ids)
      if (random.below(4) == 0)
        id = static_cast<int>(random.below(static_cast<std::uint64_t>(tokenizer->size())));
    std::string decoded;
    ASSERT_TRUE(library.Decode(ids, &decoded).ok());
    ASSERT_EQ(tokenizer->decode(ids), decoded) << ::testing::PrintToString(ids);
  }
}

TEST_P(SentencePieceModels, ALongTextIsTheSameInAnyPieces) {
  const auto tokenizer = golden_tokenizer(GetParam());
  const auto characters = characters_of(golden_strings());
  Random random(29);
  const std::string text = random_string(characters, 30'000, random);
  EXPECT_EQ(encode_in_pieces(*tokenizer, text, random), tokenizer->encode(text));
}

INSTANTIATE_TEST_SUITE_P(Kinds, SentencePieceModels, ::testing::ValuesIn(kModels),
                         [](const auto& info) { return info.param; });

std::string fault(const std::string& file) {
  try {
    read_sentencepiece_tokenizer(file);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    return e.what();
  }
  return "(none)";
}

std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}
std::string number(int field, int value) {
  return std::string{static_cast<char>(0x80 | (field << 3 & 0x7F)), static_cast<char>(field >> 4),
                     static_cast<char>(value)};
}
std::string piece(const std::string& text, int type) {
  return field(1, field(1, text) + std::string{0x18, static_cast<char>(type)});
}

TEST(SentencePiece, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(fault(""), HasSubstr("no piece is the unknown one"));
  EXPECT_EQ(fault(piece("?", 2) + piece("a", 1)), "(none)");
  EXPECT_THAT(fault("{\"model\": {}}"), HasSubstr("offset 0"));
  EXPECT_THAT(fault(piece("?", 2).substr(0, 3)),
              HasSubstr("offset 0: expected a field that ends inside its message"));
  EXPECT_THAT(fault(piece("?", 2) + piece("\xff", 1)), HasSubstr("offset 7: piece 1 is not UTF-8"));
  EXPECT_THAT(fault(piece("?", 2) + piece("a", 9)), HasSubstr("piece 1 is of the unknown type 9"));
  EXPECT_THAT(fault(piece("?", 2) + piece("", 1)), HasSubstr("piece 1 is empty"));
  EXPECT_THAT(fault(piece("?", 2) + piece("a", 1) + piece("a", 1)), HasSubstr("'a' is there twice"));
  EXPECT_THAT(fault(piece("?", 2) + piece("!", 2)), HasSubstr("pieces 0 and 1 are both the unknown one"));
  EXPECT_THAT(fault(piece("?", 2) + field(2, number(3, 3))), HasSubstr("kind 'word'"));
  EXPECT_THAT(fault(piece("?", 2) + field(2, number(3, 7))), HasSubstr("unknown kind 7"));
  EXPECT_THAT(fault(piece("?", 2) + field(2, number(24, 1))), HasSubstr("treat_whitespace_as_suffix"));
  EXPECT_THAT(fault(piece("?", 2) + field(2, number(35, 1))), HasSubstr("'<0x00>'"));
  EXPECT_THAT(fault(piece("?", 2) + field(3, field(2, "abc"))), HasSubstr("character map is cut short"));
  EXPECT_THAT(fault(piece("?", 2) + field(3, field(2, std::string("\x08\0\0\0abcd", 8)))),
              HasSubstr("trie has 8 bytes, of the 4"));
  EXPECT_THAT(fault(piece("?", 2) + field(5, field(2, "abc"))), HasSubstr("denormalizer"));
}

/// The library dies of such files.
TEST(SentencePiece, ADamagedCharacterMapIsRefusedOrHarmless) {
  const std::string file = file_of("spm_unigram");
  const auto strings = golden_strings();
  int refused = 0;
  for (std::uint64_t round = 0; round < 60; ++round) {
    Random random(round);
    std::string damaged = file;
    for (int i = 0; i < 200; ++i)
      damaged[damaged.size() - 200'000 + random.below(150'000)] = static_cast<char>(random());
    try {
      const auto tokenizer = read_sentencepiece_tokenizer(damaged);
      for (const std::string& text : strings) tokenizer->encode(text);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadData);
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(SentencePiece, SpecialTokensAreNoText) {
  const auto tokenizer = golden_tokenizer("spm_llama");
  ASSERT_TRUE(tokenizer->special("<s>"));
  EXPECT_EQ(tokenizer->special("<unk>"), std::nullopt);
  EXPECT_EQ(tokenizer->special("<0x41>"), std::nullopt);
  for (const TokenId id : tokenizer->encode("<s>")) EXPECT_NE(id, tokenizer->special("<s>"));
  EXPECT_EQ(golden_tokenizer("spm_unigram_bytes")->encode("<tool>").back(),
            golden_tokenizer("spm_unigram_bytes")->special("<tool>"));
}

}  // namespace
}  // namespace stream::llm
