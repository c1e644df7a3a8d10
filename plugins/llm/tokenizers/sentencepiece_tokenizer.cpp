#include "llm/tokenizers/sentencepiece_tokenizer.hpp"

#include "llm/tokenizers/chain_tokenizer.hpp"
#include "llm/tokenizers/sentencepiece_words.hpp"
#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

class SentencePieceDecoder final : public TextDecoder {
 public:
  explicit SentencePieceDecoder(std::shared_ptr<const SentencePieceModel> model) : model_(std::move(model)) {}
  std::string push(TokenId id) override {
    if (id < 0) throw bad_data("token " + std::to_string(id) + ", expected a number from 0");
    if (static_cast<std::size_t>(id) >= model_->pieces.size()) return {};
    const SentencePiece& piece = model_->pieces[static_cast<std::size_t>(id)];
    if (piece.type == PieceType::kByte) {
      int byte = 0;
      for (const char digit : piece.text.substr(3, 2))
        byte = byte * 16 + (digit <= '9' ? digit - '0' : digit - 'A' + 10);
      const char character = static_cast<char>(byte);
      return begun(run_.push(std::string_view(&character, 1), false));
    }
    const std::string rest = begun(run_.push({}, true));
    return rest + text_of(piece);
  }
  std::string finish() override {
    std::string rest = run_.push({}, true);
    at_start_ = true;
    return rest;
  }
  void save(Archive& group) const override {
    group.set("held", run_.held());
    group.set("at_start", at_start_);
  }
  void load(const Archive& group) override {
    run_.hold(group.get<std::string>("held"));
    at_start_ = group.get<bool>("at_start");
  }

 private:
  std::string begun(std::string text) {
    if (!text.empty()) at_start_ = false;
    return text;
  }
  std::string text_of(const SentencePiece& piece) {
    if (piece.type == PieceType::kControl) return {};
    if (piece.type == PieceType::kUnknown) return begun(model_->unknown_surface);
    std::string_view text = piece.text;
    // The blank that the encoder has put in front.
    if (at_start_ && (model_->add_dummy_prefix || model_->remove_extra_whitespaces) &&
        text.starts_with(kSpaceSymbol)) {
      text.remove_prefix(kSpaceSymbol.size());
      at_start_ = model_->remove_extra_whitespaces;
    }
    std::string out;
    while (!text.empty()) {
      const std::string_view character = first_character(text);
      out += character == kSpaceSymbol ? " " : character;
      text.remove_prefix(character.size());
    }
    return begun(std::move(out));
  }
  std::shared_ptr<const SentencePieceModel> model_;
  Utf8Pieces run_{Utf8Pieces::Invalid::kEachByte};
  bool at_start_ = true;  ///< there is no text yet
};

class SentencePieceTokenizer final : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(std::shared_ptr<const SentencePieceModel> model)
      : model_(std::move(model)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(model_->pieces.size()); }
  std::unique_ptr<TextEncoder> encoder() const override {
    return chain_encoder([this](std::vector<TokenId>* const* out) {
      return std::make_unique<SentencePieceNormalizer>(model_,
                                                       std::make_unique<SentencePieceWords>(model_, out));
    });
  }
  std::unique_ptr<TextDecoder> decoder() const override {
    return std::make_unique<SentencePieceDecoder>(model_);
  }
  std::optional<TokenId> special(std::string_view name) const override {
    if (const auto found = model_->reserved.find(name); found != model_->reserved.end()) {
      if (model_->pieces[static_cast<std::size_t>(found->second)].type == PieceType::kControl)
        return found->second;
    } else if (const auto symbol = model_->ids.find(name); symbol != model_->ids.end()) {
      if (model_->pieces[static_cast<std::size_t>(symbol->second)].type == PieceType::kUserDefined)
        return symbol->second;
    }
    return std::nullopt;
  }

 private:
  std::shared_ptr<const SentencePieceModel> model_;
};

}  // namespace

std::shared_ptr<const Tokenizer> read_sentencepiece_tokenizer(std::string_view file) {
  return std::make_shared<const SentencePieceTokenizer>(
      std::make_shared<const SentencePieceModel>(read_sentencepiece_model(file)));
}

}  // namespace stream::llm
