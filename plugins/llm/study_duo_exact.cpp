#include <algorithm>
#include <chrono>
#include <cmath>

#include "llm/memory_duo.hpp"
#include "llm/memory_full.hpp"
#include "llm/plain_decoder.hpp"
#include "llm/random_model.hpp"
#include "llm/study_duo.hpp"
#include "llm/study_part.hpp"

namespace stream::llm {
namespace {

using Clock = std::chrono::steady_clock;
using Table = std::vector<std::vector<bool>>;

/// Layer 0: the first head is full, layer 1: the second, and so on.
Table half(const ModelConfig& c) {
  Table out;
  for (std::int64_t l = 0; l < c.layers; ++l) {
    out.emplace_back();
    for (std::int64_t h = 0; h < c.kv_heads; ++h) out.back().push_back((l + h) % 2 == 0);
  }
  return out;
}

/// Two heads of queries share one of keys; random weights.
ModelConfig grouped() {
  ModelConfig c = llama_shape(2, 64, 16, 96, 125, 256);
  c.kv_heads = 2;
  return c;
}

class DuoExact final : public JobsPart {
 public:
  explicit DuoExact(const DuoStudy::Options& o)
      : options_(o),
        maker_(o.model, filler_recipe(), o.seed * 1000),
        grouped_(random_model(grouped(), o.seed + 3)) {
    job("model", [this] { return maker_.step(); });
    for (const bool shared : {false, true}) {
      once("bytes", [this, shared] { bytes(shared); });
      once("all full", [this, shared] { all_full(shared); });
      once("chunks", [this, shared] { chunks(shared); });
    }
  }

 private:
  const LanguageModel& model(bool shared) const { return shared ? grouped_ : maker_.model(); }
  static std::string name(bool shared) { return shared ? "heads that share keys: " : "pair text: "; }
  std::vector<std::int32_t> text(std::int64_t length) const {
    return test_stream(filler_text(), 0.6, length, true, Random(stable_hash("exact", options_.seed))).tokens;
  }
  Session session(const std::shared_ptr<const Decoder>& decoder, Table table) const {
    return Session(decoder, std::make_unique<DuoMemory>(decoder->config(), decoder->rope(),
                                                        DuoMemory::Options{std::move(table), options_.sinks,
                                                                           options_.recent, false}));
  }

  void bytes(bool shared) {
    const auto decoder = std::make_shared<const Decoder>(model(shared));
    const ModelConfig& c = decoder->config();
    const Table table = half(c);
    Session s = session(decoder, table);
    std::int64_t wrong = 0, length = 0;
    std::size_t expected = 0;
    for (const std::int32_t token : text(300)) {
      s.step(token);
      ++length;
      expected = 0;
      for (const auto& layer : table)
        for (const bool full : layer)
          expected += static_cast<std::size_t>(
              2 * c.head_dim * 4 * (full ? length : std::min(length, options_.sinks + options_.recent)));
      wrong += s.memory().resident_bytes() != expected;
    }
    claim(name(shared) +
              "tokens of 300 after which the bytes of keys and values are not 2 d 4 (F L + S min(L, sinks + "
              "recent)) summed over layers; the bytes in the end",
          Value(), static_cast<std::int64_t>(expected), wrong, "= 0", wrong == 0);
  }

  void all_full(bool shared) {
    const auto decoder = std::make_shared<const Decoder>(model(shared));
    Table table = half(decoder->config());
    for (auto& layer : table) layer.assign(layer.size(), true);
    Session duo = session(decoder, table);
    Session full(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
    double worst = 0;
    for (const std::int32_t token : text(200)) {
      duo.step(token), full.step(token);
      for (std::size_t i = 0; i < full.logits().size(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(duo.logits()[i] - full.logits()[i])));
    }
    claim(name(shared) + "all heads full, against the model itself: largest difference of a logit", Value(),
          Value(), worst, "<= 1e-6", worst <= 1e-6);
  }

  /// A streaming head's query sees what stood in its cache when its chunk began, and the chunk up to itself.
  void chunks(bool shared) {
    const auto decoder = std::make_shared<const Decoder>(model(shared));
    const Table table = half(decoder->config());
    const auto tokens = text(96);
    double worst = 0, scale = 0;
    for (const std::int64_t chunk : {1, 7, 32}) {
      const plain::Rows expected =
          plain::Decoder(model(shared))
              .logits_by_head(tokens, [&](std::int64_t t, std::int64_t l, std::int64_t h) {
                plain::View view{{}, t};
                const bool full = table[static_cast<std::size_t>(l)][static_cast<std::size_t>(h)];
                const std::int64_t start = t / chunk * chunk;
                for (std::int64_t s = 0; s <= t; ++s)
                  if (full || s < options_.sinks || s >= start - options_.recent) view.seen.push_back({s, s});
                return view;
              });
      Session s = session(decoder, table);
      for (std::size_t at = 0; at < tokens.size(); at += static_cast<std::size_t>(chunk)) {
        const std::size_t n = std::min(static_cast<std::size_t>(chunk), tokens.size() - at);
        s.feed({tokens.data() + at, n}, [&](std::size_t i, std::span<const float> logits) {
          for (std::size_t k = 0; k < logits.size(); ++k) {
            worst = std::max(worst, std::abs(static_cast<double>(logits[k]) - expected[at + i][k]));
            scale = std::max(scale, std::abs(expected[at + i][k]));
          }
        });
      }
    }
    claim(name(shared) +
              "chunks of 1, 7 and 32 tokens, half of the heads streaming: largest difference from plain "
              "arithmetic "
              "under the mask, of the largest logit (" +
              decimals(scale) + ")",
          Value(), Value(), worst / scale, "<= 1e-5", worst <= 1e-5 * scale);
  }

  DuoStudy::Options options_;
  ModelMaker maker_;
  LanguageModel grouped_;
};

class Speed final : public JobsPart {
 public:
  explicit Speed(const DuoStudy::Options& o) : options_(o) {
    once("weights", [this] {
      ModelConfig c = llama_shape(2, 256, 64, 256, 256, 1 << 20);
      decoder_ = std::make_shared<const Decoder>(random_model(c, options_.seed + 5));
    });
    once("filling memory", [this] {
      full_ = std::make_unique<FullMemory>(decoder_->config(), decoder_->rope());
      duo_ = std::make_unique<DuoMemory>(decoder_->config(), decoder_->rope(),
                                         DuoMemory::Options{half(decoder_->config()), 64, 256, false});
      products_ = {fill(*full_), fill(*duo_)};
    });
    once("decoding", [this] { decode(); });
  }

 private:
  static constexpr std::int64_t kChunk = 1024;

  /// Passes random keys and values in chunks, as a prefill would, and counts the products of a query and a
  /// key that attention to the segments computes.
  double fill(Memory& memory) const {
    const ModelConfig& c = decoder_->config();
    std::vector<float> rows(static_cast<std::size_t>(kChunk * c.query_width()));
    Random random(3);
    for (float& v : rows) v = static_cast<float>(random.uniform(-1, 1));
    double products = 0;
    std::vector<Segment> segments;
    for (std::int64_t at = 0; at < options_.speed_tokens; at += kChunk) {
      for (std::int64_t l = 0; l < c.layers; ++l) {
        memory.append(l, kChunk, rows.data(), rows.data(), rows.data());
        segments.clear();
        memory.segments(l, kChunk, segments);
        for (const Segment& s : segments)
          products += static_cast<double>(kChunk) * static_cast<double>(s.count) *
                      static_cast<double>(s.heads < 0 ? c.kv_heads : s.heads);
      }
      memory.commit(kChunk);
    }
    return products;
  }

  void decode() {
    const ModelConfig& c = decoder_->config();
    const auto heads = static_cast<double>(c.layers * c.kv_heads), chunk = static_cast<double>(kChunk);
    const double chunks = static_cast<double>(options_.speed_tokens) / chunk;
    const double full = heads * chunk * chunk * chunks * (chunks + 1) / 2;
    const double streaming = heads * chunk * (chunk + (chunks - 1) * (chunk + 64 + 256));
    claim("products of queries and keys in a prefill of " + std::to_string(options_.speed_tokens) +
              " tokens in chunks of " + std::to_string(kChunk) + ", half of the heads streaming / all full",
          "up to 1.73x faster at 100K tokens", products_.first, products_.second / products_.first,
          "= " + decimals((full + streaming) / 2 / full),
          products_.first == full && products_.second == (full + streaming) / 2);
    const double bytes =
        static_cast<double>(duo_->resident_bytes()) / static_cast<double>(full_->resident_bytes());
    Session whole(decoder_, std::move(full_)), some(decoder_, std::move(duo_));
    std::vector<double> slow, fast;
    Random random(9);
    for (int round = 0; round < 15; ++round) {
      const auto token = static_cast<std::int32_t>(random.below(256));
      const auto seconds = [&](Session& s) {
        const auto start = Clock::now();
        s.step(token);
        return std::chrono::duration<double>(Clock::now() - start).count();
      };
      slow.push_back(seconds(whole));
      fast.push_back(seconds(some));
    }
    const double ratio = median(fast) / median(slow);
    claim("time to decode a token with " + std::to_string(options_.speed_tokens) +
              " in memory, half of the heads streaming / all full (bytes " + decimals(bytes) + ")",
          "up to 2.18x faster", quantity(1e3 * median(slow), "ms"), ratio, "<= 0.65", ratio <= 0.65);
  }

  /// In a quick run too little is in memory for time to be judged.
  std::vector<Object> records() const override {
    auto out = JobsPart::records();
    if (!options_.quick || out.size() < 2) return out;
    std::vector<Object> last = unjudged({out.back()});
    out.back() = last.front();
    return out;
  }

  DuoStudy::Options options_;
  std::shared_ptr<const Decoder> decoder_;
  std::unique_ptr<Memory> full_, duo_;
  std::pair<double, double> products_;
};

}  // namespace

std::unique_ptr<StudyPart> duo_exact(const DuoStudy::Options& options) {
  return std::make_unique<DuoExact>(options);
}
std::unique_ptr<StudyPart> duo_speed(const DuoStudy::Options& options) {
  return std::make_unique<Speed>(options);
}

}  // namespace stream::llm
