#include "llm/memory_params.hpp"

#include "llm/memory_full.hpp"
#include "llm/memory_recompute.hpp"
#include "llm/memory_sink.hpp"
#include "llm/memory_window.hpp"
#include "llm/tokenizer.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

/// `recent`, or, for 0, what the model's context leaves.
std::int64_t recent_of(const Params& p, const ModelConfig& c, std::int64_t taken) {
  const auto recent = p.get<std::int64_t>("recent");
  return recent > 0 ? recent : std::max<std::int64_t>(1, c.context - taken);
}

}  // namespace

Spec with_memory(Spec spec) {
  return std::move(spec)
      .path("model", nullptr, "a language model in HDF5, of `llm.train` or `stream import`")
      .param("weights", "stored", "type that weights have in memory",
             choices({"stored", "float32", "bfloat16", "float16", "int8"}))
      .param("memory", "sink",
             "what is remembered. full: everything; window: the last tokens; recompute: the model runs anew "
             "on the last "
             "tokens for every token; sink: the first tokens and the last ones (StreamingLLM)",
             choices({"full", "window", "recompute", "sink"}))
      .param("sinks", std::int64_t{4}, "first tokens that stay (sink, recompute)", range(0, 65536),
             unit("tokens"))
      .param("recent", std::int64_t{0},
             "last tokens that stay; 0: as many as the model's context leaves room for", range(0, 1 << 30),
             unit("tokens"));
}

LoadedModel loaded_model(const Params& p) {
  const LanguageModel model = read_language_model(p.input_path("model"));
  auto tokenizer = tokenizer_of(model);
  return {std::make_shared<const Decoder>(model, weight_type(p.get<std::string>("weights"))),
          std::move(tokenizer)};
}

std::unique_ptr<Memory> memory_of(const Params& p, const Decoder& decoder) {
  const ModelConfig& c = decoder.config();
  const Rope& rope = decoder.rope();
  const auto kind = p.get<std::string>("memory");
  const auto sinks = p.get<std::int64_t>("sinks");
  if (kind == "full") return std::make_unique<FullMemory>(c, rope);
  if (kind == "window") return window_memory(c, rope, recent_of(p, c, 0));
  if (kind == "recompute")
    return std::make_unique<RecomputeMemory>(
        c, rope, RecomputeMemory::Options{.first = sinks, .window = sinks + recent_of(p, c, sinks)});
  return std::make_unique<SinkMemory>(c, rope,
                                      SinkMemory::Options{.sinks = sinks, .recent = recent_of(p, c, sinks)});
}

Contract memory_contract(const Params& p, Cost cost) {
  Contract contract{.order = Order::kStateful, .cost = cost};
  if (p.get<std::string>("memory") == "full") {
    contract.state = Growth::kLinear;
    contract.grows_with = "tokens";
  }
  return contract;
}

}  // namespace stream::llm
