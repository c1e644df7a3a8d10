#include "llm/study_inf.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "llm/memory_full.hpp"
#include "llm/memory_inf.hpp"
#include "llm/memory_sink.hpp"
#include "llm/needle_text.hpp"
#include "llm/study_duo.hpp"
#include "llm/study_part.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

constexpr const char *kInfRecall = "recall", *kInfExact = "exact";
constexpr std::int64_t kLocal = 64, kExecution = 16;

InfMemory::Options options(std::int64_t block, std::int64_t representatives, std::int64_t topk) {
  return {.init = 1,
          .local = kLocal,
          .block = block,
          .representatives = representatives,
          .topk = topk,
          .execution = kExecution,
          .working_set = std::max<std::int64_t>(32, topk)};
}

InfMemory::Options with(InfMemory::Options o, InfMemory::LookUp look_up) {
  o.look_up = look_up;
  return o;
}
InfMemory::Options mean(InfMemory::Options o) {
  o.representative = InfMemory::Representative::kMean;
  return o;
}

struct Outcome {
  double recall = 0, filler_nll = 0, known_nll = 0;
  std::vector<double> hits;  ///< by layer: share of queries whose needle was among the blocks read
};

class Recall final : public JobsPart {
 public:
  Recall(const InfStudy::Options& o, std::int64_t seed)
      : options_(o),
        name_("seed " + std::to_string(seed) + ", "),
        maker_(o.model.empty() ? std::string() : path_of_seed(o.model, seed), filler_recipe(),
               o.seed * 1000 + static_cast<std::uint64_t>(seed)) {
    using LookUp = InfMemory::LookUp;
    job("model", [this] { return maker_.step(); });
    once("recall in context", [this] { in_context(); });
    for (const std::int64_t n : o.lengths) {
      inf("blocks", options(1, 1, 4), n);
      inf("none", options(1, 1, 0), n);
      inf("random", with(options(1, 1, 4), LookUp::kRandom), n);
      if (n == o.lengths.front()) {
        inf("2, 4", options(2, 2, 4), n);
        inf("2, 8", options(2, 2, 8), n);
        inf("16 mean", mean(options(16, 1, 4)), n);
        inf("decoding", with(options(1, 1, 4), LookUp::kDecoding), n);
        inf("1, 16", options(1, 1, 16), n);
        inf("4 mean", mean(options(4, 1, 4)), n);
        inf("16, 4", options(16, 4, 4), n);
        inf("128, 4", options(128, 4, 4), n);
        others(n);
      }
      once("claims", [this, n] { conclude(n); });
    }
    if (o.longest > 0)
      once("the longest", [this] {
        const Outcome r = run(options_.longest, 1, [this] { return inf_memory(options(1, 1, 4), 0); });
        figure(name_ + std::to_string(options_.longest) +
                   " tokens, one stream: recall (target 0.80); block hit in the last layer beside it",
               "100 % at 1024K tokens", r.hits.back(), r.recall);
      });
  }
  std::string progress() const override {
    const std::string job = JobsPart::progress();
    return name_ + (job == "model" ? maker_.progress() : job);
  }

 private:
  std::unique_ptr<Memory> inf_memory(InfMemory::Options o, std::uint64_t seed) const {
    o.seed = options_.seed * 31 + seed;
    return std::make_unique<InfMemory>(decoder_->config(), decoder_->rope(), o);
  }
  void inf(const std::string& what, InfMemory::Options o, std::int64_t length) {
    once(what + ", " + std::to_string(length) + " tokens", [this, what, o, length] {
      std::uint64_t number = 0;
      outcomes_[{what, length}] = run(length, options_.streams, [&] { return inf_memory(o, number++); });
    });
  }

  /// Dense attention grows with the square of the text: two streams are enough to see it fail.
  void others(std::int64_t length) {
    const std::int64_t streams = std::min<std::int64_t>(2, options_.streams);
    const auto full = [this]() -> std::unique_ptr<Memory> {
      return std::make_unique<FullMemory>(decoder_->config(), decoder_->rope());
    };
    once("full attention", [=, this] { outcomes_[{"full", length}] = run(length, streams, full); });
    once("scaled RoPE", [=, this] {
      // bloc97 2023: the base is raised so that the slowest angle at `length` is what it was at the context.
      const auto kept = decoder_;
      LanguageModel model = maker_.model();
      const auto d = static_cast<double>(model.config.head_dim);
      model.config.rope_base *=
          std::pow(static_cast<double>(length) / static_cast<double>(model.config.context), d / (d - 2));
      decoder_ = std::make_shared<const Decoder>(model);
      outcomes_[{"ntk", length}] = run(length, streams, full);
      decoder_ = kept;
    });
    once("StreamingLLM", [=, this] {
      // As many tokens as InfLLM attends to.
      outcomes_[{"sinks", length}] = run(length, options_.streams, [this]() -> std::unique_ptr<Memory> {
        return std::make_unique<SinkMemory>(decoder_->config(), decoder_->rope(),
                                            SinkMemory::Options{.sinks = 1, .recent = kLocal + 4});
      });
    });
  }

  void in_context() {
    decoder_ = std::make_shared<const Decoder>(maker_.model());
    const double recall = recall_in_context(decoder_, filler_text(), options_.seed);
    claim(name_ + "recall within the context that the model was trained on", Value(), Value(), recall,
          ">= 0.97, or the run is void", recall >= 0.97);
  }

  /// Every stream is read once; each needle is asked for from a fork of the state at its end.
  template <typename Make>
  Outcome run(std::int64_t length, std::int64_t streams, Make make) {
    const NeedleShape shape{.length = length};
    Outcome out;
    out.hits.assign(static_cast<std::size_t>(decoder_->config().layers), 0);
    double asked = 0, fillers = 0, known = 0;
    for (std::int64_t i = 0; i < streams; ++i) {
      const NeedleStream s = needle_stream(
          shape, Random(stable_hash("needles " + std::to_string(i) + " of " + std::to_string(length),
                                    options_.seed)));
      Session session(decoder_, make());
      std::vector<float> nll;
      session.feed(s.tokens, {}, &nll);
      for (std::size_t t = 2 * kLocal; t < nll.size(); ++t) {
        if (shape.text.is_filler(s.tokens[t])) out.filler_nll += static_cast<double>(nll[t]), fillers += 1;
        if (s.known[t] != 0) out.known_nll += static_cast<double>(nll[t]), known += 1;
      }
      for (const Needle& n : s.needles) {
        Session question = session.fork();
        question.step(n.filler);
        question.step(n.key);
        const auto logits = question.logits();
        out.recall += std::max_element(logits.begin(), logits.end()) - logits.begin() == n.value;
        asked += 1;
        const auto* const memory = dynamic_cast<const InfMemory*>(&question.memory());
        for (std::size_t l = 0; memory != nullptr && l < out.hits.size(); ++l) {
          const auto& chosen = memory->chosen(static_cast<std::int64_t>(l));
          out.hits[l] += std::find(chosen.begin(), chosen.end(), memory->block_of(n.at)) != chosen.end();
        }
      }
    }
    out.recall /= asked, out.filler_nll /= fillers, out.known_nll /= known;
    for (double& h : out.hits) h /= asked;
    return out;
  }

  void conclude(std::int64_t n) {
    const auto& get = [&](const char* what) -> const Outcome& { return outcomes_.at({what, n}); };
    const std::string at = name_ + std::to_string(n) + " tokens: ";
    const Outcome &blocks = get("blocks"), &none = get("none"), &random = get("random");
    const double chance = 1.0 / static_cast<double>(filler_text().values);
    const bool first = n == options_.lengths.front();
    std::string table;
    if (first) {
      const std::pair<const char*, const char*> shown[] = {
          {"full attention", "full"},  {"NTK-scaled RoPE", "ntk"},
          {"StreamingLLM", "sinks"},   {"look-up while decoding only", "decoding"},
          {"16 blocks of 1", "1, 16"}, {"blocks of 4, mean", "4 mean"},
          {"of 16, mean", "16 mean"},  {"of 16, r 4", "16, 4"},
          {"of 128, r 4", "128, 4"}};
      for (const auto& [label, what] : shown)
        table += (table.empty() ? "" : ", ") + std::string(label) + " " + decimals(get(what).recall);
    }
    const std::string others = (first ? table + ", " : "") + "LM-Infinite " + decimals(none.recall) +
                               ", random blocks " + decimals(random.recall);
    claim(at + "recall of needles, blocks of 1, 4 read; others",
          "PassKey 100 % against 28.8 % of StreamingLLM", others, blocks.recall, ">= 0.90",
          blocks.recall >= 0.9);
    claim(at + "the needle's block is among those that the last layer reads; the first layer beside it",
          Value(), blocks.hits.front(), blocks.hits.back(), ">= 0.95", blocks.hits.back() >= 0.95);
    const double blind = std::max(none.recall, random.recall);
    // With few questions chance strays further: three standard deviations of it.
    const double asked = 8.0 * static_cast<double>(options_.streams);
    const double slack = std::max(0.06, options_.quick ? 3 * std::sqrt(chance * (1 - chance) / asked) : 0.0);
    claim(at + "recall without look-up (LM-Infinite) and of random blocks, the better one (chance " +
              decimals(chance) + ")",
          "KV 0.4 % against 96.8 %", Value(), blind, "<= chance + " + decimals(slack),
          blind <= chance + slack);
    const double price = blocks.filler_nll - none.filler_nll;
    claim(at + "surprisal of filler, away from LM-Infinite (nats)", Value(), none.filler_nll, price,
          "within 0.03", std::abs(price) <= 0.03);
    point("Recall by length", name_ + "blocks of 1", static_cast<double>(n), blocks.recall);
    point("Recall by length", name_ + "LM-Infinite", static_cast<double>(n), none.recall);
    point("Recall by length", name_ + "random blocks", static_cast<double>(n), random.recall);
    if (!first) return;
    const double four = get("2, 4").recall, eight = get("2, 8").recall;
    claim(at + "recall with blocks of 2, both representatives; 4 and 8 read, the lesser", Value(),
          decimals(four) + ", " + decimals(eight), std::min(four, eight), ">= 0.35",
          std::min(four, eight) >= 0.35);
    const double gain = none.known_nll - get("16 mean").known_nll;
    claim(at +
              "surprisal of values that the text determines, LM-Infinite - blocks of 16, mean, 4 read "
              "(nats); with blocks of 1 " +
              decimals(blocks.known_nll),
          "1.65 against 0.97 in the reference trial", none.known_nll, gain, ">= 0.3", gain >= 0.3);
  }

  InfStudy::Options options_;
  std::string name_;
  ModelMaker maker_;
  std::shared_ptr<const Decoder> decoder_;
  std::map<std::pair<std::string, std::int64_t>, Outcome> outcomes_;
};

}  // namespace

Spec InfStudy::spec() {
  return Spec("llm.study_inf",
              "A study: blocks that are looked up against everything that forgets, or reads all.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", "
                      "\"series\", \"x\", \"y\"}")
      .path("model", "models/pairs-filler-0.h5",
            "the first of the models of text with filler that recipe train-pair-text made; the others lie "
            "beside "
            "it, with other "
            "seeds for 0")
      .param("train", false, "train the models in this run instead, from its seed: some minutes more")
      .param("seeds", std::int64_t{2}, "models, from seed 0 on", range(1, 100))
      .param("lengths", std::vector<std::int64_t>{4096, 16384},
             "of texts; blocks of other sizes are tried at the first", range(1024, 1 << 22))
      .param("streams", std::int64_t{8}, "texts of each length, of eight needles", range(1, 1e5))
      .param("longest", std::int64_t{1 << 16}, "tokens of one more text, without bars; 0: none",
             range(0, 1 << 24))
      .param("parts", std::vector<std::string>{kInfRecall, kInfExact}, "what is measured, in this order",
             choices({kInfRecall, kInfExact}))
      .param("quick", false,
             "one model, three texts of the first length; the same bars, but chance may stray further")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Recall: text of keys and values with filler, in which eight pairs occur once, at least 400 tokens "
          "before "
          "the end; "
          "the model knows 96 tokens, its local window is 64. With blocks of one token, of which four are "
          "read, 0.9 "
          "must be "
          "recalled and the last layer must have read the needle 0.95 of the time; LM-Infinite (no look-up) "
          "and random "
          "blocks stay within 6 points of chance; filler costs no more than 0.03 nats. Blocks of two: 0.35. "
          "Blocks of "
          "16, by "
          "their mean, make values that the text determines at least 0.3 nats less surprising. Full "
          "attention, RoPE with a "
          "scaled base, StreamingLLM, look-up while decoding only, more and larger blocks are printed.\n\n"
          "Exact: against a plain decoder, dense attention, other cuts of the stream, and other sizes of the "
          "working set; "
          "bytes; the working set's misses.")
      .paper("Xiao et al., InfLLM, 2024 (arXiv 2402.04617)")
      .example("A short text", R"(title = "InfLLM, briefly"
[nodes.study]
use     = "llm.study_inf"
parts   = ["recall"]
seeds   = 1
lengths = [1024]
streams = 1
longest = 0

[nodes.claims]
use  = "jsonl.write"
from = "study"
)");
}

InfStudy::InfStudy(const Params& p) : StudySource(parts_by_seed(p, {kInfRecall})) {
  options_.model = p.get<bool>("train") ? "" : p.input_path("model");
  options_.lengths = p.get<std::vector<std::int64_t>>("lengths");
  if (options_.lengths.empty()) throw bad_recipe("lengths is empty");
  options_.streams = p.get<std::int64_t>("streams");
  options_.longest = p.get<std::int64_t>("longest");
  options_.quick = p.get<bool>("quick");
  options_.seed = p.context().seed;
  if (options_.longest != 0 && options_.longest < 1024)
    throw bad_recipe("longest is " + std::to_string(options_.longest) + ", expected 0 or at least 1024");
  if (options_.quick) {
    options_.lengths.resize(1);
    options_.streams = std::min<std::int64_t>(3, options_.streams);
    options_.longest = 0;
  }
}

std::unique_ptr<StudyPart> InfStudy::part(const std::string& which) const {
  if (which == kInfExact) return inf_exact(options_);
  return std::make_unique<Recall>(options_, seed_of_part(which));
}

}  // namespace stream::llm
