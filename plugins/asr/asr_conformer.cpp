#include "asr/asr_conformer.hpp"

#include <cmath>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::asr {

namespace {
/// More than this between packets is a hole in the audio, not rounding.
constexpr Duration kHole = std::chrono::milliseconds(20);
/// What the last mel frame of a chunk needs after its own time: half a window.
constexpr Duration kHalfWindow = std::chrono::microseconds(12500);

/// To three places: the double nearest to what is printed.
double rounded(double value) { return std::round(value * 1000) / 1000; }

RecogniserModel model_of(const Params& params) { return load_model(params.input_path("model")); }
}  // namespace

Spec ConformerOperator::spec() {
  return Spec("asr.conformer", "Words as they are spoken: a streaming Conformer with exact caches.")
      .input<Audio>("audio", "16 kHz mono; `audio.read` resamples anything to that")
      .output<Record>("words",
                      "{\"word\", \"start\", \"end\", \"confidence\"} for each word once it is certain")
      .output<Record>("partials",
                      "{\"partial\"}: the word that is not certain yet, for each chunk that ends inside one")
      .path("model", "models/captions-en.h5", "a recogniser in HDF5, as `asr.train` writes it")
      .param("lookahead", 6,
             "encoder frames of 80 ms that a frame may see ahead; one of those the model was trained for",
             range(0, 4096))
      .contract([](const Params& p) {
        return Contract{.lookahead = p.get<std::int64_t>("lookahead") * kFrameTime + kHalfWindow,
                        .state = Growth::kConstant,
                        .order = Order::kStateful,
                        .cost = Cost::kHeavy,
                        .keyed = true};
      })
      .about(
          "Audio is cut into chunks of (lookahead + 1) x 80 ms whatever the size of its packets, and each "
          "chunk is computed once: "
          "activations of the past are cached, so the result equals that of the whole recording under the "
          "same context mask, and time and "
          "memory for a chunk never grow. A packet's time is the moment at which its word became certain; "
          "`start` and `end`, in seconds of the "
          "stream, say where the word lies.\n\n"
          "A word is certain at the first frame at which greedy CTC decoding has moved past it.\n\n"
          "The shipped model, models/captions-en.h5, knows spelt-out numbers (zero to nine hundred ninety "
          "nine thousand nine hundred ninety nine) and dates "
          "(\"march third nineteen eighty four\") in English, 64 words in all, spoken by the voices of "
          "espeak-ng. Speech outside of that vocabulary "
          "comes out as \"<unk>\" or with low confidence. `confidence` is the posterior of the likeliest "
          "word of the vocabulary. On numbers and dates that training never saw, by voices that it never "
          "heard, at 20 dB, its word "
          "error rate is 2 % and the confidence of a word inside the vocabulary is greater than that of one "
          "outside of it 99 times in a "
          "hundred (`stream run score-captions`).\n\n"
          "A hole of more than 20 ms in the audio ends one segment and begins another with fresh caches.")
      .paper(
          "Noroozi, Majumdar, Kumar, Balam, Ginsburg, Stateful Conformer with Cache-based Inference for "
          "Streaming Automatic Speech "
          "Recognition, arXiv 2312.17279")
      .example("Captions of a file or of stdin", R"(title = "Live captions"
[nodes.speech]
use = "audio.read"
path = "-"
rate = 16000
channels = 1
[nodes.asr]
use = "asr.conformer"
from = "speech"
[nodes.words]
use = "jsonl.write"
from = "asr.words"
path = "-"
)");
}

ConformerOperator::ConformerOperator(const Params& params)
    : model_(model_of(params)),
      encoder_(model_.network, params.get<std::int64_t>("lookahead")),
      decoder_(model_.pieces) {
  if (params.context().device != "cpu" && !params.context().device.empty())
    throw bad_recipe("asr.conformer runs on cpu only");
}

void ConformerOperator::process(Packet in, Output& out) {
  const Audio& audio = in.as<Audio>();
  if (audio.rate() != kRate || audio.channels() != 1)
    throw bad_data("the audio has " + std::to_string(audio.rate()) + " Hz and " +
                   std::to_string(audio.channels()) +
                   " channels, expected 16000 Hz and 1; set rate = 16000 and channels = 1 on audio.read, "
                   "which resamples");
  const auto samples = audio.samples();
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (!std::isfinite(samples[i]))
      throw bad_data("the audio is not a number at " +
                     std::to_string(seconds(in.time + duration_of(static_cast<std::int64_t>(i), kRate))) +
                     " s");
  if (samples.empty()) return;
  if (started_) {
    const Time expected = base_ + duration_of(encoder_.samples(), kRate);
    if (in.time > expected + kHole) end_segment(out);
  }
  if (!started_) started_ = true, base_ = in.time;
  encoder_.push(samples,
                [&](std::int64_t first, const Conformer::Heads& heads) { decode(first, heads, out); });
}

void ConformerOperator::decode(std::int64_t first, const Conformer::Heads& heads, Output& out) {
  const at::Tensor posteriors = heads.logits[0].softmax(-1).contiguous(), times = heads.times[0].contiguous();
  const std::int64_t n = posteriors.size(0), classes = posteriors.size(1);
  std::vector<RecognisedWord> words;
  for (std::int64_t i = 0; i < n; ++i) {
    const float* row = posteriors.data_ptr<float>() + i * classes;
    const float* edge = times.data_ptr<float>() + i * 2;
    decoder_.step(first + i, {row, static_cast<std::size_t>(classes)}, edge[0], edge[1], words);
  }
  next_ = first + n;
  emit(words, out);
  if (!out.unused(1))
    if (const std::string open = decoder_.partial(); !open.empty())
      out.emit(1, Packet::of<Record>(at(next_ - 1), Object{{"partial", open}}));
}

void ConformerOperator::emit(const std::vector<RecognisedWord>& words, Output& out) {
  const double offset = seconds(base_);
  for (const auto& word : words) {
    out.emit(0, Packet::of<Record>(at(word.frame), Object{{"word", word.text},
                                                          {"start", rounded(offset + word.start)},
                                                          {"end", rounded(offset + word.end)},
                                                          {"confidence", rounded(word.confidence)}}));
    newest_ = newest_.size() > 60 ? word.text : newest_ + (newest_.empty() ? "" : " ") + word.text;
  }
}

void ConformerOperator::end_segment(Output& out) {
  encoder_.finish([&](std::int64_t first, const Conformer::Heads& heads) { decode(first, heads, out); });
  std::vector<RecognisedWord> words;
  decoder_.finish(next_, words);
  emit(words, out);
  decoder_ = CtcWordDecoder(model_.pieces);
  started_ = false;
  next_ = 0;
}

void ConformerOperator::finish(Output& out) {
  if (started_) end_segment(out);
}

void ConformerOperator::save(Archive& state) const {
  state.set("started", started_);
  state.set("base", base_);
  state.set("next", next_);
  encoder_.save(state.group("encoder"));
  decoder_.save(state.group("decoder"));
}

void ConformerOperator::load(const Archive& state) {
  started_ = state.get<bool>("started");
  base_ = state.get<Duration>("base");
  next_ = state.get<std::int64_t>("next");
  encoder_.load(state.group("encoder"));
  decoder_.load(state.group("decoder"));
}

std::size_t ConformerOperator::state_bytes() const { return encoder_.state_bytes() + sizeof(CtcWordDecoder); }

}  // namespace stream::asr
