/// tokenizer.json against the reference: tests/golden/tokenizers/make_json.py wrote what is expected.
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

std::shared_ptr<const ChainTokenizer> golden(const std::string& name) {
  return read_json_tokenizer(testing::contents(golden_tokenizers() / (name + ".json")));
}

class JsonTokenizer : public ::testing::TestWithParam<std::string> {};

TEST_P(JsonTokenizer, GivesTheIdsAndTextsOfTheReference) {
  const auto tokenizer = golden(GetParam());
  const auto strings = golden_strings();
  const Expected expected(GetParam());
  EXPECT_EQ(tokenizer->before(), expected.before);
  EXPECT_EQ(tokenizer->after(), expected.after);
  ASSERT_GE(strings.size(), 300u);
  ASSERT_EQ(expected.ids.size(), strings.size());
  for (std::size_t i = 0; i < strings.size(); ++i) {
    EXPECT_EQ(tokenizer->encode(strings[i]), expected.ids[i]) << Value(strings[i]).dump();
    EXPECT_EQ(tokenizer->decode(expected.ids[i]), expected.decoded[i]) << Value(strings[i]).dump();
  }
}

TEST_P(JsonTokenizer, NeitherCutsNorStopsChangeAnything) {
  const auto tokenizer = golden(GetParam());
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

TEST_P(JsonTokenizer, InvalidBytesAreReplacedWhereverTheTextIsCut) {
  const auto tokenizer = golden(GetParam());
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
TEST_P(JsonTokenizer, WordsWithoutAnEnd) {
  const auto tokenizer = golden(GetParam());
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

INSTANTIATE_TEST_SUITE_P(Kinds, JsonTokenizer,
                         ::testing::Values("gpt2", "gpt_neox", "llama3", "qwen2", "llama2", "mistral",
                                           "metaspace", "folded", "splits"),
                         [](const auto& info) { return info.param; });

TEST(JsonTokenizer, TokensComeAsSoonAsTheyAreCertain) {
  std::vector<TokenId> ids;
  const auto words = golden("llama3");
  const auto encoder = words->encoder();
  encoder->push("Hello World", ids);
  EXPECT_EQ(ids, words->encode("Hello"));  // " World" may go on
  encoder->push(" ", ids);
  EXPECT_EQ(ids, words->encode("Hello World"));
  encoder->push("<|im_start|>", ids);
  EXPECT_EQ(ids, words->encode(
                     "Hello World <|im_start|>"));  // what blanks and tokens are does not wait for the end

  ids.clear();
  const auto sentence = golden("llama2");
  const auto other = sentence->encoder();
  other->push("Hello big World", ids);
  EXPECT_GE(ids.size(), sentence->encode("Hello big").size());
}

TEST(JsonTokenizer, HalfACharacterIsHeldBackByTheDecoder) {
  for (const char* name : {"llama3", "llama2"}) {
    const auto tokenizer = golden(name);
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
              HasSubstr("1 parts, expected 2"));
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
}

TEST(JsonTokenizer, SpecialTokensAndIdsThatNoTokenHas) {
  const auto tokenizer = read_json_tokenizer(
      with("added_tokens", R"([{"id":7,"content":"<s>","special":true},{"id":5,"content":"<t>"}])"));
  EXPECT_EQ(tokenizer->size(), 8);
  EXPECT_EQ(tokenizer->special("<s>"), 7);
  EXPECT_EQ(tokenizer->special("<t>"), std::nullopt);
  EXPECT_THAT(tokenizer->encode("a<s>b<t>"), ElementsAre(0, 7, 1, 5));
  EXPECT_EQ(tokenizer->decode({0, 7, 3, 5}), "a <t>");
  EXPECT_THROW(tokenizer->decode({8}), Error);
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
