/// Language models: decoding against a plain read of the same bytes, prefill against the rate of matrix
/// products, a rolling window against re-computation. All times are processor time, which is what one core
/// has to give; the rest of the machine may be busy.
#include <cblas.h>
#include <algorithm>
#include <cstdlib>
#include <span>

#include "clock.hpp"
#include "compare.hpp"
#include "llm/kernels.hpp"
#include "llm/memory_full.hpp"
#include "llm/memory_recompute.hpp"
#include "llm/memory_sink.hpp"
#include "llm/random_model.hpp"
#include "llm/session.hpp"
#include "llm/weight_memory.hpp"

namespace stream::bench {
namespace {

using namespace stream::llm;

struct Size {
  const char* name;
  std::int64_t layers, hidden, ffn, vocabulary;
};
constexpr Size kSizes[] = {
    {"10 M", 5, 384, 1024, 1024}, {"100 M", 8, 1024, 2816, 4096}, {"500 M", 16, 1536, 4352, 8192}};

std::shared_ptr<const Decoder> decoder_of(const Size& s, WeightType type) {
  return std::make_shared<const Decoder>(
      random_model(llama_shape(s.layers, s.hidden, 64, s.ffn, s.vocabulary, 4096), 1), type);
}

/// Seconds of a token, with 256 tokens of cache, and of reading as many bytes as that token needs.
std::vector<Row> decoding() {
  struct Case {
    const char* name;
    WeightType type;
    double share;  ///< of the rate of a plain read that must be reached
    std::size_t sizes;
  };
  std::vector<Row> rows;
  for (const Case& c :
       {Case{"float32", WeightType::kFloat32, 0.6, 3}, Case{"bfloat16", WeightType::kBFloat16, 0.5, 2},
        Case{"float16", WeightType::kFloat16, 0.5, 2}, Case{"int8", WeightType::kInt8, 0.5, 3}})
    for (std::size_t i = 0; i < c.sizes; ++i) {
      const auto decoder = decoder_of(kSizes[i], c.type);
      constexpr std::int64_t kKept = 256;
      Session session(decoder, std::make_unique<SinkMemory>(decoder->config(), decoder->rope(),
                                                            SinkMemory::Options{4, kKept - 4}));
      std::vector<std::int32_t> past(kKept + 1, 7);
      session.feed(past);
      const std::size_t bytes = decoder->bytes_per_token() + session.memory().resident_bytes();
      // Where our weights lie, too.
      WeightMemory room;
      const std::span<float> memory(static_cast<float*>(room.take(bytes)), bytes / sizeof(float));
      std::ranges::fill(memory, 1.0f);
      const int tokens = i == 0 ? 20 : 3;
      float sink = 0;
      const Comparison both = compare(
          7,
          [&] {
            return 1e3 * thread_seconds_of([&] {
                     for (int t = 0; t < tokens; ++t) session.step(7);
                   }) /
                   tokens;
          },
          [&] {
            return 1e3 * thread_seconds_of([&] {
                     for (int t = 0; t < tokens; ++t)
                       sink += kernels().read(memory.data(), static_cast<std::int64_t>(memory.size()));
                   }) /
                   tokens;
          });
      if (sink == 1) std::abort();  // the sum is used
      char rate[48];
      std::snprintf(rate, sizeof rate, ", %.1f GB/s", 1e-6 * static_cast<double>(bytes) / both.ours);
      rows.push_back(row(std::string("decoding, ") + kSizes[i].name + ", " + c.name + rate,
                         "a plain read of its bytes", "ms", both, 1 / c.share));
    }
  return rows;
}

/// Milliseconds of a prompt of 512 tokens, and of its multiplications at the rate of a large square product.
std::vector<Row> prefill() {
  std::vector<Row> rows;
  openblas_set_num_threads(1);  // the time of one thread is what is compared
  for (const auto& [name, type] :
       {std::pair("float32", WeightType::kFloat32), std::pair("int8", WeightType::kInt8)}) {
    constexpr std::int64_t kTokens = 512, kSide = 1024;
    const Size& size = kSizes[1];
    const auto decoder = decoder_of(size, type);
    const double weights = static_cast<double>(size.layers) *
                           static_cast<double>(4 * size.hidden * size.hidden + 3 * size.hidden * size.ffn);
    // Of attention what the mask leaves; the last token alone has logits.
    const double attention =
        static_cast<double>(size.layers) * 2 * kTokens * (kTokens + 1) / 2 * static_cast<double>(size.hidden);
    const double products =
        kTokens * weights + attention + static_cast<double>(size.hidden * size.vocabulary);
    const std::vector<std::int32_t> prompt(kTokens, 7);
    std::vector<float> a(kSide * kSide, 0.5f), b(a), c(a);
    rows.push_back(
        row(std::string("prefill of 512 tokens, 100 M, ") + name, "sgemm of 1024 x 1024 at its rate", "ms",
            compare(
                5,
                [&] {
                  Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()),
                                  kTokens);
                  return 1e3 * thread_seconds_of([&] { session.feed(prompt); });
                },
                [&] {
                  const double seconds = thread_seconds_of([&] {
                    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, kSide, kSide, kSide, 1, a.data(),
                                kSide, b.data(), kSide, 0, c.data(), kSide);
                  });
                  return 1e3 * seconds * products / (static_cast<double>(kSide) * kSide * kSide);
                }),
            1 / 0.7));
  }
  return rows;
}

/// Milliseconds of a token with a rolling window and with re-computation.
std::vector<Row> windows() {
  const auto decoder =
      std::make_shared<const Decoder>(random_model(llama_shape(4, 256, 32, 512, 512, 1024), 2));
  std::vector<Row> rows;
  for (const std::int64_t kept : {128, 256, 512}) {
    Session sinks(decoder, std::make_unique<SinkMemory>(decoder->config(), decoder->rope(),
                                                        SinkMemory::Options{4, kept - 4}));
    Session anew(decoder, std::make_unique<RecomputeMemory>(decoder->config(), decoder->rope(),
                                                            RecomputeMemory::Options{0, kept}));
    const std::vector<std::int32_t> past(static_cast<std::size_t>(kept) + 1, 7);
    sinks.feed(past);
    anew.step(7);
    for (std::int64_t i = 0; i < kept; ++i) anew.memory().replay(7);
    rows.push_back(row("a token, " + std::to_string(kept) + " kept: sinks and window", "re-computation", "ms",
                       compare(
                           9,
                           [&] {
                             return 1e3 * thread_seconds_of([&] {
                                      for (int t = 0; t < 20; ++t) sinks.step(7);
                                    }) /
                                    20;
                           },
                           [&] { return 1e3 * thread_seconds_of([&] { anew.step(7); }); }),
                       1.0 / 8));
  }
  return rows;
}

}  // namespace

std::vector<Benchmark> language_model_benchmarks() {
  return {{"decode", "decoding against a plain read of the same bytes", decoding},
          {"prefill", "prompts against the rate of matrix products", prefill},
          {"streaming-llm", "a rolling window against re-computation", windows}};
}

}  // namespace stream::bench
