#include "llm/study_part.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "llm/memory_full.hpp"
#include "stream/random.hpp"

namespace stream::llm {

TestStream test_stream(const PairTextShape& shape, double repeat, std::int64_t length, bool begin,
                       Random random) {
  TestStream out;
  if (begin) {
    out.tokens.push_back(0);
    out.facts.push_back({0});
  }
  PairText text(shape, repeat, random);
  while (static_cast<std::int64_t>(out.tokens.size()) < length) {
    out.facts.push_back(text.next());
    out.tokens.push_back(out.facts.back().id);
  }
  return out;
}

Scored scored(Session& session, std::span<const std::int32_t> tokens) {
  Scored out;
  out.nll.reserve(tokens.size());
  for (const std::int32_t token : tokens) {
    const auto logits = session.logits();
    if (logits.empty()) {
      out.nll.push_back(std::numeric_limits<float>::quiet_NaN());
      out.guesses.push_back(-1);
    } else {
      out.nll.push_back(static_cast<float>(surprisal(logits, token)));
      out.guesses.push_back(
          static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    }
    session.step(token);
  }
  return out;
}

double recall_in_context(const std::shared_ptr<const Decoder>& decoder, const PairTextShape& text,
                         std::uint64_t seed) {
  std::int64_t right = 0, asked = 0;
  for (std::int64_t i = 0; i < 64; ++i) {
    const TestStream s =
        test_stream(text, 0.6, 96, true, Random(stable_hash("context " + std::to_string(i), seed)));
    Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
    const Scored scores = scored(session, s.tokens);
    for (std::size_t t = 1; t < s.tokens.size(); ++t)
      if (s.facts[t].repeated) ++asked, right += scores.guesses[t] == s.tokens[t];
  }
  return static_cast<double>(right) / static_cast<double>(std::max<std::int64_t>(1, asked));
}

double mean_nll(const std::vector<float>& nll, std::size_t from, std::size_t to) {
  double sum = 0;
  to = std::min(to, nll.size());
  for (std::size_t i = from; i < to; ++i) sum += static_cast<double>(nll[i]);
  return to > from ? sum / static_cast<double>(to - from) : 0;
}

std::string decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

}  // namespace stream::llm
