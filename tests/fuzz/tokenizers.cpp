/// Tokenizers, the description of models that come with other people's weights, and packed ids: read or
/// refused; what a tokenizer has read gives the same ids for a text in one piece and in many.
#include <stdexcept>

#include "archive_input.hpp"
#include "llm/hugging_face/config.hpp"
#include "llm/hugging_face/lit_gpt.hpp"
#include "llm/packed_tokens.hpp"
#include "llm/tokenizers/json_tokenizer.hpp"
#include "llm/tokenizers/sentencepiece_tokenizer.hpp"
#include "target.hpp"

namespace stream::fuzz {
namespace {

constexpr std::string_view kText =
    "Hello  world, it's 12345!\n\n \t x  <s>a</s> <tool> caf\xc3\xa9 e\xcc\x81\xcc\xa7 "
    "\xe6\x97\xa5\xe6\x9c\xac "
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80 \xe2\x96\x81 aaaaaaaaaaaa ...--- \xff\xe6\x97 ab\xc2\xa0 \xef\xac\x81 "
    "STREAM";

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void use(const llm::Tokenizer& tokenizer) {
  const auto whole = tokenizer.encode(kText);
  std::vector<llm::TokenId> ids;
  auto encoder = tokenizer.encoder();
  for (std::size_t at = 0; at < kText.size(); at += 1 + at % 5) {
    encoder->push(kText.substr(at, 1 + at % 5), ids);
    Archive state;
    encoder->save(state);
    encoder = tokenizer.encoder();
    encoder->load(state);
  }
  encoder->finish(ids);
  if (ids != whole) throw std::logic_error("other ids for the same text in pieces");
  for (const llm::TokenId id : ids)
    if (id < 0 || id >= tokenizer.size()) throw std::logic_error("an id that the tokenizer does not have");
  tokenizer.decode(ids);
}

}  // namespace

void run_tokenizer(Bytes bytes) {
  expect_success_or_blame([&] { use(*llm::read_json_tokenizer(text_of(bytes))); });
}
void run_sentencepiece(Bytes bytes) {
  expect_success_or_blame([&] { use(*llm::read_sentencepiece_tokenizer(text_of(bytes))); });
}
void run_packed(Bytes bytes) {
  const MemoryFile file(bytes);
  expect_success_or_blame([&] {
    llm::PackedTokens packed(file.path());
    while (!packed.read(1000).empty()) {
    }
    if (!packed.ended()) throw std::logic_error("no more ids before the end");
  });
}
void run_huggingface(Bytes bytes) {
  expect_success_or_blame([&] { llm::read_foreign_config(Value::parse(text_of(bytes)).as_object()); });
  expect_success_or_blame([&] { llm::read_lit_gpt_config(Value::parse(text_of(bytes)).as_object()); });
}

}  // namespace stream::fuzz
