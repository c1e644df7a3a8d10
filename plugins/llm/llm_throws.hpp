/// llm.throws: games of rock-paper-scissors to train small models on.
#pragma once

#include "llm/made_texts.hpp"
#include "llm/throw_text.hpp"
#include "stream/error.hpp"

namespace stream::llm {

class ThrowSource final : public MadeTexts {
 public:
  static Spec spec() {
    const ThrowShape s;
    return Spec(
               "llm.throws",
               "Generate an opponent's throws at rock-paper-scissors as token ids, to train small models on.")
        .output<Tensor>("out", "a game each: [length] of int32")
        .param("documents", std::int64_t{1000}, "games in all", range(1, 1e9))
        .param("length", std::int64_t{2000}, "of a game", range(1, 1e7), unit("tokens"))
        .param("period", s.period, "rounds until another throw becomes the favourite", range(1, 1e6))
        .param("favourite", s.favourite, "probability of the favourite", range(0, 1))
        .param("second", s.second, "probability of the throw that comes second; the third has the rest",
               range(0, 1))
        .param("call", s.call, "a token in front of each throw, the same in every round")
        .contract({.order = Order::kStateful})
        .about(
            "Ids: 0 is left for a begin token, 1 to 3 are the throws, 4 is the call. Which throw is the "
            "favourite, the second and the third is drawn for each game, and again after every `period` "
            "rounds, the favourite being another one each time. Games are independent of each other. Packets "
            "are stamped with their number, in nanoseconds.")
        .example("Fifty rounds", R"([nodes.game]
use       = "llm.throws"
documents = 1
length    = 100

[nodes.out]
use  = "discard"
from = "game"
)");
  }
  explicit ThrowSource(const Params& p)
      : MadeTexts(p.get<std::int64_t>("documents"), p.random("text")()),
        length_(p.get<std::int64_t>("length")),
        shape_{.period = p.get<std::int64_t>("period"),
               .favourite = p.get<double>("favourite"),
               .second = p.get<double>("second"),
               .call = p.get<bool>("call")} {
    if (const std::string wrong = shape_.fault(); !wrong.empty()) throw bad_recipe(wrong);
  }

 private:
  Tensor text(std::int64_t, Random& random) const override {
    return Tensor::of(ThrowText(shape_, random).take(length_), {length_});
  }
  std::int64_t length_;
  ThrowShape shape_;
};

}  // namespace stream::llm
