#include "llm/tokenizers/chain_tokenizer.hpp"

#include <algorithm>

#include "llm/tokenizers/decode.hpp"
#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

std::unique_ptr<Stage> chain(const std::vector<StageMaker>& makers, std::unique_ptr<Stage> last) {
  for (auto maker = makers.rbegin(); maker != makers.rend(); ++maker) last = (*maker)(std::move(last));
  return last;
}

constexpr std::size_t kLargestPart = std::size_t{1} << 16;

class ChainEncoder final : public TextEncoder {
 public:
  explicit ChainEncoder(const ModelMaker& make) : first_(make(&out_)) {}
  void push(std::string_view bytes, std::vector<TokenId>& ids) override {
    out_ = &ids;
    // In parts, so that no stage holds a copy of gigabytes (and ICU counts in 32 bits).
    for (; bytes.size() > kLargestPart; bytes.remove_prefix(kLargestPart))
      first_->text(pieces_.push(bytes.substr(0, kLargestPart), false));
    first_->text(pieces_.push(bytes, false));
  }
  void finish(std::vector<TokenId>& ids) override {
    out_ = &ids;
    first_->text(pieces_.push({}, true));
    first_->end();
    first_->finish();
  }
  void save(Archive& group) const override {
    group.set("held", pieces_.held());
    first_->save(group.group("stage"));
  }
  void load(const Archive& group) override {
    pieces_.hold(group.get<std::string>("held"));
    first_->load(group.group("stage"));
  }

 private:
  std::vector<TokenId>* out_ = nullptr;
  Utf8Pieces pieces_;
  std::unique_ptr<Stage> first_;
};

class ChainDecoder final : public TextDecoder {
 public:
  ChainDecoder(const ChainTokenizer& tokenizer, const TokenizerParts& parts)
      : tokenizer_(tokenizer), first_(chain(parts.decode, std::make_unique<DecodedText>(&out_))) {}
  std::string push(TokenId id) override {
    if (id < 0) throw bad_data("token " + std::to_string(id) + ", expected a number from 0");
    std::string text;
    out_ = &text;
    const std::string* token = tokenizer_.token(id);
    if (token == nullptr || tokenizer_.is_special(id)) return text;
    first_->text(*token);
    first_->end();
    return text;
  }
  std::string finish() override {
    std::string text;
    out_ = &text;
    first_->finish();
    return text;
  }
  void save(Archive& group) const override { first_->save(group.group("stage")); }
  void load(const Archive& group) override { first_->load(group.group("stage")); }

 private:
  const ChainTokenizer& tokenizer_;
  std::string* out_ = nullptr;
  std::unique_ptr<Stage> first_;
};

}  // namespace

ChainTokenizer::ChainTokenizer(TokenizerParts parts) : parts_(std::move(parts)) {
  // Of two tokens with one id the later counts, as in the reference.
  std::stable_sort(parts_.tokens.begin(), parts_.tokens.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::sort(parts_.special.begin(), parts_.special.end());
  if (!parts_.tokens.empty()) size_ = std::int64_t{parts_.tokens.back().first} + 1;
  for (const TokenId id : parts_.before) size_ = std::max(size_, std::int64_t{id} + 1);
  for (const TokenId id : parts_.after) size_ = std::max(size_, std::int64_t{id} + 1);
}

std::unique_ptr<TextEncoder> chain_encoder(const ModelMaker& make) {
  return std::make_unique<ChainEncoder>(make);
}

std::unique_ptr<TextEncoder> ChainTokenizer::encoder() const {
  return chain_encoder(
      [this](std::vector<TokenId>* const* out) { return chain(parts_.encode, parts_.model(out)); });
}
std::unique_ptr<TextDecoder> ChainTokenizer::decoder() const {
  return std::make_unique<ChainDecoder>(*this, parts_);
}

const std::string* ChainTokenizer::token(TokenId id) const {
  const auto behind =
      std::upper_bound(parts_.tokens.begin(), parts_.tokens.end(), id,
                       [](TokenId wanted, const auto& token) { return wanted < token.first; });
  if (behind == parts_.tokens.begin() || std::prev(behind)->first != id) return nullptr;
  return &std::prev(behind)->second;
}

bool ChainTokenizer::is_special(TokenId id) const {
  return std::binary_search(parts_.special.begin(), parts_.special.end(), id);
}

std::optional<TokenId> ChainTokenizer::special(std::string_view name) const {
  for (const TokenId id : parts_.special)
    if (const std::string* text = token(id); text != nullptr && *text == name) return id;
  return std::nullopt;
}

}  // namespace stream::llm
