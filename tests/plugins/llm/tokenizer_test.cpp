#include "llm/tokenizer.hpp"

#include <gmock/gmock.h>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

TEST(ByteTokenizer, EveryByteIsItsNumber) {
  const auto tokenizer = byte_tokenizer();
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const auto ids = tokenizer->encode(all);
  ASSERT_EQ(ids.size(), 256u);
  for (int i = 0; i < 256; ++i) EXPECT_EQ(ids[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(tokenizer->decode(ids), all);
  EXPECT_EQ(tokenizer->decode({kByteBegin, 'a', kByteEnd}), "a");
  EXPECT_THROW(tokenizer->decode({258}), Error);
  EXPECT_THROW(tokenizer->decode({-1}), Error);
}

TEST(ModelTokenizer, MustFitTheModel) {
  LanguageModel model;
  model.config.vocabulary = 258;
  EXPECT_EQ(tokenizer_of(model), nullptr);
  model.tokenizer_kind = "bytes";
  EXPECT_NE(tokenizer_of(model), nullptr);
  model.config.vocabulary = 257;
  EXPECT_THROW(tokenizer_of(model), Error);
  model.tokenizer_kind = "byte";
  try {
    tokenizer_of(model);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("did you mean 'bytes'"));
  }
}

}  // namespace
}  // namespace stream::llm
