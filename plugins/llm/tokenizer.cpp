#include "llm/tokenizer.hpp"

#include "llm/tokenizers/json_tokenizer.hpp"
#include "llm/tokenizers/sentencepiece_tokenizer.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

class ByteEncoder final : public TextEncoder {
 public:
  void push(std::string_view bytes, std::vector<TokenId>& ids) override {
    for (const char c : bytes) ids.push_back(static_cast<unsigned char>(c));
  }
  void finish(std::vector<TokenId>&) override {}
  void save(Archive&) const override {}
  void load(const Archive&) override {}
};

class ByteDecoder final : public TextDecoder {
 public:
  std::string push(TokenId id) override {
    if (id < 0 || id >= kByteVocabulary)
      throw bad_data("token " + std::to_string(id) + " is not one of the " + std::to_string(kByteVocabulary) +
                     " of a model of bytes");
    return id < 256 ? std::string(1, static_cast<char>(id)) : std::string();
  }
  std::string finish() override { return {}; }
  void save(Archive&) const override {}
  void load(const Archive&) override {}
};

class ByteTokenizer final : public Tokenizer {
 public:
  std::int64_t size() const override { return kByteVocabulary; }
  std::unique_ptr<TextEncoder> encoder() const override { return std::make_unique<ByteEncoder>(); }
  std::unique_ptr<TextDecoder> decoder() const override { return std::make_unique<ByteDecoder>(); }
  std::optional<TokenId> special(std::string_view name) const override {
    if (name == "<begin>") return kByteBegin;
    if (name == "<end>") return kByteEnd;
    return std::nullopt;
  }
};

}  // namespace

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  const auto e = encoder();
  e->push(text, ids);
  e->finish(ids);
  return ids;
}

std::string Tokenizer::decode(const std::vector<TokenId>& ids) const {
  std::string text;
  const auto d = decoder();
  for (const TokenId id : ids) text += d->push(id);
  return text + d->finish();
}

std::shared_ptr<const Tokenizer> byte_tokenizer() {
  static const auto only = std::make_shared<const ByteTokenizer>();
  return only;
}

std::shared_ptr<const Tokenizer> tokenizer_of(const LanguageModel& model) {
  std::shared_ptr<const Tokenizer> found;
  if (model.tokenizer_kind == "ids") return nullptr;
  if (model.tokenizer_kind == "bytes") found = byte_tokenizer();
  try {
    if (model.tokenizer_kind == "tokenizer.json") found = read_json_tokenizer(model.tokenizer);
    if (model.tokenizer_kind == "tokenizer.model") found = read_sentencepiece_tokenizer(model.tokenizer);
  } catch (const Error& e) {
    throw e.within(model.tokenizer_kind);
  }
  if (!found)
    throw bad_data("the model's tokenizer is of the unknown kind '" + model.tokenizer_kind + "'" +
                   did_you_mean(model.tokenizer_kind, {"ids", "bytes", "tokenizer.json", "tokenizer.model"}));
  if (found->size() > model.config.vocabulary)
    throw bad_data("the tokenizer has " + std::to_string(found->size()) + " tokens, the model only " +
                   std::to_string(model.config.vocabulary) + ": they do not belong together");
  return found;
}

}  // namespace stream::llm
