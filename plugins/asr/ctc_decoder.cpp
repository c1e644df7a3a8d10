#include "asr/ctc_decoder.hpp"

#include <algorithm>

#include "asr/conformer.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr std::int64_t kSettle = 4, kMostPieces = 32, kMostFrames = 125;
constexpr std::string_view kWordStart = "\u2581";
}  // namespace

CtcWordDecoder::CtcWordDecoder(std::vector<std::string> pieces)
    : pieces_(std::move(pieces)), last_(static_cast<std::int64_t>(pieces_.size())) {
  for (auto& piece : pieces_) {
    const bool special = piece.size() > 1 && piece.front() == '<' && piece.back() == '>';
    const bool starts = piece.rfind(kWordStart, 0) == 0;
    if (starts) piece.erase(0, kWordStart.size());
    initial_.push_back(starts || special);
    word_.push_back(!special);
    continues_ = continues_ || !initial_.back();
  }
}

void CtcWordDecoder::step(std::int64_t frame, std::span<const float> p, float start, float end,
                          std::vector<RecognisedWord>& out) {
  const auto blank = static_cast<std::int64_t>(pieces_.size());
  const auto best = static_cast<std::int64_t>(std::max_element(p.begin(), p.end()) - p.begin());
  double likeliest = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    if (word_[i]) likeliest = std::max(likeliest, static_cast<double>(p[i]));

  if (best == blank) {
    ++blanks_;
    if (open_ && blanks_ >= (continues_ ? kSettle : 1)) close(frame, out);
  } else if (best == last_) {
    piece_confidence_ = std::max(piece_confidence_, likeliest);
  } else {
    const auto piece = static_cast<std::size_t>(best);
    if (open_ && (initial_[piece] || count_ >= kMostPieces)) close(frame, out);
    if (!open_) {
      open_ = true, text_.clear(), count_ = 0, confidence_ = 1, piece_confidence_ = 1, began_ = frame;
      start_ = std::max(previous_end_, (static_cast<double>(frame) + start) * kFrameSeconds);
    }
    confidence_ = std::min(confidence_, piece_confidence_);
    piece_confidence_ = likeliest;
    text_ += pieces_[piece];
    end_ = (static_cast<double>(frame) + end) * kFrameSeconds;
    ++count_;
  }
  if (best != blank) blanks_ = 0;
  if (open_ && frame - began_ >= kMostFrames) close(frame, out);
  last_ = best;
}

void CtcWordDecoder::finish(std::int64_t frame, std::vector<RecognisedWord>& out) {
  if (open_) close(frame, out);
}

void CtcWordDecoder::close(std::int64_t frame, std::vector<RecognisedWord>& out) {
  const double end = std::max(start_ + 0.02, end_);
  out.push_back({text_, start_, end, std::min(confidence_, piece_confidence_), frame});
  previous_end_ = end;
  open_ = false;
}

void CtcWordDecoder::save(Archive& s) const {
  s.set("last", last_), s.set("blanks", blanks_), s.set("pieces", count_), s.set("began", began_),
      s.set("open", open_);
  s.set("text", text_), s.set("start", start_), s.set("end", end_), s.set("confidence", confidence_);
  s.set("piece_confidence", piece_confidence_), s.set("previous_end", previous_end_);
}

void CtcWordDecoder::load(const Archive& s) {
  last_ = s.get<std::int64_t>("last"), blanks_ = s.get<std::int64_t>("blanks"),
  count_ = s.get<std::int64_t>("pieces");
  began_ = s.get<std::int64_t>("began"), open_ = s.get<bool>("open"), text_ = s.get<std::string>("text");
  start_ = s.get<double>("start"), end_ = s.get<double>("end"), confidence_ = s.get<double>("confidence");
  piece_confidence_ = s.get<double>("piece_confidence"), previous_end_ = s.get<double>("previous_end");
}

}  // namespace stream::asr
