/// Text as SentencePiece cuts it into pieces: by the most probable path (unigram) or by merging (BPE).
#pragma once

#include <memory>

#include "llm/tokenizers/sentencepiece_model.hpp"
#include "llm/tokenizers/stage.hpp"

namespace stream::llm {

/// SentencePiece's normaliser: characters by the model's map, blanks collapsed and trimmed, one in front,
/// each as U+2581.
class SentencePieceNormalizer final : public InnerStage {
 public:
  SentencePieceNormalizer(std::shared_ptr<const SentencePieceModel> model, std::unique_ptr<Stage> next)
      : InnerStage(std::move(next)), model_(std::move(model)) {
    restart();
  }
  void text(std::string_view utf8) override;
  void end() override;
  void save(Archive& group) const override;
  void load(const Archive& group) override;

 private:
  void restart();
  void scan(bool ended);
  /// One unit of the input after its replacement.
  void put(std::string_view text);

  std::shared_ptr<const SentencePieceModel> model_;
  std::string held_;
  bool begun_ = false;         ///< something else than a blank has come
  bool space_before_ = false;  ///< blanks that follow are dropped
  std::int64_t spaces_ = 0;    ///< space symbols that are dropped if the text ends here
};

/// Pieces of normalised text.
///
/// SentencePiece adds up scores in float32 from the start of a text, and so do we: where two ways to cut are
/// equally probable, rounding decides. Its sums lose their digits as a text gets longer; here they begin anew
/// at the first boundary that no piece can cross after 4096 characters.
class SentencePieceWords final : public Stage {
 public:
  SentencePieceWords(std::shared_ptr<const SentencePieceModel> model, std::vector<TokenId>* const* out)
      : model_(std::move(model)), out_(out) {}
  void text(std::string_view utf8) override;
  void end() override;
  void token(TokenId id) override { (*out_)->push_back(id); }
  void finish() override {}
  void save(Archive& group) const override;
  void load(const Archive& group) override;

 private:
  void flush(std::size_t size);

  std::shared_ptr<const SentencePieceModel> model_;
  std::vector<TokenId>* const* out_;
  std::string word_;
  std::size_t examined_ = 0;  ///< bytes of `word_` whose boundaries are known
  std::size_t safe_ = 0;      ///< the last boundary that no piece crosses
  std::int64_t summed_ = 0;   ///< characters since the sum began
  float sum_ = 0;             ///< of the scores in front of `word_`
};

/// Appends the ids of a normalised text. `sum`: of the scores before it; becomes that behind it.
void encode_unigram(const SentencePieceModel& model, std::string_view text, float& sum,
                    std::vector<TokenId>& ids);
/// Time n log n in the length of the text.
void encode_bpe(const SentencePieceModel& model, std::string_view text, std::vector<TokenId>& ids);

}  // namespace stream::llm
