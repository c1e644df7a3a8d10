/// llm.pair_text: texts of keys and values to train small models on.
#pragma once

#include "llm/made_texts.hpp"
#include "llm/pair_text.hpp"
#include "stream/error.hpp"

namespace stream::llm {

class PairTextSource final : public MadeTexts {
 public:
  static Spec spec() {
    const PairTextShape s;
    return Spec("llm.pair_text",
                "Generate texts of keys and values as token ids, to train small models of recall on.")
        .output<Tensor>("out", "a text each: [length] of int32")
        .param("documents", std::int64_t{1000}, "texts in all", range(1, 1e9))
        .param("length", std::int64_t{2000}, "of a text", range(1, 1e7), unit("tokens"))
        .param("keys", s.keys, "key symbols", range(1, 1e5))
        .param("values", s.values, "value symbols", range(1, 1e5))
        .param("fillers", s.fillers, "filler symbols", range(0, 1e5))
        .param("gap", s.gap, "most filler symbols in front of a pair", range(0, 1000))
        .param("recent", s.recent, "pairs back from which a key is taken up again", range(1, 1e6))
        .param("memory", s.memory, "tokens back within which a value is repeated", range(1, 1e9),
               unit("tokens"))
        .param("repeat_low", 0.3, "of the first text, the probability that a key is taken up again",
               range(0, 1))
        .param("repeat_high", 0.95, "of the 32nd; then it begins anew", range(0, 1))
        .contract({.order = Order::kStateful})
        .about(
            "Ids: 0 is left for a begin token, then come keys, values and fillers. A text is pairs key, "
            "value, with 0 "
            "to `gap` fillers in front of each. A key is one of the last `recent` with some probability, "
            "evenly "
            "spaced over 32 texts in turn, else any; its value is repeated when it was last seen at most "
            "`memory` "
            "tokens ago, else any. Texts rich in matches teach recall, poor ones teach silence. Packets are "
            "stamped "
            "with their number, in nanoseconds.")
        .example("A hundred tokens", R"([nodes.text]
use       = "llm.pair_text"
documents = 1
length    = 100

[nodes.out]
use  = "discard"
from = "text"
)");
  }
  explicit PairTextSource(const Params& p)
      : MadeTexts(p.get<std::int64_t>("documents"), p.random("text")()),
        length_(p.get<std::int64_t>("length")),
        shape_{.keys = p.get<std::int64_t>("keys"),
               .values = p.get<std::int64_t>("values"),
               .fillers = p.get<std::int64_t>("fillers"),
               .gap = p.get<std::int64_t>("gap"),
               .recent = p.get<std::int64_t>("recent"),
               .memory = p.get<std::int64_t>("memory")},
        low_(p.get<double>("repeat_low")),
        high_(p.get<double>("repeat_high")) {
    if (const std::string wrong = shape_.fault(); !wrong.empty()) throw bad_recipe(wrong);
  }

 private:
  Tensor text(std::int64_t number, Random& random) const override {
    PairText made(shape_, low_ + (high_ - low_) * static_cast<double>(number % 32) / 31, random);
    return Tensor::of(made.take(length_), {length_});
  }
  std::int64_t length_;
  PairTextShape shape_;
  double low_, high_;
};

}  // namespace stream::llm
