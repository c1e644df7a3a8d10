#include "llm/study_duo.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "llm/identification.hpp"
#include "llm/memory_attention.hpp"
#include "llm/memory_full.hpp"
#include "llm/memory_sink.hpp"
#include "llm/pair_samples.hpp"
#include "llm/study_part.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

constexpr const char *kDuoGates = "gates", *kDuoExact = "exact", *kDuoSpeed = "speed";
constexpr std::int64_t kFar =
    16;                         // tokens back from which a value is asked for: more than streaming heads see
constexpr double kAsks = 0.25;  // attention on the value asked for, on average, of a recall head

using Table = std::vector<std::vector<bool>>;

struct Recalled {
  double recall = 0, filler_nll = 0;
};

class Gates final : public JobsPart {
 public:
  Gates(const DuoStudy::Options& o, std::int64_t seed)
      : options_(o),
        name_("seed " + std::to_string(seed) + ": "),
        recipe_(filler_recipe()),
        maker_(o.model.empty() ? std::string() : path_of_seed(o.model, seed), recipe_,
               o.seed * 1000 + static_cast<std::uint64_t>(seed)) {
    job("model", [this] { return maker_.step(); });
    once("heads", [this] { profile(); });
    for (const std::uint64_t data : {0, 1}) {
      if (data > 0 && o.quick) continue;
      identify("teacher, data " + std::to_string(data), Mix::kTeacher, PairLabels::kFarValues, data,
               [this, data](const HeadGates& gates) { judge(gates, data); });
    }
    if (!o.quick)
      identify("self", Mix::kSelf, PairLabels::kFarValues, 0, [this](const HeadGates& gates) {
        figure(name_ + "gates with mix = self (the paper's formula): " + listed(gates) +
                   "; least of the recall heads",
               Value(), highest(gates, false), lowest(gates, true));
      });
    identify("local only", Mix::kTeacher, PairLabels::kFillers, 0, [this](const HeadGates& gates) {
      claim(name_ + "control, only filler is labelled: " + listed(gates) + "; greatest gate of a recall head",
            "0.00 in the reference trial", Value(), highest(gates, true), "< 0.1",
            highest(gates, true) < 0.1);
    });
    once("tables", [this] { tables(); });
  }
  std::string progress() const override {
    const std::string job = JobsPart::progress();
    return name_ + (job == "model" ? maker_.progress() : job);
  }

 private:
  std::int64_t layers() const { return decoder_->config().layers; }
  std::int64_t heads() const { return decoder_->config().kv_heads; }
  bool recalls(std::size_t l, std::size_t h) const { return asks_[l][h] >= kAsks; }
  std::string listed(const HeadGates& gates) const {
    std::string out;
    for (const auto& layer : gates.layers)
      for (std::size_t h = 0; h < layer.size(); ++h)
        out += (h > 0 ? ", " : out.empty() ? "" : " / ") + decimals(layer[h]);
    return out;
  }
  template <typename Better>
  double extreme(const HeadGates& gates, bool recall, double from, Better better) const {
    for (std::size_t l = 0; l < gates.layers.size(); ++l)
      for (std::size_t h = 0; h < gates.layers[l].size(); ++h)
        if (recalls(l, h) == recall) from = better(from, gates.layers[l][h]);
    return from;
  }
  double lowest(const HeadGates& gates, bool recall) const {
    return extreme(gates, recall, 1.0, [](double a, double b) { return std::min(a, b); });
  }
  double highest(const HeadGates& gates, bool recall) const {
    return extreme(gates, recall, 0.0, [](double a, double b) { return std::max(a, b); });
  }

  /// The probability of taking a key up again is any of those in training.
  PairSample sample(Random& random, PairLabels labels) const {
    const double repeat = random.uniform(0.3, 0.95);
    return pair_sample(recipe_.text, repeat, recipe_.length, labels, kFar, random);
  }

  /// Attention of each head, from keys whose value stands far back, to that value: says which heads recall
  /// without looking at gates; and to the key in front of it, which some models look for first, in a head of
  /// their first layer that then needs the whole context too. No bar knows of such heads.
  void profile() {
    decoder_ = std::make_shared<const Decoder>(maker_.model());
    asks_.assign(static_cast<std::size_t>(layers()), std::vector<double>(static_cast<std::size_t>(heads())));
    auto keys = asks_;
    const std::int64_t group = decoder_->config().heads / heads();
    Random random(stable_hash("unseen", options_.seed));
    double asked = 0;
    for (std::int64_t i = 0; i < options_.samples; ++i) {
      samples_.push_back(sample(random, PairLabels::kFarValues));
      const PairSample& s = samples_.back();
      const auto n = static_cast<std::size_t>(recipe_.length);
      Session session(decoder_, std::make_unique<FullMemory>(decoder_->config(), decoder_->rope()));
      session.workspace().attention.tap(
          [&](std::int64_t layer, std::int64_t head, std::int64_t tokens, std::span<const float> p) {
            if (tokens != recipe_.length) throw failed("a sample passed in pieces");
            for (std::size_t t = 0; t < n; ++t)
              if (s.labels[t] != 0) {
                const std::size_t value = t * n + t + 1 - static_cast<std::size_t>(s.facts[t].distance);
                const auto l = static_cast<std::size_t>(layer), h = static_cast<std::size_t>(head / group);
                asks_[l][h] += static_cast<double>(p[value]) / static_cast<double>(group);
                keys[l][h] += static_cast<double>(p[value - 1]) / static_cast<double>(group);
              }
          });
      session.feed(s.tokens);
      asked += static_cast<double>(std::count(s.labels.begin(), s.labels.end(), 1));
    }
    for (auto* table : {&asks_, &keys})
      for (auto& layer : *table)
        for (double& mass : layer) mass /= asked;
    whole_ = recall(Table(asks_.size(), std::vector<bool>(asks_[0].size(), true)));
    std::size_t count = 0;
    for (std::size_t l = 0; l < asks_.size(); ++l)
      for (std::size_t h = 0; h < asks_[l].size(); ++h) count += recalls(l, h);
    claim(name_ + "recall of values more than " + std::to_string(kFar) +
              " tokens back with full attention; " + std::to_string(count) +
              " recall heads, attention on the value asked for: " + listed({asks_}),
          Value(), Value(), whole_.recall, ">= 0.97 and a recall head, or the run is void",
          whole_.recall >= 0.97 && count > 0);
    figure(name_ + "attention on the key in front of that value", Value(), Value(), listed({keys}));
  }

  void identify(const std::string& what, Mix mix, PairLabels labels, std::uint64_t data,
                const std::function<void(const HeadGates&)>& done) {
    job("gates, " + what, [=, this] {
      if (!identification_) {
        identification_ = std::make_unique<Identification>(
            maker_.model(),
            IdentificationOptions{
                .steps = options_.steps, .sinks = options_.sinks, .recent = options_.recent, .mix = mix});
        data_ = Random(stable_hash("identification " + std::to_string(data), options_.seed));
        before_ = fingerprint(identification_->model());
      }
      const std::int64_t n = recipe_.length;
      for (int i = 0; i < 10 && !identification_->finished(); ++i) {
        const at::Tensor tokens = torch::empty({options_.batch, n}, at::kLong);
        const at::Tensor labelled = torch::empty({options_.batch, n}, at::kBool);
        for (std::int64_t b = 0; b < options_.batch; ++b) {
          const PairSample s = sample(data_, labels);
          std::copy(s.tokens.begin(), s.tokens.end(), tokens.data_ptr<std::int64_t>() + b * n);
          std::copy(s.labels.begin(), s.labels.end(), labelled.data_ptr<bool>() + b * n);
        }
        identification_->step(tokens, labelled);
        const HeadGates now = identification_->gates();
        if (identification_->steps() % 20 == 0)
          for (std::size_t l = 0; l < now.layers.size(); ++l)
            for (std::size_t h = 0; h < now.layers[l].size(); ++h)
              point(name_ + "gates by step, " + what,
                    "layer " + std::to_string(l + 1) + ", head " + std::to_string(h + 1),
                    static_cast<double>(identification_->steps()), now.layers[l][h]);
      }
      if (!identification_->finished()) return false;
      frozen_ = frozen_ && before_ == fingerprint(identification_->model());
      const HeadGates gates = identification_->gates();
      identification_.reset();
      done(gates);
      return true;
    });
  }

  void judge(const HeadGates& gates, std::uint64_t data) {
    if (data == 0) gates_ = gates;
    const double low = lowest(gates, true), high = highest(gates, false);
    claim(name_ + "data " + std::to_string(data) + ", gates by layer: " + listed(gates) +
              "; least of the recall heads, greatest of the others beside it",
          "1.00 and 0.18 in the reference trial", high, low, ">= 0.9, and the others <= 0.55",
          low >= 0.9 && high <= 0.55);
  }

  template <typename Make>
  Recalled recall_with(Make make, bool one_by_one) {
    Recalled out;
    double asked = 0, fillers = 0;
    for (const PairSample& s : samples_) {
      Session session(decoder_, make());
      const auto each = [&](std::size_t t, std::span<const float> logits) {
        const std::int32_t next = s.facts[t].id;
        if (s.labels[t] != 0) {
          asked += 1;
          out.recall += std::max_element(logits.begin(), logits.end()) - logits.begin() == next;
        }
        if (recipe_.text.is_filler(next)) fillers += 1, out.filler_nll += surprisal(logits, next);
      };
      if (!one_by_one) session.feed(s.tokens, each);
      for (std::size_t t = 0; one_by_one && t < s.tokens.size(); ++t) {
        session.step(s.tokens[t]);
        each(t, session.logits());
      }
    }
    out.recall /= asked, out.filler_nll /= fillers;
    return out;
  }
  Recalled recall(const Table& table) {
    return recall_with(
        [&]() -> std::unique_ptr<Memory> {
          return std::make_unique<DuoMemory>(
              decoder_->config(), decoder_->rope(),
              DuoMemory::Options{table, options_.sinks, options_.recent, true});
        },
        false);
  }
  /// Tokens that every head may keep for the bytes of a table with `full` full heads, rounded up.
  std::int64_t tokens_of_each(std::int64_t full) const {
    const std::int64_t all = layers() * heads(), kept = options_.sinks + options_.recent;
    return (full * recipe_.length + (all - full) * kept + all - 1) / all;
  }
  /// Tokens that attention keeps, half of H2O's being the last ones, as in its paper.
  Recalled by_attention(AttentionMemory::Rule rule, std::int64_t full) {
    const std::int64_t each = tokens_of_each(full);
    const std::int64_t recent = rule == AttentionMemory::Rule::kH2o ? each / 2 : 0;
    return recall_with(
        [&]() -> std::unique_ptr<Memory> {
          return std::make_unique<AttentionMemory>(decoder_->config(), decoder_->rope(),
                                                   AttentionMemory::Options{rule, each - recent, recent});
        },
        true);
  }
  /// The same bytes for all heads alike, at places in the cache.
  Recalled streaming_llm(std::int64_t full) {
    const std::int64_t each = tokens_of_each(full);
    return recall_with(
        [&]() -> std::unique_ptr<Memory> {
          return std::make_unique<SinkMemory>(
              decoder_->config(), decoder_->rope(),
              SinkMemory::Options{.sinks = options_.sinks, .recent = each - options_.sinks});
        },
        true);
  }

  /// Every table of every size, by the heads that are full.
  void tables() {
    const std::int64_t all = layers() * heads(), width = heads();
    if (all > 12) throw failed("too many heads to try every table");
    const double chance = 1.0 / static_cast<double>(recipe_.text.values);
    double blind = 0, filler = 0;
    std::map<std::int64_t, std::pair<double, double>>
        worst;  // by the number of full heads: least and mean recall
    std::map<std::int64_t, double> count;
    std::map<Table, Recalled> found;
    for (std::int64_t bits = 0; bits < (std::int64_t{1} << all); ++bits) {
      Table table(static_cast<std::size_t>(layers()), std::vector<bool>(static_cast<std::size_t>(width)));
      std::int64_t full = 0;
      bool sees = false;
      for (std::int64_t i = 0; i < all; ++i) {
        if ((bits >> i & 1) == 0) continue;
        const auto l = static_cast<std::size_t>(i / width), h = static_cast<std::size_t>(i % width);
        table[l][h] = true, ++full, sees = sees || recalls(l, h);
      }
      const Recalled r = found[table] = recall(table);
      if (!sees) blind = std::max(blind, r.recall);
      auto& [least, mean] = worst.try_emplace(full, 2.0, 0.0).first->second;
      least = std::min(least, r.recall), mean += r.recall, count[full] += 1;
    }
    const std::uint64_t ties = stable_hash("ties", options_.seed);
    const auto by_gates = [&](double sparsity) {
      const Recalled& r = found.at(gates_.full(sparsity, ties));
      filler = std::max(filler, std::abs(r.filler_nll - whole_.filler_nll));
      return r.recall;
    };
    const double half = by_gates(0.5), quarter = by_gates(0.75);
    const auto beside = [&](std::int64_t full) {
      return "worst " + decimals(worst[full].first) + ", mean of all " +
             decimals(worst[full].second / count[full]) + ", by attention " +
             decimals(found
                          .at(HeadGates{asks_}.full(1 - static_cast<double>(full) / static_cast<double>(all),
                                                    ties))
                          .recall) +
             ", StreamingLLM with as many bytes " + decimals(streaming_llm(full).recall);
    };
    claim(name_ + "recall with half of the heads full by the gates; other tables of that size",
          "as with full attention; StreamingLLM fails", beside(all / 2), half,
          ">= 0.97 of " + decimals(whole_.recall), half >= 0.97 * whole_.recall);
    claim(name_ + "recall with a quarter full; other tables of that size", Value(), beside(all / 4), quarter,
          ">= 0.4", quarter >= 0.4);
    for (const auto& [share, full, ours] :
         {std::tuple("half", all / 2, half), std::tuple("a quarter", all / 4, quarter)}) {
      const double h2o = by_attention(AttentionMemory::Rule::kH2o, full).recall;
      const double tova = by_attention(AttentionMemory::Rule::kTova, full).recall;
      figure(name_ + "recall with the bytes of " + share + " of the heads full, " +
                 std::to_string(tokens_of_each(full)) + " of " + std::to_string(recipe_.length) +
                 " tokens for every head: H2O, TOVA; by the gates beside it",
             "both fail on needles", decimals(h2o) + ", " + decimals(tova), ours);
    }
    claim(name_ + "best recall of a table without a recall head, all streaming among them (chance " +
              decimals(chance) + ")",
          Value(), worst[0].first, blind, "<= chance + 0.06", blind <= chance + 0.06);
    claim(name_ + "surprisal of filler, half and a quarter full, away from full attention (nats)", Value(),
          whole_.filler_nll, filler, "<= 0.02", filler <= 0.02);
    claim(name_ + "the model's weights are what they were before identification", Value(), Value(), frozen_,
          "true", frozen_);
  }

  DuoStudy::Options options_;
  std::string name_;
  ModelRecipe recipe_;
  ModelMaker maker_;
  std::shared_ptr<const Decoder> decoder_;
  std::vector<PairSample> samples_;
  std::vector<std::vector<double>> asks_;  ///< [layers][kv heads]
  Recalled whole_;
  std::unique_ptr<Identification> identification_;
  Random data_{0};
  std::string before_;
  bool frozen_ = true;
  HeadGates gates_;
};

}  // namespace

ModelRecipe filler_recipe() {
  ModelRecipe r;
  r.text = filler_text();
  r.length = 96, r.hidden = 64, r.ffn = 128, r.steps = 1500;
  return r;
}

Spec DuoStudy::spec() {
  const Options o;
  return Spec("llm.study_duo",
              "A study: gates that find the heads which need the whole context, and what is recalled with "
              "few of them.")
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
      .param("steps", o.steps, "of each identification", range(5, 1e6))
      .param("batch", o.batch, "samples in a step", range(1, 4096))
      .param("samples", o.samples, "unseen ones that recall is measured on", range(1, 1e6))
      .param("parts", std::vector<std::string>{kDuoGates, kDuoExact, kDuoSpeed},
             "what is measured, in this order", choices({kDuoGates, kDuoExact, kDuoSpeed}))
      .param("quick", false, "one model, one draw of data, 32 samples; the same bars, but that on time")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Gates: samples of 96 tokens in which values are asked for that stand more than 16 tokens back; "
          "streaming heads "
          "see the "
          "begin token and the last 12. Which heads recall is measured apart, by their attention on the "
          "value asked "
          "for: "
          "their gates must end at 0.9 or more, all others at 0.55 or less. With half of the heads full by "
          "the gates "
          "recall "
          "is 0.97 of that of full attention, with a quarter 0.4; no table without a recall head does better "
          "than "
          "chance "
          "and 6 points; filler costs no more than 0.02 nats. When only filler is labelled, which needs "
          "nothing far, "
          "the "
          "recall heads' gates must fall below 0.1. All tables of each size, heads chosen by attention, and "
          "StreamingLLM, H2O and TOVA "
          "with "
          "as many bytes are printed beside it.\n\n"
          "Exact: bytes of keys and values, all heads full against the model itself, chunks against a plain "
          "decoder with the "
          "mask written down. Speed: random weights and 64K tokens in memory; half of the heads take no more "
          "than 0.65 of "
          "the time.")
      .paper("Xiao et al., DuoAttention, ICLR 2025 (arXiv 2410.10819)")
      .example("A few steps", R"(title = "DuoAttention, briefly"
[nodes.study]
use     = "llm.study_duo"
parts   = ["gates"]
seeds   = 1
steps   = 5
samples = 4
quick   = true

[nodes.claims]
use  = "jsonl.write"
from = "study"
)");
}

DuoStudy::DuoStudy(const Params& p) : StudySource(parts_by_seed(p, {kDuoGates})) {
  options_.model = p.get<bool>("train") ? "" : p.input_path("model");
  options_.steps = p.get<std::int64_t>("steps");
  options_.batch = p.get<std::int64_t>("batch");
  options_.samples = p.get<std::int64_t>("samples");
  options_.quick = p.get<bool>("quick");
  options_.seed = p.context().seed;
  if (options_.quick) {
    options_.samples = std::min<std::int64_t>(32, options_.samples);
    options_.speed_tokens = 1 << 13;
  }
}

std::unique_ptr<StudyPart> DuoStudy::part(const std::string& which) const {
  if (which == kDuoExact) return duo_exact(options_);
  if (which == kDuoSpeed) return duo_speed(options_);
  return std::make_unique<Gates>(options_, seed_of_part(which));
}

}  // namespace stream::llm
