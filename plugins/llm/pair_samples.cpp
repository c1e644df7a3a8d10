#include "llm/pair_samples.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {

PairSample pair_sample(const PairTextShape& shape, double repeat, std::int64_t length, PairLabels labels,
                       std::int64_t far, Random& random) {
  constexpr int kTries = 1000;
  for (int i = 0; i < kTries; ++i) {
    PairText text(shape, repeat, Random(random()));
    PairSample sample;
    sample.tokens.push_back(0);
    while (static_cast<std::int64_t>(sample.facts.size()) < length) {
      const PairText::Token token = text.next();
      sample.facts.push_back(token);
      sample.labels.push_back(labels == PairLabels::kFillers ? shape.is_filler(token.id)
                                                             : token.repeated && token.distance > far);
      sample.tokens.push_back(token.id);
    }
    sample.next = sample.tokens.back();
    sample.tokens.pop_back();
    if (std::count(sample.labels.begin(), sample.labels.end(), 1) > 0) return sample;
  }
  throw bad_recipe("in " + std::to_string(kTries) + " samples of " + std::to_string(length) +
                   " tokens nothing could be labelled: they are too short for it");
}

}  // namespace stream::llm
