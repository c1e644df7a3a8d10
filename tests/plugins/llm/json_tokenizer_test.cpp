/// tokenizer.json: when tokens come out, and what is refused.
#include "llm/tokenizers/json_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/error.hpp"
#include "tokenizer_goldens.hpp"

namespace stream::llm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(JsonTokenizer, TokensComeAsSoonAsTheyAreCertain) {
  std::vector<TokenId> ids;
  const auto words = golden_tokenizer("llama3");
  const auto encoder = words->encoder();
  encoder->push("Hello World", ids);
  EXPECT_EQ(ids, words->encode("Hello"));  // " World" may go on
  encoder->push(" ", ids);
  EXPECT_EQ(ids, words->encode("Hello World"));
  encoder->push("<|im_start|>", ids);
  EXPECT_EQ(ids, words->encode(
                     "Hello World <|im_start|>"));  // what blanks and tokens are does not wait for the end

  ids.clear();
  const auto sentence = golden_tokenizer("llama2");
  const auto other = sentence->encoder();
  other->push("Hello big World", ids);
  EXPECT_GE(ids.size(), sentence->encode("Hello big").size());
}

TEST(JsonTokenizer, HalfACharacterIsHeldBackByTheDecoder) {
  for (const char* name : {"llama3", "llama2", "spm_llama"}) {
    const auto tokenizer = golden_tokenizer(name);
    const auto ids = tokenizer->encode("\xf0\x9d\x84\x9e");  // a clef that neither has learnt
    ASSERT_GE(ids.size(), 4u);
    const auto decoder = tokenizer->decoder();
    std::string text;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) text += decoder->push(ids[i]);
    EXPECT_THAT(text, IsEmpty());
    EXPECT_EQ(decoder->push(ids.back()), "\xf0\x9d\x84\x9e");
    EXPECT_EQ(decoder->push(ids[ids.size() - 4]), "");
    EXPECT_EQ(decoder->finish(), "\xEF\xBF\xBD");
    EXPECT_EQ(decoder->finish(), "");
  }
}

std::string fault(const std::string& json) {
  try {
    read_json_tokenizer(json);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    return e.what();
  }
  return "(none)";
}

/// A small tokenizer with one member replaced.
std::string with(const std::string& member, const std::string& value) {
  std::string out = "{";
  for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
           {"added_tokens", "[]"},
           {"normalizer", "null"},
           {"pre_tokenizer", "null"},
           {"post_processor", "null"},
           {"decoder", "null"},
           {"model", R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})"}})
    out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + (name == member ? value : text);
  return out + "}";
}

TEST(JsonTokenizer, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(read_json_tokenizer(with("", ""))->encode("abba"), ElementsAre(2, 1, 0));
  EXPECT_THAT(fault("{\"model\":"), HasSubstr("byte 9"));
  EXPECT_THAT(fault("[]"), HasSubstr("object"));
  EXPECT_THAT(fault(R"({"modle":{}})"), HasSubstr("'model' is missing (did you mean 'modle'?)"));
  EXPECT_THAT(fault(with("model", R"({"type":"WordPiece","vocab":{}})")),
              HasSubstr("model of the unsupported kind 'WordPiece', expected one of BPE"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":-1},"merges":[]})")),
              HasSubstr("token 'a' has the id -1"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})")),
              HasSubstr("model: BPE: merge 0: 'b' is not in the vocabulary"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":0},"merges":["a a"]})")),
              HasSubstr("merge 0: 'aa' is not in the vocabulary"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":0},"merges":["aa"]})")),
              HasSubstr("two tokens"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":0},"merges":[["a"]]})")),
              HasSubstr("merge 0: is neither"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1})")),
              HasSubstr("'dropout'"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":0},"merges":[],"byte_fallback":true})")),
              HasSubstr("'<0x00>'"));
  EXPECT_THAT(fault(with("model", R"({"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"?"})")),
              HasSubstr("unk_token '?'"));
  EXPECT_THAT(fault(with("normalizer", R"({"type":"NFK"})")),
              HasSubstr("normalizer: normalizer of the unsupported kind 'NFK'"));
  EXPECT_THAT(fault(with("normalizer", R"({"type":"Precompiled"})")), HasSubstr("'Precompiled'"));
  EXPECT_THAT(fault(with("pre_tokenizer", R"({"type":"BertPreTokenizer"})")),
              HasSubstr("'BertPreTokenizer'"));
  EXPECT_THAT(
      fault(with("pre_tokenizer", R"({"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"})")),
      HasSubstr("regular expression '('"));
  EXPECT_THAT(
      fault(with("pre_tokenizer", R"({"type":"Split","pattern":{"Regex":"(?<=a)b"},"behavior":"Isolated"})")),
      HasSubstr("in front of a match"));
  EXPECT_THAT(
      fault(with("pre_tokenizer", R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"Isolate"})")),
      HasSubstr("did you mean 'Isolated'?"));
  EXPECT_THAT(fault(with("pre_tokenizer", R"({"type":"Metaspace","replacement":"__"})")),
              HasSubstr("expected one character"));
  EXPECT_THAT(fault(with("post_processor", R"({"type":"BertProcessing"})")), HasSubstr("'BertProcessing'"));
  EXPECT_THAT(fault(with("decoder", R"({"type":"WordPiece"})")),
              HasSubstr("decoder of the unsupported kind 'WordPiece'"));
  EXPECT_THAT(fault(with("added_tokens", R"([{"id":-3,"content":"x"}])")),
              HasSubstr("token 'x' has the id -3"));
  EXPECT_THAT(fault(with("added_tokens", R"([{"id":1,"content":"x"}])")),
              HasSubstr("added_tokens: token 'x' has the id 1, which is that of 'b'"));
  EXPECT_EQ(fault(with("added_tokens", R"([{"id":9,"content":"b"}])")), "(none)");
}

TEST(JsonTokenizer, SpecialTokensAndIdsThatNoTokenHas) {
  const auto tokenizer = read_json_tokenizer(
      with("added_tokens", R"([{"id":7,"content":"<s>","special":true},{"id":5,"content":"<t>"}])"));
  EXPECT_EQ(tokenizer->size(), 8);
  EXPECT_EQ(tokenizer->special("<s>"), 7);
  EXPECT_EQ(tokenizer->special("<t>"), std::nullopt);
  EXPECT_THAT(tokenizer->encode("a<s>b<t>"), ElementsAre(0, 7, 1, 5));
  EXPECT_EQ(tokenizer->decode({0, 7, 3, 5}), "a <t>");
  EXPECT_EQ(tokenizer->decode({0, 8, 1}), "a b");  // an embedding may have more rows
  EXPECT_THROW(tokenizer->decode({-1}), Error);
}

TEST(JsonTokenizer, ComesOutOfAModelThatItFits) {
  LanguageModel model;
  model.tokenizer_kind = "tokenizer.json";
  model.tokenizer = with("", "");
  model.config.vocabulary = 3;
  EXPECT_THAT(tokenizer_of(model)->encode("ab"), ElementsAre(2));
  model.config.vocabulary = 2;
  EXPECT_THROW(tokenizer_of(model), Error);
  model.tokenizer = "{}";
  try {
    tokenizer_of(model);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("tokenizer.json: 'model' is missing"));
  }
}

TEST(JsonTokenizer, AHostileExpressionEndsAsBadData) {
  const auto tokenizer = read_json_tokenizer(
      with("pre_tokenizer", R"({"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated"})"));
  EXPECT_THROW(tokenizer->encode(std::string(60, 'a') + "b"), Error);
}

}  // namespace
}  // namespace stream::llm
