#include "asr/study_conformer.hpp"

#include "asr/model_file.hpp"
#include "asr/study_cost.hpp"
#include "asr/study_endurance.hpp"
#include "asr/study_equality.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr const char *kEquality = "equality", *kEndurance = "endurance", *kCost = "cost";
/// Utterances of the test split that are repeated where an hour of speech is needed.
constexpr std::int64_t kRepeated = 20;

std::int64_t frames_of(double seconds) { return std::llround(seconds / kFrameSeconds); }
}  // namespace

Spec ConformerStudy::spec() {
  return Spec("asr.study_conformer",
              "A study: streaming with caches against whole recordings and against buffered streaming.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", \"series\", \"x\", \"y\"}")
      .path("model", "models/captions-en.h5", "a recogniser in HDF5, as `asr.train` writes it")
      .param("parts", std::vector<std::string>{kEquality, kEndurance, kCost},
             "what is measured, in this order", choices({kEquality, kEndurance, kCost}))
      .param("utterances", static_cast<std::int64_t>(300), "of SpokenText-1's test split, for equality",
             range(1, 1e6))
      .param("minutes", static_cast<std::int64_t>(60), "of audio, for the growth of state and time",
             range(1, 1e5), unit("min"))
      .param("pairs", static_cast<std::int64_t>(50),
             "runs of eight chunks timed for each look-ahead, for the cost", range(1, 1e6))
      .param("buffer", 4.0, "window of buffered streaming; a multiple of 80 ms", range(0.08, 60), unit("s"))
      .param("quick", false, "a tenth of the utterances and minutes, a quarter of the pairs, the same bars")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Equality: every utterance goes through the streaming encoder in pieces of 1 to 4000 samples, and "
          "at once through the same network under the same mask, for every look-ahead of the model; encoder "
          "outputs may differ by 1e-5 and the greedily decoded tokens not at all. The baseline is buffered "
          "streaming against its own whole-recording output.\n\n"
          "Endurance: `asr.conformer` with the model's default look-ahead holds the same bytes after 10 "
          "seconds and at the end, and the chunks of its last minute take as long, within 10 %, as those of "
          "another instance in its first minute, timed in turn on the same speech, repeated.\n\n"
          "Cost: the encoder's multiply-adds, counted in the kernels that execute them, of buffered and of "
          "cached streaming, are at least 0.9 x buffer / chunk apart; the times of a chunk from samples to "
          "logits at least 2.5 times at 480 ms of look-ahead and 4 times at 80 ms. Buffered streaming runs "
          "the same encoder with full context on overlapping windows that move by a chunk; its mel frames "
          "and position encodings are computed once, as those of cached streaming.\n\n"
          "Speech is SpokenText-1's test split of the run's seed. Times are the thread's processor time on "
          "this "
          "machine, wall-clock times stand beside them; "
          "everything else is the same for the same seed.")
      .paper(
          "Noroozi, Majumdar, Kumar, Balam, Ginsburg, Stateful Conformer with Cache-based Inference for "
          "Streaming Automatic Speech Recognition, arXiv 2312.17279")
      .example("Its first part, shortened", R"(title = "Streaming equals the whole recording"
[nodes.study]
use = "asr.study_conformer"
parts = ["equality"]
utterances = 5
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

ConformerStudy::ConformerStudy(const Params& p)
    : StudySource(p.get<std::vector<std::string>>("parts")),
      model_(p.input_path("model")),
      context_(p.context()),
      network_(load_model(model_).network),
      utterances_(p.get<std::int64_t>("utterances")),
      minutes_(p.get<std::int64_t>("minutes")),
      pairs_(p.get<std::int64_t>("pairs")),
      window_(frames_of(p.get<double>("buffer"))) {
  if (context_.device != "cpu" && !context_.device.empty())
    throw bad_recipe("asr.study_conformer runs on cpu only");
  const double buffer = p.get<double>("buffer");
  if (std::abs(static_cast<double>(window_) * kFrameSeconds - buffer) > 1e-6)
    throw bad_recipe("buffer is " + std::to_string(buffer) + " s, expected a multiple of 0.08 s");
  for (const std::int64_t r : network_->shape().lookaheads)
    if (r + 1 > window_)
      throw bad_recipe("buffer is " + std::to_string(buffer) + " s, less than a chunk at " +
                       lookahead_text(r));
  if (p.get<bool>("quick")) {
    utterances_ = std::max<std::int64_t>(1, utterances_ / 10);
    minutes_ = std::max<std::int64_t>(std::min<std::int64_t>(minutes_, 2), minutes_ / 10);
    pairs_ = std::max<std::int64_t>(1, pairs_ / 4);
  }
}

std::vector<float> ConformerStudy::speech() const {
  Corpus corpus({.seed = context_.seed, .split = Split::kTest});
  std::vector<float> out;
  for (std::int64_t i = 0; i < std::min(kRepeated, utterances_); ++i) {
    const SpokenUtterance u = corpus.utterance(i);
    out.insert(out.end(), u.samples.begin(), u.samples.end());
  }
  return out;
}

std::unique_ptr<StudyPart> ConformerStudy::part(const std::string& which) const {
  if (which == kEquality)
    return std::make_unique<EqualityStudy>(
        network_,
        EqualityStudy::Options{.utterances = utterances_, .window = window_, .seed = context_.seed});
  if (which == kEndurance)
    return std::make_unique<EnduranceStudy>(
        Object{{"model", model_}}, context_, speech(),
        EnduranceStudy::Options{.minutes = minutes_, .lookahead = network_->shape().lookaheads.front()});
  return std::make_unique<CostStudy>(network_, speech(),
                                     CostStudy::Options{.window = window_, .pairs = pairs_});
}

}  // namespace stream::asr
