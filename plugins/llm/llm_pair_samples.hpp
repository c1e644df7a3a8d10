/// llm.pair_samples: labelled samples of pair text, to find a small model's retrieval heads with.
#pragma once

#include "llm/made_texts.hpp"
#include "llm/pair_samples.hpp"
#include "stream/error.hpp"

namespace stream::llm {

class PairSampleSource final : public MadeTexts {
 public:
  static Spec spec() {
    const PairTextShape s = filler_text();
    return Spec("llm.pair_samples",
                "Generate labelled samples of pair text, to find a small model's retrieval heads with.")
        .output<Tensor>("out", "a sample each: [2, length] of int32, token ids and labels (0 or 1)")
        .param("samples", std::int64_t{2400}, "in all", range(1, 1e9))
        .param("length", std::int64_t{96}, "of a sample", range(2, 1e6), unit("tokens"))
        .param("label", "far_values",
               "what is labelled: the places in front of values that repeat one more than `far` tokens back; "
               "or, as "
               "a control, "
               "in front of filler symbols, for which the token before is enough",
               choices({"far_values", "fillers"}))
        .param("far", std::int64_t{16}, "tokens back", range(1, 1e6), unit("tokens"))
        .param("keys", s.keys, "key symbols", range(1, 1e5))
        .param("values", s.values, "value symbols", range(1, 1e5))
        .param("fillers", s.fillers, "filler symbols", range(0, 1e5))
        .param("gap", s.gap, "most filler symbols in front of a pair", range(0, 1000))
        .param("recent", s.recent, "pairs back from which a key is taken up again", range(1, 1e6))
        .param("memory", s.memory, "tokens back within which a value is repeated", range(1, 1e9),
               unit("tokens"))
        .param("repeat", 0.6, "probability that a key is taken up again", range(0, 1))
        .contract({.order = Order::kStateful})
        .about(
            "The text is that of llm.pair_text; a sample begins with the begin token (id 0), and every one "
            "has at "
            "least one "
            "label. Packets are stamped with their number, in nanoseconds.")
        .example("A few samples", R"([nodes.samples]
use     = "llm.pair_samples"
samples = 3

[nodes.out]
use  = "discard"
from = "samples"
)");
  }
  explicit PairSampleSource(const Params& p)
      : MadeTexts(p.get<std::int64_t>("samples"), p.random("samples")()),
        length_(p.get<std::int64_t>("length")),
        far_(p.get<std::int64_t>("far")),
        labels_(p.get<std::string>("label") == "fillers" ? PairLabels::kFillers : PairLabels::kFarValues),
        shape_{.keys = p.get<std::int64_t>("keys"),
               .values = p.get<std::int64_t>("values"),
               .fillers = p.get<std::int64_t>("fillers"),
               .gap = p.get<std::int64_t>("gap"),
               .recent = p.get<std::int64_t>("recent"),
               .memory = p.get<std::int64_t>("memory")},
        repeat_(p.get<double>("repeat")) {
    if (const std::string wrong = shape_.fault(); !wrong.empty()) throw bad_recipe(wrong);
  }

 private:
  Tensor text(std::int64_t, Random& random) const override {
    PairSample sample = pair_sample(shape_, repeat_, length_, labels_, far_, random);
    sample.tokens.insert(sample.tokens.end(), sample.labels.begin(), sample.labels.end());
    return Tensor::of(std::move(sample.tokens), {2, length_});
  }
  std::int64_t length_, far_;
  PairLabels labels_;
  PairTextShape shape_;
  double repeat_;
};

}  // namespace stream::llm
