#include "events/study_timegraphs.hpp"

#include <algorithm>

#include "events/study_timegraphs_exact.hpp"
#include "events/study_timegraphs_parts.hpp"
#include "stream/error.hpp"

namespace stream::events {

Spec TimeGraphsStudy::spec() {
  return Spec("events.timegraphs_study",
              "A study: answers from a graph of events, against sequence models and graphs without events.")
      .output<Record>("claims",
                      "{\"claim\", \"paper\", \"baseline\", \"measured\", \"bar\", \"held\"}, and points of "
                      "curves {\"plot\", \"series\", \"x\", \"y\"}")
      .param("parts", std::vector<std::string>{"exact", "counter", "next", "spies"},
             "what is measured, in this order", choices({"exact", "counter", "next", "spies"}))
      .param("seeds", std::int64_t{3}, "games and initial weights", range(1, 100))
      .param("train", std::int64_t{3000},
             "games to learn counter-attacks from; a quarter of them for the others", range(8, 1e5))
      .param("test", std::int64_t{300}, "games of counter-attacks to measure on; half of them for the others",
             range(4, 1e5))
      .param("steps", std::int64_t{600}, "updates of every model", range(1, 1e6))
      .param("event_steps", std::int64_t{150}, "updates of each level of the event model", range(1, 1e6))
      .param("keep", std::vector<double>{0.15, 0.4}, "shares promoted to level 1, to level 2",
             range(0.001, 0.999))
      .param("horizon", std::int64_t{2}, "steps of level 0 that are kept; ten times as many of level 1",
             range(1, 1000))
      .param("dropout", 0.0, "of every model", range(0, 0.9))
      .param("quick", false, "one seed, 12 games, 5 updates: only what is exact is judged")
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Three tasks: was the last goal of a game a counter-attack; who does what in the next 15 steps; "
          "who "
          "are the spies of a council. The same games, updates, batches and nearly as many parameters for "
          "TimeGraphs, for a GRU over whole games and a causal transformer over 64 steps (both get every "
          "number and edge of a step, and two learning rates, the better one on validation), and for the "
          "same "
          "head over the last steps without events (as many nodes), over events chosen at random and over "
          "steps chosen uniformly.")
      .paper(
          "Maheshwari, Ren, Wang, Sosic, Leskovec, TimeGraphs: Graph-based Temporal Reasoning, arXiv "
          "2401.03134")
      .example("Its exact part", R"(title = "What must be exact"
[nodes.study]
use = "events.timegraphs_study"
parts = ["exact"]
[nodes.claims]
use = "jsonl.write"
from = "study"
path = "-"
)");
}

TimeGraphsStudy::TimeGraphsStudy(const Params& p)
    : StudySource(p.get<std::vector<std::string>>("parts")),
      seed_(p.context().seed),
      quick_(p.get<bool>("quick")),
      seeds_(quick_ ? 1 : p.get<std::int64_t>("seeds")),
      train_(quick_ ? 12 : p.get<std::int64_t>("train")),
      test_(quick_ ? 8 : p.get<std::int64_t>("test")),
      steps_(quick_ ? 5 : p.get<std::int64_t>("steps")),
      keep_(p.get<std::vector<double>>("keep")),
      horizon_(p.get<std::int64_t>("horizon")),
      dropout_(p.get<double>("dropout")),
      event_steps_(quick_ ? 5 : p.get<std::int64_t>("event_steps")) {
  if (keep_.size() != 2) throw bad_recipe("keep has " + std::to_string(keep_.size()) + " shares, expected 2");
}

std::unique_ptr<StudyPart> TimeGraphsStudy::part(const std::string& which) const {
  if (which == "exact") return std::make_unique<TimeGraphsExactPart>(seed_, quick_);
  const bool counter = which == "counter";
  return std::make_unique<TimeGraphsTaskPart>(
      TimeGraphsTaskPart::Options{.task = which,
                                  .seed = seed_,
                                  .seeds = seeds_,
                                  .train = counter ? train_ : std::max<std::int64_t>(8, train_ / 4),
                                  .test = counter ? test_ : std::max<std::int64_t>(4, test_ / 2),
                                  .steps = steps_,
                                  .event_steps = event_steps_,
                                  .keep = {keep_[0], keep_[1]},
                                  .horizon = horizon_,
                                  .dropout = dropout_,
                                  .quick = quick_});
}

}  // namespace stream::events
