#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>

#include "llm/memory_full.hpp"
#include "llm/memory_recompute.hpp"
#include "llm/memory_sink.hpp"
#include "llm/plain_decoder.hpp"
#include "llm/random_model.hpp"
#include "llm/study_part.hpp"
#include "llm/study_streaming.hpp"

namespace stream::llm {
namespace {

using Clock = std::chrono::steady_clock;

/// Bytes of this process that are in memory.
double resident_bytes() {
  double pages = 0, total = 0;
  std::ifstream("/proc/self/statm") >> total >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

Session sink_session(const std::shared_ptr<const Decoder>& decoder, std::int64_t sinks, std::int64_t recent,
                     SinkMemory::Keys keys = SinkMemory::Keys::kTurned) {
  return Session(decoder, std::make_unique<SinkMemory>(decoder->config(), decoder->rope(),
                                                       SinkMemory::Options{sinks, recent, keys}));
}

class StreamingExact final : public JobsPart {
 public:
  explicit StreamingExact(const StreamingStudy::Options& o)
      : options_(o), maker_(o.model, {.text = streaming_text()}, o.seed * 1000) {
    job("model", [this] { return maker_.step(); });
    for (const std::int64_t c : o.caches) {
      once("bit for bit", [this, c] { bit_for_bit(c); });
      once("against plain arithmetic", [this, c] { against_plain(c); });
      once("memory", [this, c] { memory(c); });
    }
  }

 private:
  TestStream text(std::int64_t length) const {
    return test_stream(streaming_text(), 0.4, length, true, Random(stable_hash("exact", options_.seed)));
  }
  static std::string kept(std::int64_t c) { return std::to_string(c) + " kept: "; }

  void bit_for_bit(std::int64_t c) {
    decoder_ = std::make_shared<const Decoder>(maker_.model());
    const TestStream stream = text(2 * c + 2);
    Session dense(decoder_, std::make_unique<FullMemory>(decoder_->config(), decoder_->rope()));
    Session sink = sink_session(decoder_, 1, c - 1);
    std::int64_t equal = 0;
    bool all = true;
    for (const std::int32_t token : stream.tokens) {
      dense.step(token);
      sink.step(token);
      all = all && std::ranges::equal(dense.logits(), sink.logits());
      equal += all;
    }
    // Nothing has been dropped before the token behind the one that fills the cache has been computed.
    claim(kept(c) + "tokens whose logits are those of dense attention, bit for bit", Value(), 2 * c + 2,
          equal, "= " + std::to_string(c + 1), equal == c + 1);
  }

  void against_plain(std::int64_t c) {
    const TestStream stream = text(4 * c + 60);
    Session turned = sink_session(decoder_, 1, c - 1),
            raw = sink_session(decoder_, 1, c - 1, SinkMemory::Keys::kRaw);
    const plain::Rows expected = plain::Decoder(maker_.model()).logits(stream.tokens, [c](std::int64_t t) {
      return plain::window_with_sinks(t, 1, c - 1);
    });
    double worst = 0, worst_raw = 0;
    for (std::size_t t = 0; t < stream.tokens.size(); ++t) {
      turned.step(stream.tokens[t]);
      raw.step(stream.tokens[t]);
      for (std::size_t i = 0; i < expected[t].size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(turned.logits()[i]) - expected[t][i]));
        worst_raw = std::max(worst_raw, std::abs(static_cast<double>(raw.logits()[i]) - expected[t][i]));
      }
    }
    double scale = 0;
    for (const auto& row : expected)
      for (const double v : row) scale = std::max(scale, std::abs(v));
    // Logits of this size carry a rounding of their own: the bar is relative to the largest.
    claim(kept(c) +
              "largest difference from plain arithmetic over the kept keys as they came, of the largest "
              "logit (" +
              decimals(scale) + ")",
          Value(), worst_raw / scale, worst / scale, "<= 1e-5, both ways of keeping keys",
          worst <= 1e-5 * scale && worst_raw <= 1e-5 * scale);
  }

  void memory(std::int64_t c) {
    const TestStream stream = text(options_.tokens);
    Session session = sink_session(decoder_, 1, c - 1);
    const ModelConfig& config = decoder_->config();
    const auto expected =
        static_cast<std::size_t>(2 * config.layers * config.kv_heads * c * config.head_dim * 4);
    std::size_t least = std::numeric_limits<std::size_t>::max(), most = 0;
    double before = 0;
    for (std::size_t t = 0; t < stream.tokens.size(); ++t) {
      session.step(stream.tokens[t]);
      if (t + 1 < static_cast<std::size_t>(c)) continue;
      least = std::min(least, session.memory().resident_bytes());
      most = std::max(most, session.memory().resident_bytes());
      if (t == 500) before = resident_bytes();
    }
    const double grown = resident_bytes() - before;
    Archive state;
    session.save(state);
    const auto saved = static_cast<std::int64_t>(state.group("memory").bytes());
    claim(kept(c) + "bytes of keys and values from token " + std::to_string(c) + " to " +
              std::to_string(options_.tokens),
          "constant", static_cast<std::int64_t>(most), static_cast<std::int64_t>(least),
          "= " + std::to_string(expected), least == expected && most == expected);
    claim(kept(c) + "growth of the whole process after token 500 (bytes); a checkpoint holds " +
              std::to_string(saved),
          "constant", Value(), grown, "<= 1 MB, and a checkpoint no more than the cache and 1 KB",
          grown <= 1e6 && saved <= static_cast<std::int64_t>(expected) + 1024);
  }

  StreamingStudy::Options options_;
  ModelMaker maker_;
  std::shared_ptr<const Decoder> decoder_;
};

class Speed final : public JobsPart {
 public:
  explicit Speed(const StreamingStudy::Options& o) : options_(o) {
    once("weights", [this] {
      decoder_ = std::make_shared<const Decoder>(
          random_model(llama_shape(4, 256, 32, 512, 512, 512), options_.seed + 1));
    });
    for (const std::int64_t c : {128, 256})
      once("re-computation, " + std::to_string(c), [this, c] { compare(c); });
    job("late tokens", [this] { return late(); });
  }

 private:
  std::int32_t token() { return static_cast<std::int32_t>(random_.below(512)); }
  template <typename F>
  static double seconds_of(F f) {
    const auto start = Clock::now();
    f();
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  /// Medians of turns, so that what else the machine does hits both alike.
  void compare(std::int64_t c) {
    Session sink = sink_session(decoder_, 4, c - 4);
    Session anew(decoder_, std::make_unique<RecomputeMemory>(decoder_->config(), decoder_->rope(),
                                                             RecomputeMemory::Options{0, c}));
    for (std::int64_t i = 0; i < c + 1; ++i) sink.step(token());
    // Re-computation of the tokens before its window is full would only take time: they come in one go.
    anew.step(token());
    for (std::int64_t i = 0; i < c; ++i) anew.memory().replay(token());
    std::vector<double> fast, slow;
    for (int round = 0; round < 15; ++round) {
      slow.push_back(seconds_of([&] { anew.step(token()); }));
      fast.push_back(seconds_of([&] {
                       for (int i = 0; i < 20; ++i) sink.step(token());
                     }) /
                     20);
    }
    const double ratio = median(slow) / median(fast);
    ratios_.push_back(ratio);
    claim(std::to_string(c) + " kept: re-computation / sinks and window, time for a token", "up to 22.2x",
          quantity(1e3 * median(slow), "ms"), ratio, c == 128 ? ">= 8" : "more than with 128",
          c == 128 ? ratio >= 8 : ratio > ratios_.front());
    point("Speed-up over re-computation", "measured", static_cast<double>(c), ratio);
  }

  bool late() {
    constexpr std::int64_t kKept = 128;
    if (!old_) {
      old_ = std::make_unique<Session>(sink_session(decoder_, 4, kKept - 4));
    }
    for (int i = 0; i < 1000 && old_->tokens() < options_.speed_tokens; ++i) old_->step(token());
    if (old_->tokens() < options_.speed_tokens) return false;
    Session young = sink_session(decoder_, 4, kKept - 4);
    for (int i = 0; i < 500; ++i) young.step(token());
    std::vector<double> ratio, base;
    for (int round = 0; round < 41; ++round) {
      const auto some = [&](Session& s) {
        return seconds_of([&] {
          for (int i = 0; i < 10; ++i) s.step(token());
        });
      };
      // In turns, and each first half of the time.
      const bool first = round % 2 == 0;
      const double a = first ? some(young) : some(*old_), b = first ? some(*old_) : some(young);
      ratio.push_back(first ? b / a : a / b);
      base.push_back((first ? a : b) / 10);
    }
    claim("time for a token at token " + std::to_string(options_.speed_tokens) + " / at token 500",
          "constant", quantity(1e3 * median(base), "ms"), median(ratio), "0.9 to 1.1",
          median(ratio) >= 0.9 && median(ratio) <= 1.1);
    return true;
  }

  StreamingStudy::Options options_;
  std::shared_ptr<const Decoder> decoder_;
  std::unique_ptr<Session> old_;
  std::vector<double> ratios_;
  Random random_{5};
};

}  // namespace

std::unique_ptr<StudyPart> streaming_exact(const StreamingStudy::Options& options) {
  return std::make_unique<StreamingExact>(options);
}

std::unique_ptr<StudyPart> streaming_speed(const StreamingStudy::Options& options) {
  return std::make_unique<Speed>(options);
}

}  // namespace stream::llm
