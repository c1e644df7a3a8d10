#include "llm/study_sir.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "llm/dialogue.hpp"
#include "llm/memory_full.hpp"
#include "llm/memory_sink.hpp"
#include "llm/memory_sir.hpp"
#include "llm/study_part.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

constexpr const char *kSirDialogues = "dialogues", *kSirThrows = "throws";

ModelRecipe recipe() {
  ModelRecipe r;
  r.text = rare_value_text();
  r.length = 96, r.hidden = 64, r.ffn = 128, r.steps = 700;
  return r;
}

struct Outcome {
  double of_four = 0, exact = 0, survived = 0, filler_nll = 0, most_kept = 0;
};

class Dialogues final : public JobsPart {
 public:
  Dialogues(const SirStudy::Options& o, std::int64_t seed)
      : options_(o),
        name_("seed " + std::to_string(seed)),
        maker_(o.model.empty() ? std::string() : path_of_seed(o.model, seed), recipe(),
               o.seed * 1000 + static_cast<std::uint64_t>(seed)) {
    job("model", [this] { return maker_.step(); });
    once("recall in context", [this] { in_context(); });
    using Rule = SirMemory::Rule;
    for (const std::int64_t cap : o.caps) {
      const auto sir = [this, cap](const char* policy, Rule rule, double decay, bool echo, bool first_max) {
        once(std::string(policy) + ", " + std::to_string(cap), [=, this] {
          outcomes_[{policy, cap}] = run(cap, [=, this](std::uint64_t number) -> std::unique_ptr<Memory> {
            return std::make_unique<SirMemory>(
                decoder_->config(), decoder_->rope(),
                SirMemory::Options{1, cap - 1, 0, decay, rule, echo, first_max, options_.seed * 31 + number});
          });
        });
      };
      sir("sir", Rule::kSurprisal, 1, false, false);
      sir("first token max", Rule::kSurprisal, 1, false, true);
      sir("decay", Rule::kSurprisal, o.decay, false, false);
      sir("released", Rule::kSurprisal, 1, true, false);
      sir("random", Rule::kRandom, 1, false, false);
      sir("interval", Rule::kInterval, 1, false, false);
      sir("shuffled", Rule::kShuffled, 1, false, false);
      once("sinks, " + std::to_string(cap), [this, cap] {
        outcomes_[{"sinks", cap}] = run(cap, [this, cap](std::uint64_t) -> std::unique_ptr<Memory> {
          return std::make_unique<SinkMemory>(decoder_->config(), decoder_->rope(),
                                              SinkMemory::Options{.sinks = 1, .recent = cap - 1});
        });
      });
      once("claims, " + std::to_string(cap), [this, cap] { conclude(cap); });
    }
  }
  std::string progress() const override {
    const std::string job = JobsPart::progress();
    return name_ + ": " + (job == "model" ? maker_.progress() : job);
  }

 private:
  /// Repeated values within a context that has not been cut.
  void in_context() {
    decoder_ = std::make_shared<const Decoder>(maker_.model());
    const double recall = recall_in_context(decoder_, rare_value_text(), options_.seed);
    claim(name_ + ": recall within the context that the model was trained on", Value(), Value(), recall,
          ">= 0.97, or the run is void", recall >= 0.97);
  }

  template <typename Make>
  Outcome run(std::int64_t cap, Make make) {
    const PairTextShape text = rare_value_text();
    Outcome out;
    double fillers = 0;
    for (std::int64_t i = 0; i < options_.dialogues; ++i) {
      const Dialogue d = make_dialogue(text, {.turns = options_.turns},
                                       Random(stable_hash("dialogue " + std::to_string(i), options_.seed)));
      Session session(decoder_, make(static_cast<std::uint64_t>(i)));
      const auto* const sir = dynamic_cast<const SirMemory*>(&session.memory());
      for (std::size_t t = 0; t < d.turns.size(); ++t) {
        const bool last = t + 1 == d.turns.size();
        // The answer is one token.
        session.memory().reserve(static_cast<std::int64_t>(d.turns[t].size()) + last);
        std::vector<float> nll;
        session.feed(d.turns[t], {}, &nll);
        if (!last) session.memory().end_of_turn();
        out.most_kept = std::max(out.most_kept, static_cast<double>(session.memory().stored_tokens(0, 0)));
        for (std::size_t k = 0; k < nll.size(); ++k)
          if (t >= 6 && text.is_filler(d.turns[t][k]))
            out.filler_nll += static_cast<double>(nll[k]), fillers += 1;
      }
      if (sir != nullptr)
        out.survived +=
            std::find(sir->tokens().begin(), sir->tokens().end(), d.item_at) != sir->tokens().end();
      const auto logits = session.logits();
      const auto better = [&](std::int32_t a, std::int32_t b) {
        return logits[static_cast<std::size_t>(a)] < logits[static_cast<std::size_t>(b)];
      };
      out.of_four += *std::max_element(d.options.begin(), d.options.end(), better) == d.value;
      out.exact += std::max_element(logits.begin(), logits.end()) - logits.begin() == d.value;
      rare_ += static_cast<double>(d.rare);
      ++played_;
    }
    const auto n = static_cast<double>(options_.dialogues);
    out.of_four /= n, out.exact /= n, out.survived /= n;
    out.filler_nll /= std::max(1.0, fillers);
    if (out.most_kept > static_cast<double>(cap))
      throw failed("a memory of " + std::to_string(cap) + " tokens kept " + decimals(out.most_kept));
    return out;
  }

  void conclude(std::int64_t cap) {
    const auto& get = [&](const char* policy) -> const Outcome& { return outcomes_[{policy, cap}]; };
    const std::string at = name_ + ", cap " + std::to_string(cap) + ": ";
    const std::int64_t length = options_.turns * 16;
    const Outcome& sir = get("sir");
    std::string table;
    for (const char* policy :
         {"sinks", "random", "interval", "shuffled", "released", "first token max", "decay"})
      table += (table.empty() ? "" : ", ") + std::string(policy) + " " + decimals(get(policy).of_four) +
               " / " + decimals(get(policy).exact);
    const bool barred = cap == options_.caps.front();  // the card's bars are those of the larger cap
    const double others = std::max({get("sinks").of_four, get("random").of_four, get("shuffled").of_four});
    const std::string recall = at + "recall of one of four after " + std::to_string(length) +
                               " tokens (exact: " + decimals(sir.exact) + "); others: of four / exact";
    constexpr const char* kPaper = "99.27 % against 25.73 %";
    if (!barred) figure(recall, kPaper, table, sir.of_four);
    if (barred) {
      claim(recall, kPaper, table, sir.of_four, ">= 0.85 and 0.5 above sinks, random, shuffled",
            sir.of_four >= 0.85 && sir.of_four >= others + 0.5);
      // With few dialogues chance itself strays further: three standard deviations of it.
      const double slack =
          std::max(0.08, 3 * std::sqrt(0.25 * 0.75 / static_cast<double>(options_.dialogues)));
      claim(at + "sinks, random, shuffled recall no more than chance (less: a rare pair that is still in "
                 "memory draws answers)",
            "25.73 %, 77.55 % random",
            decimals(get("sinks").of_four) + ", " + decimals(get("random").of_four) + ", " +
                decimals(get("shuffled").of_four),
            others, "<= 0.25 + " + decimals(slack), others <= 0.25 + slack);
      const double forgotten = std::max(0.35, 0.25 + slack);
      claim(at + "with decay " + decimals(options_.decay) + " the item is forgotten", Value(), sir.of_four,
            get("decay").of_four, "<= " + decimals(forgotten), get("decay").of_four <= forgotten);
      claim(at + "the item's value is still in memory", Value(), get("first token max").survived,
            sir.survived, ">= 0.85", sir.survived >= 0.85);
    }
    figure(at + "surprisal of filler (nats), of StreamingLLM beside it; " + decimals(rare_ / played_) +
               " rare pairs in a dialogue",
           "equal perplexity", get("sinks").filler_nll, sir.filler_nll);
    for (const char* policy : {"sir", "sinks", "random", "shuffled", "decay", "released"})
      point("Recall of one of four by cap", name_ + ", " + policy, static_cast<double>(cap),
            get(policy).of_four);
  }

  SirStudy::Options options_;
  std::string name_;
  ModelMaker maker_;
  std::shared_ptr<const Decoder> decoder_;
  std::map<std::pair<std::string, std::int64_t>, Outcome> outcomes_;
  double rare_ = 0, played_ = 0;
};

}  // namespace

Spec SirStudy::spec() {
  return Spec("llm.study_sir",
              "A study: keeping what surprised, against keeping what is recent, random or evenly spaced.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", "
                      "\"series\", \"x\", \"y\"}")
      .path("model", "models/pairs-rare-0.h5",
            "the first of the models of rare values that recipe train-pair-text made; the others lie beside "
            "it, with other "
            "seeds for 0")
      .param("train", false, "train the models in this run instead, from its seed: some minutes more")
      .param("seeds", std::int64_t{2}, "models, from seed 0 on", range(1, 100))
      .param("caps", std::vector<std::int64_t>{80, 48}, "tokens kept; the bars are for the first",
             range(24, 96))
      .param("dialogues", std::int64_t{200}, "for each policy", range(1, 1e6))
      .param("turns", std::int64_t{20}, "of 16 tokens between the item and the question", range(7, 1e5))
      .param("decay", 0.9, "of the variant that must forget", range(0.01, 1))
      .param("games", std::int64_t{12}, "of rock-paper-scissors, for each policy", range(2, 1e6))
      .param("rounds", std::int64_t{2000}, "of a game, without a reset", range(10, 1e7))
      .param("game_cap", std::int64_t{64}, "tokens kept in a game", range(8, 96))
      .param("game_steps", std::int64_t{600}, "updates of the models that play; they are made in the run",
             range(1, 1e6))
      .param("parts", std::vector<std::string>{kSirDialogues, kSirThrows}, "what is measured, in this order",
             choices({kSirDialogues, kSirThrows}))
      .param("quick", false,
             "one model and a fifth of the dialogues; chance is then allowed to stray further; three games "
             "of 300 rounds at most and 50 updates, which no bar judges")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Dialogues: turns of 16 tokens, four times as long as the cache: an item (key and value) is "
          "named in the first turn, six recurring pairs and some rare ones follow, at the end its key "
          "comes again. One of four values must be picked by its first token. SirLLM (true surprisal of "
          "a turn's first token, no decay) must recall 0.85, 0.5 more than StreamingLLM, random tokens "
          "and surprisals that were shuffled, none of which may be above chance; with a decay of 0.9 "
          "the item must be forgotten; the base model must recall 0.97 in context. The first token "
          "taken for the greatest surprise of its turn, the released code's surprisals, evenly spaced "
          "tokens and the price in surprisal of filler are printed, without bars.\n\n"
          "Throws: rock-paper-scissors against an opponent whose favourite changes every 60 rounds "
          "(llm.throws), without a reset. A model that was made in the run, as recipe train-throws "
          "makes it, must win in context 0.8 of what the exact posterior of the same rounds wins above "
          "chance. With a decay of 0.9 it must win 2 points and three standard errors more than without "
          "one, where the cache freezes on what surprised early; and no player may win more than the "
          "posterior that is told of the changes. A decay of 0.8, StreamingLLM and random tokens, and "
          "how old the cached tokens are, are printed, without bars.")
      .paper("Yao, Li, Zhao, SirLLM: Streaming Infinite Retentive LLM, ACL 2024")
      .example("A few dialogues", R"(title = "SirLLM, briefly"
[nodes.study]
use       = "llm.study_sir"
parts     = ["dialogues"]
seeds     = 1
caps      = [80]
dialogues = 5

[nodes.claims]
use  = "jsonl.write"
from = "study"
)")
      .example("Short games", R"(title = "SirLLM's decay, briefly"
[nodes.study]
use        = "llm.study_sir"
parts      = ["throws"]
seeds      = 1
games      = 2
rounds     = 100
game_steps = 5

[nodes.claims]
use  = "jsonl.write"
from = "study"
)");
}

SirStudy::SirStudy(const Params& p) : StudySource(parts_by_seed(p, {kSirDialogues, kSirThrows})) {
  options_.model = p.get<bool>("train") ? "" : p.input_path("model");
  options_.caps = p.get<std::vector<std::int64_t>>("caps");
  if (options_.caps.empty()) throw bad_recipe("caps is empty");
  options_.dialogues = p.get<std::int64_t>("dialogues");
  options_.turns = p.get<std::int64_t>("turns");
  options_.decay = p.get<double>("decay");
  options_.seed = p.context().seed;
  options_.games = p.get<std::int64_t>("games");
  options_.rounds = p.get<std::int64_t>("rounds");
  options_.game_cap = p.get<std::int64_t>("game_cap");
  options_.game_steps = p.get<std::int64_t>("game_steps");
  options_.quick = p.get<bool>("quick");
  if (options_.quick) {
    options_.dialogues = std::max<std::int64_t>(1, options_.dialogues / 5);
    options_.games = std::min<std::int64_t>(3, options_.games);
    options_.rounds = std::min<std::int64_t>(300, options_.rounds);
    options_.game_steps = std::min<std::int64_t>(50, options_.game_steps);
  }
}

std::unique_ptr<StudyPart> SirStudy::part(const std::string& which) const {
  if (which.starts_with(kSirThrows)) return sir_throws(options_, seed_of_part(which));
  return std::make_unique<Dialogues>(options_, seed_of_part(which));
}

}  // namespace stream::llm
