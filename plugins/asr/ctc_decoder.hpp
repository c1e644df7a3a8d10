/// Greedy CTC decoding into words with times and confidences, a frame at a time, in constant memory.
#pragma once

#include <string>
#include <vector>

#include "nn/torch.hpp"
#include "stream/archive.hpp"

namespace stream::asr {

struct RecognisedWord {
  std::string text;
  double start = 0, end = 0;  ///< seconds
  double confidence = 0;      ///< posterior of the likeliest word of the vocabulary; the least of its pieces
  std::int64_t frame = 0;     ///< at which it became certain
};

/// A word is certain at the first frame at which greedy decoding has moved past it: where another word
/// begins; where a blank follows, if no piece of the vocabulary can go on with a word, else after four
/// blanks; after 32 pieces or 10 s in any case.
class CtcWordDecoder {
 public:
  explicit CtcWordDecoder(std::vector<std::string> pieces);
  /// One frame: posteriors [vocabulary + 1], the blank last; start and end as Conformer::Heads::times has
  /// them.
  void step(std::int64_t frame, std::span<const float> posteriors, float start, float end,
            std::vector<RecognisedWord>& out);
  /// The end of the stream at `frame`: what is open becomes a word.
  void finish(std::int64_t frame, std::vector<RecognisedWord>& out);
  /// The word that is not certain yet, or empty.
  std::string partial() const { return open_ ? text_ : std::string(); }

  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  void close(std::int64_t frame, std::vector<RecognisedWord>& out);
  std::vector<std::string> pieces_;
  std::vector<bool> initial_, word_;
  bool continues_ = false;
  std::int64_t last_, blanks_ = 0, count_ = 0, began_ = 0;
  bool open_ = false;
  std::string text_;
  double start_ = 0, end_ = 0, confidence_ = 1, piece_confidence_ = 0, previous_end_ = 0;
};

}  // namespace stream::asr
