#include "llm/tokenizers/sentencepiece_words.hpp"

#include <algorithm>

#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr std::int64_t kCharactersOfSum = 4096;

}  // namespace

void SentencePieceNormalizer::restart() {
  begun_ = false;
  space_before_ = model_->remove_extra_whitespaces;
  spaces_ = 0;
}

void SentencePieceNormalizer::text(std::string_view utf8) {
  held_.append(utf8);
  scan(false);
}

void SentencePieceNormalizer::end() {
  scan(true);
  restart();
  next().end();
}

void SentencePieceNormalizer::scan(bool ended) {
  std::string_view rest = held_;
  while (!rest.empty()) {
    const auto symbol = model_->user_defined.longest(rest);
    const auto match = symbol.number < 0 ? model_->map.longest(rest) : CharacterMap::Match{0, {}, false};
    if (!ended && (symbol.open || match.open)) break;
    const std::size_t size = symbol.number >= 0 ? symbol.size
                             : match.size > 0   ? match.size
                                                : utf8_size(rest[0]);
    put(match.size > 0 ? match.by : rest.substr(0, size));
    rest.remove_prefix(size);
  }
  held_.erase(0, held_.size() - rest.size());
}

void SentencePieceNormalizer::put(std::string_view text) {
  const bool trims = model_->remove_extra_whitespaces;
  const std::string_view symbol = model_->escape_whitespaces ? kSpaceSymbol : " ";
  if (!begun_) {
    if (trims && text == " ") return;
    begun_ = true;
    if (model_->add_dummy_prefix) ++spaces_;
  }
  while (space_before_ && text.starts_with(' ')) text.remove_prefix(1);
  space_before_ = trims && (text.empty() ? space_before_ : text.ends_with(' '));
  std::string out;
  const auto release = [&] {
    for (; spaces_ > 0; --spaces_) out += symbol;
  };
  while (!text.empty()) {
    if (text.starts_with(' ') || text.starts_with(symbol)) {
      text.remove_prefix(text[0] == ' ' ? 1 : symbol.size());
      ++spaces_;
    } else {
      release();
      out += text[0];
      text.remove_prefix(1);
    }
  }
  if (!trims) release();
  next().text(out);
}

void SentencePieceNormalizer::save(Archive& group) const {
  group.set("held", held_);
  group.set("begun", begun_);
  group.set("space_before", space_before_);
  group.set("spaces", spaces_);
  InnerStage::save(group);
}

void SentencePieceNormalizer::load(const Archive& group) {
  held_ = group.get<std::string>("held");
  begun_ = group.get<bool>("begun");
  space_before_ = group.get<bool>("space_before");
  spaces_ = group.get<std::int64_t>("spaces");
  InnerStage::load(group);
}

void SentencePieceWords::text(std::string_view utf8) {
  word_.append(utf8);
  while (examined_ < word_.size()) {
    const std::string_view all = word_;
    const std::string_view character = first_character(all.substr(examined_));
    if (examined_ > 0 && (examined_ - safe_ >= kLongestPiece ||
                          !model_->joins(last_character(all.substr(0, examined_)), character))) {
      safe_ = examined_;
      // At a place that depends on the text alone.
      if (summed_ >= kCharactersOfSum) {
        flush(safe_);
        sum_ = 0;
        summed_ = 0;
      }
    }
    ++summed_;
    examined_ += utf8_size(word_[examined_]);
  }
  flush(safe_);
}

void SentencePieceWords::flush(std::size_t size) {
  if (size == 0) return;
  const std::string_view text = std::string_view(word_).substr(0, size);
  if (model_->kind == SentencePieceModel::Kind::kUnigram)
    encode_unigram(*model_, text, sum_, **out_);
  else
    encode_bpe(*model_, text, **out_);
  word_.erase(0, size);
  examined_ -= size;
  safe_ = 0;
}

void SentencePieceWords::end() {
  examined_ = word_.size();
  flush(word_.size());
  summed_ = 0;
  sum_ = 0;
}

void SentencePieceWords::save(Archive& group) const {
  group.set("word", word_);
  group.set("examined", static_cast<std::int64_t>(examined_));
  group.set("summed", summed_);
  group.set("sum", sum_);
}

void SentencePieceWords::load(const Archive& group) {
  word_ = group.get<std::string>("word");
  const auto examined = group.get<std::int64_t>("examined");
  if (examined != static_cast<std::int64_t>(word_.size()))
    throw bad_data("'examined' is no state of a tokenizer");
  examined_ = word_.size();
  safe_ = 0;
  summed_ = group.get<std::int64_t>("summed");
  sum_ = group.get<float>("sum");
}

}  // namespace stream::llm
