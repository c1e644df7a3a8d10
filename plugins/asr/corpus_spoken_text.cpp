#include "asr/corpus_spoken_text.hpp"

#include "asr/front_end.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::asr {

Spec SpokenTextSource::spec() {
  return Spec("corpus.spoken_text",
              "Speech with known words: numbers and dates spoken by espeak-ng, in rooms and noise.")
      .output<Audio>("audio", "one utterance a packet, 16 kHz mono, one after the other without holes")
      .output<Record>("text",
                      "{\"text\", \"words\": [{\"word\", \"start\", \"end\"}], \"voice\", \"noise\", "
                      "\"snr\", \"outside\"}, times in seconds of the stream")
      .param("count", 3000, "utterances", at_least(0))
      .param("split", "train", "texts and speakers: no number, date or test speaker of one is in another",
             choices({"train", "dev", "test"}))
      .param("snr_low", 0.0, "least signal-to-noise ratio", range(-20, 100), unit("dB"))
      .param("snr_high", 20.0, "greatest signal-to-noise ratio", range(-20, 100), unit("dB"))
      .param("outside", 0.2, "share of utterances outside of the vocabulary", range(0, 1))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "\"SpokenText-1\". Each utterance depends on the run's seed, the split and its index alone. Texts "
          "are integers 0-999 999 "
          "(log-uniform) and dates, spelt out by ICU and split by a hash of the number. Speakers are accents "
          "x voice variants; two variants (m7, f4) "
          "speak only in the test split. Half of the utterances are in a synthetic room (T60 0.1-0.5 s); "
          "noise is white, pink, four-voice babble or "
          "rising tones; one in five is limited to 4 kHz of bandwidth.")
      .example("Eight utterances as their texts", R"(title = "Texts of a corpus"
[nodes.corpus]
use = "corpus.spoken_text"
count = 8
[nodes.out]
use = "jsonl.write"
from = "corpus.text"
path = "-"
)");
}

SpokenTextSource::SpokenTextSource(const Params& p)
    : count_(p.get<std::int64_t>("count")),
      corpus_({.seed = p.context().seed,
               .split = p.get<std::string>("split") == "train" ? Split::kTrain
                        : p.get<std::string>("split") == "dev" ? Split::kDev
                                                               : Split::kTest,
               .snr_low = p.get<double>("snr_low"),
               .snr_high = p.get<double>("snr_high"),
               .outside = p.get<double>("outside")}) {
  if (p.get<double>("snr_low") > p.get<double>("snr_high")) throw bad_recipe("snr_low is above snr_high");
}

bool SpokenTextSource::read(Output& out) {
  if (index_ >= count_) return false;
  SpokenUtterance u = corpus_.utterance(index_);
  const Time time = duration_of(samples_, kRate);
  const auto n = static_cast<std::int64_t>(u.samples.size());
  const Duration length = duration_of(samples_ + n, kRate) - time;
  Array words;
  std::string text;
  const double offset = seconds(time);
  for (const auto& w : u.words) {
    words.push_back(Object{{"word", w.text}, {"start", offset + w.start}, {"end", offset + w.end}});
    text += (text.empty() ? "" : " ") + w.text;
  }
  Packet audio = Packet::of<Audio>(time, std::move(u.samples), 1, kRate);
  Packet record = Packet::of<Record>(time, Object{{"text", text},
                                                  {"words", std::move(words)},
                                                  {"voice", u.voice},
                                                  {"noise", u.noise},
                                                  {"snr", u.snr},
                                                  {"outside", u.outside}});
  audio.duration = record.duration = length;
  out.emit(0, std::move(audio));
  out.emit(1, std::move(record));
  ++index_;
  samples_ += n;
  return true;
}

double SpokenTextSource::fraction() const {
  return count_ == 0 ? 1.0 : static_cast<double>(index_) / static_cast<double>(count_);
}

void SpokenTextSource::save(Archive& state) const {
  state.set("index", index_);
  state.set("samples", samples_);
}

void SpokenTextSource::load(const Archive& state) {
  index_ = state.get<std::int64_t>("index");
  samples_ = state.get<std::int64_t>("samples");
}

std::size_t SpokenTextSource::state_bytes() const { return sizeof index_ + sizeof samples_; }

}  // namespace stream::asr
