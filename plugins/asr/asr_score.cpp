#include "asr/asr_score.hpp"

#include <algorithm>
#include <numeric>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::asr {

std::size_t edit_distance(const std::vector<std::string>& said, const std::vector<std::string>& meant) {
  std::vector<std::size_t> row(meant.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= said.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= meant.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (said[i - 1] != meant[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

double area_under_roc(const std::vector<double>& positives, std::vector<double> negatives) {
  if (positives.empty() || negatives.empty()) return 0.5;
  std::sort(negatives.begin(), negatives.end());
  double wins = 0;
  for (const double p : positives) {
    const auto below = std::lower_bound(negatives.begin(), negatives.end(), p);
    const auto upto = std::upper_bound(below, negatives.end(), p);
    wins += static_cast<double>(below - negatives.begin()) + 0.5 * static_cast<double>(upto - below);
  }
  return wins / (static_cast<double>(positives.size()) * static_cast<double>(negatives.size()));
}

Spec ScoreOperator::spec() {
  return Spec("asr.score", "Word error rate of recognised words against what was said.")
      .input<Record>("words", "of asr.conformer")
      .input<Record>("text", "of corpus.spoken_text")
      .output<Record>("score", "{\"wer\", \"errors\", \"words\", \"auc\", \"utterances\"}, at the end")
      .contract({.lookahead = kUnbounded, .state = Growth::kLinear, .grows_with = "words"})
      .about(
          "A recognised word belongs to the utterance in which its middle lies. Utterances outside of the "
          "vocabulary do not count for the word error "
          "rate; `auc` is the probability that a word recognised inside the vocabulary has a greater "
          "confidence than one recognised outside of it.")
      .example("Score of the shipped model", R"(title = "Word error rate"
[nodes.corpus]
use = "corpus.spoken_text"
split = "test"
count = 20
[nodes.asr]
use = "asr.conformer"
from = "corpus.audio"
[nodes.score]
use = "asr.score"
from = ["asr.words", "corpus.text"]
[nodes.out]
use = "jsonl.write"
from = "score"
path = "-"
)");
}

void ScoreOperator::process(std::size_t port, Packet in, Output&) {
  if (port == 0) {
    const Record& r = in.as<Record>();
    r.at("word").as_string(), r.at("start").as_double(), r.at("end").as_double(),
        r.at("confidence").as_double();
    words_.push_back(std::move(in));
  } else {
    const Record& r = in.as<Record>();
    for (const Value& w : r.at("words").as_array()) Record(w.as_object()).at("word").as_string();
    r.at("outside").as_bool();
    texts_.push_back(std::move(in));
  }
}

void ScoreOperator::finish(Output& out) {
  std::vector<double> inside, outside;
  std::size_t errors = 0, total = 0, scored = 0, next = 0;
  for (const Packet& text : texts_) {
    const Record& record = text.as<Record>();
    const double end = seconds(text.time + text.duration);
    const bool unknown = record.at("outside").as_bool();
    std::vector<std::string> said, meant;
    for (; next < words_.size(); ++next) {
      const Record& word = words_[next].as<Record>();
      if ((word.at("start").as_double() + word.at("end").as_double()) / 2 >= end && &text != &texts_.back())
        break;
      said.push_back(word.at("word").as_string());
      (unknown ? outside : inside).push_back(word.at("confidence").as_double());
    }
    if (unknown) continue;
    for (const Value& w : record.at("words").as_array())
      meant.push_back(w.as_object().find("word")->as_string());
    errors += edit_distance(said, meant), total += meant.size(), ++scored;
  }
  Object score{{"wer", total ? static_cast<double>(errors) / static_cast<double>(total) : 0.0},
               {"errors", static_cast<std::int64_t>(errors)},
               {"words", static_cast<std::int64_t>(total)},
               {"utterances", static_cast<std::int64_t>(scored)}};
  if (!inside.empty() && !outside.empty()) score.set("auc", area_under_roc(inside, outside));
  out.emit(Packet::of<Record>(texts_.empty() ? Time{0} : texts_.back().time, std::move(score)));
}

void ScoreOperator::save(Archive& state) const {
  state.set("words", std::span<const Packet>(words_));
  state.set("texts", std::span<const Packet>(texts_));
}

void ScoreOperator::load(const Archive& state) {
  words_ = state.packets("words");
  texts_ = state.packets("texts");
}

std::size_t ScoreOperator::state_bytes() const {
  std::size_t bytes = 0;
  for (const auto* list : {&words_, &texts_})
    for (const Packet& p : *list) bytes += sizeof(Packet) + p.payload->bytes();
  return bytes;
}

}  // namespace stream::asr
