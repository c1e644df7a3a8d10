#include "events/study_prompt_tpp.hpp"

#include "events/study_prompt_tpp_parts.hpp"

namespace stream::events {

Spec PromptTppStudy::spec() {
  return Spec("events.prompt_tpp_study",
              "A study: an event stream whose regimes change, learnt with prompts, without, and with random "
              "ones.")
      .output<Record>(
          "claims",
          "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of curves "
          "{\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts", std::vector<std::string>{"exact", "stream"}, "what is measured, in this order",
             choices({"exact", "stream"}))
      .param("seeds", std::int64_t{3}, "families of regimes, data and initial weights", range(1, 100))
      .param("train", std::int64_t{300}, "sequences of each task to learn from", range(10, 1e5))
      .param("test", std::int64_t{100}, "held-out sequences of each regime", range(5, 1e5))
      .param("epochs", std::int64_t{10}, "of each task; three times as many of the first", range(1, 1000))
      .param("quick", false, "one seed, 40 sequences of each task, 2 epochs: only what is exact is judged")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Regimes are Hawkes processes of six types that share their chain of types and differ in which "
          "type is "
          "frequent and how fast influence fades; nine tasks are six regimes and three of them again. Four "
          "arms see the same sequences in the same order for the same number of updates: online fine-tuning; "
          "the same with a base ten times slower after the first task; that with prompts drawn at random; "
          "PromptTPP. Beside them, for comparison: online with elastic weight consolidation, its strength "
          "the best of four on regimes of another seed; online with 50 past sequences replayed, which the "
          "others may not keep; the neural Hawkes process online, of about as many parameters. Regret is the "
          "log-likelihood of the true process less that of the model, for each event.")
      .paper(
          "Xue, Wang, Chu, Shi, Jiang et al., Prompt-augmented Temporal Point Process for Streaming Event "
          "Sequence, "
          "NeurIPS 2023, arXiv 2310.04993")
      .example("Its exact part", R"(title = "What must be exact"
[nodes.study]
use = "events.prompt_tpp_study"
parts = ["exact"]
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

PromptTppStudy::PromptTppStudy(const Params& p)
    : StudySource(p.get<std::vector<std::string>>("parts")),
      seed_(p.context().seed),
      quick_(p.get<bool>("quick")),
      seeds_(quick_ ? 1 : p.get<std::int64_t>("seeds")),
      train_(quick_ ? 40 : p.get<std::int64_t>("train")),
      test_(quick_ ? 20 : p.get<std::int64_t>("test")),
      epochs_(quick_ ? 2 : p.get<std::int64_t>("epochs")) {}

std::unique_ptr<StudyPart> PromptTppStudy::part(const std::string& which) const {
  if (which == "exact") return std::make_unique<TppExactPart>(seed_);
  return std::make_unique<TppStreamPart>(TppStreamPart::Options{.seed = seed_,
                                                                .seeds = seeds_,
                                                                .train = train_,
                                                                .test = test_,
                                                                .first_epochs = 3 * epochs_,
                                                                .epochs = epochs_,
                                                                .quick = quick_});
}

}  // namespace stream::events
