#include "llm/study_streaming.hpp"

#include <algorithm>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

constexpr const char *kStreamingExact = "exact", *kStreamingQuality = "quality",
                     *kStreamingControl = "control", *kStreamingSpeed = "speed";

}  // namespace

Spec StreamingStudy::spec() {
  return Spec("llm.study_streaming",
              "A study: attention sinks and a rolling window against dense, window and re-computation.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", "
                      "\"series\", \"x\", \"y\"}")
      .path("model", "models/pairs-begin-0.h5",
            "the first of the models with a begin token that recipe train-pair-text made; the others lie "
            "beside it, with "
            "other seeds for 0")
      .path("plain", "models/pairs-plain-0.h5", "the same, trained without a begin token")
      .param("train", false, "train the models in this run instead, from its seed: some minutes more")
      .param("seeds", std::int64_t{2}, "models, from seed 0 on", range(1, 100))
      .param("caches", std::vector<std::int64_t>{16, 32}, "tokens kept", range(8, 1 << 20))
      .param("streams", std::int64_t{16}, "texts of 400 tokens for the tables", range(1, 1e5))
      .param("tokens", std::int64_t{20'000}, "of the long stream", range(1000, 1e8))
      .param("parts",
             std::vector<std::string>{kStreamingExact, kStreamingQuality, kStreamingControl, kStreamingSpeed},
             "what is measured, in this order",
             choices({kStreamingExact, kStreamingQuality, kStreamingControl, kStreamingSpeed}))
      .param("quick", false,
             "one model, 4 texts, a tenth of the long stream; the same bars, but those on growth with time")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Exact: the first tokens are dense attention bit for bit, what follows is a plain computation in "
          "double "
          "precision over the kept keys as they came, at places in the cache, to 1e-5; memory is constant to "
          "the "
          "byte, the process does not grow.\n\n"
          "Quality: pair text (recipe train-pair-text) with a probability of 0.4 of taking a key up again. "
          "With one "
          "sink the model must stay within 0.08 nats of re-computation from the begin token and the last "
          "tokens; the "
          "window without it is at least 0.7 nats worse, dense attention at least 1.0 from four times the "
          "context on, "
          "positions in the stream at least 0.12 and more so with distance. Recall of repeated values: 0.97 "
          "inside of "
          "the cache, chance and 4 points outside. A head must have learnt the sink: half of its mass where "
          "the next "
          "value is new, at least 0.3 less where it repeats.\n\n"
          "Control: a model without a begin token, no bars. Speed: random weights, 4 layers of width 256; at "
          "least 8 "
          "times faster than re-computation with 128 tokens kept, more with 256, and as fast for a token "
          "late in the "
          "stream as early on, within 10 %.")
      .paper(
          "Xiao, Tian, Chen, Han, Lewis, Efficient Streaming Language Models with Attention Sinks, ICLR 2024")
      .example("Quality, briefly", R"(title = "StreamingLLM, briefly"
[nodes.study]
use     = "llm.study_streaming"
parts   = ["quality"]
seeds   = 1
caches  = [16]
streams = 2
tokens  = 1000

[nodes.claims]
use  = "jsonl.write"
from = "study"
)");
}

StreamingStudy::StreamingStudy(const Params& p) : StudySource(parts_by_seed(p, {kStreamingQuality})) {
  const bool quick = p.get<bool>("quick"), train = p.get<bool>("train");
  options_.model = train ? "" : p.input_path("model");
  options_.plain = train ? "" : p.input_path("plain");
  options_.caches = p.get<std::vector<std::int64_t>>("caches");
  if (options_.caches.empty()) throw bad_recipe("caches is empty");
  options_.streams = p.get<std::int64_t>("streams");
  options_.tokens = p.get<std::int64_t>("tokens");
  options_.seed = p.context().seed;
  if (quick) {
    options_.streams = std::min<std::int64_t>(4, options_.streams);
    options_.tokens = std::max<std::int64_t>(1000, options_.tokens / 10);
    options_.speed_tokens = 2000;
  }
}

std::unique_ptr<StudyPart> StreamingStudy::part(const std::string& which) const {
  if (which == kStreamingExact) return streaming_exact(options_);
  if (which == kStreamingControl) return streaming_control(options_);
  if (which == kStreamingSpeed) return streaming_speed(options_);
  return streaming_quality(options_, seed_of_part(which));
}

}  // namespace stream::llm
