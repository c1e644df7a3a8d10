#include "llm/memory_params.hpp"

#include "llm/memory_attention.hpp"
#include "llm/memory_duo.hpp"
#include "llm/memory_full.hpp"
#include "llm/memory_inf.hpp"
#include "llm/memory_recompute.hpp"
#include "llm/memory_sink.hpp"
#include "llm/memory_sir.hpp"
#include "llm/memory_window.hpp"
#include "llm/tokenizer.hpp"
#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream::llm {
namespace {

/// `recent`, or, for 0, what the model's context leaves.
std::int64_t recent_of(const Params& p, const ModelConfig& c, std::int64_t taken) {
  const auto recent = p.get<std::int64_t>("recent");
  return recent > 0 ? recent : std::max<std::int64_t>(1, c.context - taken);
}

/// The same for memories that hold the last tokens in one piece. A model with a window of its own sees no
/// farther, the newest token and so many before it, unless `recent` asks for more.
std::int64_t recent_seen_of(const Params& p, const ModelConfig& c, std::int64_t taken) {
  const std::int64_t recent = recent_of(p, c, taken);
  if (c.sliding_window == 0 || recent < c.sliding_window) return recent;
  if (p.get<std::int64_t>("recent") > 0) {
    log_warning(p.context().node, "recent is " + std::to_string(recent) +
                                      ", and a token of the model has learnt to see only the " +
                                      std::to_string(c.sliding_window - 1) +
                                      " before it: all that is kept is attended to");
    return recent;
  }
  return std::max<std::int64_t>(1, c.sliding_window - 1);
}

/// The context, or the sliding window of a model that has one: nothing is seen farther back.
std::int64_t sight_of(const ModelConfig& c) {
  return c.sliding_window > 0 ? std::min(c.context, c.sliding_window) : c.context;
}

/// Models that a stream cannot be passed through, or not with this memory.
void check_served(const std::string& kind, const ModelConfig& c) {
  if (c.prefix > 0)
    throw bad_recipe("the model is a prefix language model (prefix = " + std::to_string(c.prefix) +
                     "): its first tokens see those that come later, so it reads whole sequences and no "
                     "stream; llm.probe takes it");
  if ((kind == "h2o" || kind == "tova" || kind == "inf") && is_signed(c.score))
    throw bad_recipe("memory " + kind + " keeps what receives most attention, and the model's score " +
                     name_of(c.score) + " gives attention of either sign; expected another memory");
  if (kind == "inf" && !c.scores_by_distance())
    throw bad_recipe(std::string("memory inf reads blocks at a fixed distance, and under score ") +
                     name_of(c.score) +
                     " and RoPE it matters where in the stream a token stands; expected "
                     "another memory");
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
             "tokens for every token; sink: the first tokens and the last ones (StreamingLLM); sir: the "
             "first tokens and the most surprising ones (SirLLM); inf: the last tokens, and of all others "
             "those blocks that "
             "match what is asked (InfLLM); duo: everything for some heads, the first and last tokens for "
             "the others "
             "(DuoAttention); h2o: for each head the last tokens and those that received the most attention; "
             "tova: for "
             "each layer what the newest token attends to",
             choices({"full", "window", "recompute", "sink", "sir", "inf", "duo", "h2o", "tova"}))
      .param("sinks", std::int64_t{4}, "first tokens that stay", range(0, 65536), unit("tokens"))
      .param("recent", std::int64_t{0},
             "last tokens that stay; 0: as many as the model's context leaves room for (sir and h2o: none)",
             range(0, 1 << 30), unit("tokens"))
      .param("surprising", std::int64_t{0},
             "sir: most surprising tokens that stay; 0: as many as the model's context and `recent` leave "
             "room for",
             range(0, 1 << 30), unit("tokens"))
      .param(
          "heavy", std::int64_t{0},
          "h2o and tova: tokens that attention keeps; 0: as many as the model's context and `recent` leave "
          "room for",
          range(0, 1 << 30), unit("tokens"))
      .param("decay", 1.0, "sir: factor by which surprises fade from turn to turn", range(1e-6, 1))
      .param("first_token", "max",
             "sir: surprise of a turn's first token: the greatest of its turn, as the released code has it, "
             "or the true one",
             choices({"max", "true"}))
      .param("entropy", "paper", "sir: surprisal by the paper's formula, or as the released code computes it",
             choices({"paper", "released"}))
      .param("block", std::int64_t{128}, "inf: tokens of a block", range(1, 1 << 20), unit("tokens"))
      .param("representatives", std::int64_t{4}, "inf: keys that stand for a block when it is looked up",
             range(1, 1 << 20))
      .param("blocks", std::int64_t{16}, "inf: blocks that are read at once", range(0, 1 << 20))
      .param("execution", std::int64_t{512}, "inf: most tokens that look up blocks together",
             range(1, 1 << 20), unit("tokens"))
      .param("working_set", std::int64_t{32}, "inf: blocks of a layer held in memory beside files",
             range(1, 1 << 20))
      .param("store", "", "inf: folder for blocks, an HDF5 file each; empty: they stay in memory")
      .param(
          "heads", "",
          "duo: table of gates, a line for each layer, a number for each key and value head, tabs between; "
          "or a folder "
          "with full_attention_heads.tsv and config.json, as they are published, whose sizes are used "
          "where `recent` "
          "is 0")
      .param("sparsity", 0.5, "duo: share of heads that keep the first and last tokens only", range(0, 1))
      .param("exact_mask", false, "duo: what a query sees does not depend on how tokens are fed");
}

LoadedModel loaded_model(const Params& p) {
  LanguageModel model = read_language_model(p.input_path("model"));
  auto tokenizer = tokenizer_of(model);
  return {std::make_shared<const Decoder>(std::move(model), weight_type(p.get<std::string>("weights"))),
          std::move(tokenizer)};
}

std::unique_ptr<Memory> memory_of(const Params& p, const Decoder& decoder) {
  const ModelConfig& c = decoder.config();
  const Rope& rope = decoder.rope();
  const auto kind = p.get<std::string>("memory");
  const auto sinks = p.get<std::int64_t>("sinks");
  check_served(kind, c);
  if (kind == "full") return std::make_unique<FullMemory>(c, rope);
  if (kind == "window") return window_memory(c, rope, recent_seen_of(p, c, 0));
  if (kind == "recompute")
    return std::make_unique<RecomputeMemory>(
        c, rope, RecomputeMemory::Options{.first = sinks, .window = sinks + recent_of(p, c, sinks)});
  if (kind == "inf") {
    const auto block = p.get<std::int64_t>("block");
    return std::make_unique<InfMemory>(
        c, rope,
        InfMemory::Options{.init = sinks,
                           .local = p.get<std::int64_t>("recent") > 0
                                        ? p.get<std::int64_t>("recent")
                                        : std::min(recent_of(p, c, sinks), sight_of(c)),
                           .block = block,
                           .representatives = std::min(block, p.get<std::int64_t>("representatives")),
                           .topk = p.get<std::int64_t>("blocks"),
                           .execution = p.get<std::int64_t>("execution"),
                           .working_set = p.get<std::int64_t>("working_set"),
                           .folder = p.get<std::string>("store"),
                           .owner = decoder.fingerprint()});
  }
  if (kind == "duo") {
    if (p.get<std::string>("heads").empty()) throw bad_recipe("memory duo needs `heads`, a table of gates");
    const HeadTable table = read_head_table(p.input_path("heads"));
    const bool published = p.get<std::int64_t>("recent") == 0 && table.recent;
    return std::make_unique<DuoMemory>(
        c, rope,
        DuoMemory::Options{.full = table.gates.full(p.get<double>("sparsity"), p.random("gates")()),
                           .sinks = published ? *table.sinks : sinks,
                           .recent = published ? *table.recent : recent_of(p, c, sinks),
                           .exact_mask = p.get<bool>("exact_mask")});
  }
  if (kind == "h2o" || kind == "tova") {
    const bool h2o = kind == "h2o";
    const auto recent = h2o ? p.get<std::int64_t>("recent") : 0, heavy = p.get<std::int64_t>("heavy");
    return std::make_unique<AttentionMemory>(
        c, rope,
        AttentionMemory::Options{.rule = h2o ? AttentionMemory::Rule::kH2o : AttentionMemory::Rule::kTova,
                                 .heavy = heavy > 0 ? heavy : std::max<std::int64_t>(0, c.context - recent),
                                 .recent = recent});
  }
  if (kind == "sir") {
    const auto recent = p.get<std::int64_t>("recent"), surprising = p.get<std::int64_t>("surprising");
    return std::make_unique<SirMemory>(
        c, rope,
        SirMemory::Options{
            .sinks = sinks,
            .entropy = surprising > 0 ? surprising : std::max<std::int64_t>(0, sight_of(c) - sinks - recent),
            .recent = recent,
            .decay = p.get<double>("decay"),
            .echo = p.get<std::string>("entropy") == "released",
            .first_max = p.get<std::string>("first_token") == "max"});
  }
  return std::make_unique<SinkMemory>(
      c, rope, SinkMemory::Options{.sinks = sinks, .recent = recent_seen_of(p, c, sinks)});
}

Contract memory_contract(const Params& p, Cost cost) {
  Contract contract{.order = Order::kStateful, .cost = cost};
  const auto kind = p.get<std::string>("memory");
  if (kind == "full" || kind == "duo" || kind == "inf") {
    contract.state = Growth::kLinear;
    contract.grows_with = "tokens";
  }
  return contract;
}

}  // namespace stream::llm
