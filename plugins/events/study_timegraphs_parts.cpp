#include "events/study_timegraphs_parts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "events/council_world.hpp"
#include "events/over_seeds.hpp"
#include "events/pitch_world.hpp"
#include "nn/device.hpp"

namespace stream::events {

namespace {

/// Every second step is lost, which ones is drawn; steps that are asked about stay.
Games thinned(const Games& games, std::span<const std::size_t> which, std::uint64_t seed) {
  Random random(seed);
  Games out;
  for (const std::size_t g : which) {
    Game game;
    game.gap = games[g].gap;
    for (std::size_t t = 0; t < games[g].scenes.size(); ++t) {
      const auto asked = std::find_if(games[g].questions.begin(), games[g].questions.end(),
                                      [&](const auto& q) { return q.step == static_cast<std::int64_t>(t); });
      if (asked == games[g].questions.end() && random.below(2) == 0) continue;
      if (asked != games[g].questions.end())
        game.questions.push_back({static_cast<std::int64_t>(game.scenes.size()), asked->answer});
      game.scenes.push_back(games[g].scenes[t]);
    }
    out.push_back(std::move(game));
  }
  return out;
}

std::vector<std::size_t> all_of(const Games& games) {
  std::vector<std::size_t> all(games.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

constexpr const char* kEvents = "TimeGraphs";
constexpr double kLongGap = 40;

}  // namespace

TimeGraphsTaskPart::TimeGraphsTaskPart(Options options) : options_(std::move(options)) {
  arms_ = {{kEvents, Kind::kEvents, 2e-3},
           {"GRU", Kind::kGru, 2e-3},
           {"GRU", Kind::kGru, 6e-3},
           {"transformer", Kind::kTransformer, 1e-3},
           {"transformer", Kind::kTransformer, 3e-3},
           {"flat graph", Kind::kFlat, 2e-3}};
  if (counter()) {
    arms_.push_back({"random promotion", Kind::kRandom, 2e-3});
    arms_.push_back({"uniform subsampling", Kind::kUniform, 2e-3});
    asked_ = {{"counter"}, false, false, {}};
  } else if (options_.task == "next") {
    asked_ = {{"pass", "shot", "win"}, true, false, {"home", "away"}};
  } else {
    asked_ = {{"spy"}, true, false, {"player"}};
  }
}

Game TimeGraphsTaskPart::play(Random& random, std::int64_t players) const {
  if (options_.task == "spies") return hold_council({}, random);
  PitchOptions o;
  o.players = players;
  o.steps = counter() ? 276 : 216;  // three gaps of 80 steps, and some play before them
  if (!counter()) o.task = PitchTask::kNext;
  return play_pitch(o, random);
}

void TimeGraphsTaskPart::begin_seed() {
  const auto seed = stable_hash(options_.task, 1000 * options_.seed + static_cast<std::uint64_t>(seed_));
  Random random(seed);
  games_ = std::make_shared<Games>();
  training_.clear(), validation_.clear(), testing_.clear();
  const std::int64_t validation = std::max<std::int64_t>(4, options_.train / 6);
  for (std::int64_t i = 0; i < options_.train + validation + options_.test; ++i) {
    (i < options_.train                ? training_
     : i < options_.train + validation ? validation_
                                       : testing_)
        .push_back(games_->size());
    games_->push_back(play(random, 5));
  }
  auto streams = std::make_shared<EventPretraining::Streams>();
  for (std::size_t i = 0; i < std::min<std::size_t>(training_.size(), 60); ++i)
    streams->push_back((*games_)[training_[i]].scenes);
  PretrainingOptions o;
  o.steps = options_.event_steps, o.batch = 4, o.streams = 20;
  o.keep = options_.keep, o.horizon = options_.horizon;
  events_ = std::make_unique<EventPretraining>(
      options_.task == "spies" ? council_vocabulary() : pitch_vocabulary(), streams, o, seed + 1);
  scores_.emplace_back();
  arm_ = 0;
}

HierarchyOptions TimeGraphsTaskPart::hierarchy(Kind kind) const {
  HierarchyOptions o;
  o.horizon = options_.horizon;
  if (kind == Kind::kRandom) o.promotion = Promotion::kRandom;
  if (kind == Kind::kUniform) o.promotion = Promotion::kUniform;
  if (kind == Kind::kFlat) o.promotion = Promotion::kNone, o.horizon = flat_horizon_;
  o.seed = options_.seed + static_cast<std::uint64_t>(seed_);
  return o;
}

void TimeGraphsTaskPart::begin_arm() {
  const Arm& arm = arms_[arm_];
  const auto seed =
      stable_hash("weights " + options_.task, 1000 * options_.seed + static_cast<std::uint64_t>(seed_));
  const EventModel& model = *events_->model();
  const SequenceShape shape{static_cast<std::int64_t>(asked_.outputs.size()), asked_.per_node, parameters_};
  if (arm.kind == Kind::kGru) {
    answerer_ = std::make_shared<GruAnswerer>(*games_, model.vocabulary, shape, seed);
  } else if (arm.kind == Kind::kTransformer) {
    answerer_ = std::make_shared<TransformerAnswerer>(*games_, model.vocabulary, shape, seed);
  } else {
    const auto grown = std::make_shared<const GrownGraphs>(events_->model(), hierarchy(arm.kind), *games_);
    answerer_ = std::make_shared<GraphAnswerer>(
        grown, std::make_shared<ReasoningHead>(head_shape(model, asked_), seed));
    if (arm.kind == Kind::kEvents) {
      parameters_ = answerer_->parameter_count();
      measure_events(*grown);
    }
  }
  GameTrainerOptions o;
  o.outputs = shape.outputs, o.steps = options_.steps, o.rate = arm.rate, o.dropout = options_.dropout;
  o.games = counter() ? 32 : 8, o.questions = counter() ? 1 : 4;
  trainer_ = std::make_unique<GameTrainer>(answerer_, games_, training_, o, seed + 1);
}

/// What the hierarchy does before anything has been learnt from labels.
void TimeGraphsTaskPart::measure_events(const GrownGraphs& grown) {
  Score& score = scores_.back()["events"];
  score["touched"] = grown.touched;
  double nodes = 0, graphs = 0;
  std::array<std::array<double, 2>, 2> promoted{};
  std::array<double, 2> there{};
  for (std::size_t i = 0; i < std::min<std::size_t>(testing_.size(), 40); ++i) {
    const Game& game = (*games_)[testing_[i]];
    for (std::size_t q = 0; q < game.questions.size(); ++q)
      nodes += static_cast<double>(grown.graphs[testing_[i]][q].nodes.size()) /
               static_cast<double>(game.scenes.back().nodes.size()),
          graphs += 1;
    EventHierarchy hierarchy(events_->model(), this->hierarchy(Kind::kEvents));
    std::vector<EventHierarchy::Promoted> all;
    hierarchy.promotions = &all;
    for (const Scene& scene : game.scenes) hierarchy.push(scene);
    // A ball flies for three steps.
    std::set<std::int64_t> busy;
    for (const Act& act : game.acts)
      for (std::int64_t k = 0; k < (options_.task == "spies" ? 1 : 3); ++k) busy.insert(act.step + k);
    for (std::size_t t = 0; t < game.scenes.size(); ++t)
      there[busy.contains(static_cast<std::int64_t>(t)) ? 1 : 0] +=
          static_cast<double>(game.scenes[t].nodes.size());
    for (const auto& p : all)
      promoted[static_cast<std::size_t>(p.level) - 1][busy.contains(p.step) ? 1 : 0] += 1;
  }
  flat_horizon_ = std::max<std::int64_t>(1, std::llround(nodes / std::max(1.0, graphs)));
  for (std::size_t l = 0; l < 2; ++l)
    score[l == 0 ? "ratio 1" : "ratio 2"] =
        (promoted[l][1] / std::max(1.0, there[1])) / std::max(1e-6, promoted[l][0] / std::max(1.0, there[0]));
}

TimeGraphsTaskPart::Score TimeGraphsTaskPart::measure(const Answerer& answerer, const Games& games,
                                                      std::span<const std::size_t> which) const {
  const Answers found = ask(answerer, games, which, static_cast<std::int64_t>(asked_.outputs.size()));
  Score score{
      {"match", exact_match(found)},
      {"some", exact_match(found, true)},
      {"nothing", exact_match({at::zeros_like(found.probability), found.answer, found.question, found.game})},
      {"f1", micro_f1(found)},
      {"auc", area_under_curve(found)}};
  if (counter()) {
    const at::Tensor right = (found.probability.ge(0.5) == found.answer.ge(0.5)).select(1, 0).contiguous();
    double hits[2] = {0, 0}, count[2] = {0, 0};
    for (std::size_t r = 0; r < found.game.size(); ++r) {
      const std::size_t lengthy = games[found.game[r]].gap > kLongGap ? 1 : 0;
      hits[lengthy] += right.data_ptr<bool>()[r] ? 1 : 0, count[lengthy] += 1;
    }
    score["short"] = hits[0] / std::max(1.0, count[0]), score["long"] = hits[1] / std::max(1.0, count[1]);
  }
  return score;
}

void TimeGraphsTaskPart::end_arm() {
  const Arm& arm = arms_[arm_];
  const double validation = trainer_->loss(validation_);
  Score& kept = scores_.back()[arm.name];
  if (kept.empty() || validation < kept["validation"]) {
    kept = measure(*answerer_, *games_, testing_);
    kept["validation"] = validation, kept["rate"] = arm.rate;
    kept["parameters"] = static_cast<double>(answerer_->parameter_count());
    if (counter() && (arm.kind == Kind::kEvents || arm.kind == Kind::kGru)) {
      const Games thin = thinned(*games_, testing_, options_.seed + static_cast<std::uint64_t>(seed_));
      if (auto* graphs = dynamic_cast<GraphAnswerer*>(answerer_.get())) {
        graphs->silence(2);
        kept["without level 2"] = measure(*graphs, *games_, testing_)["long"];
        graphs->silence(3);
        graphs->set_graphs(std::make_shared<const GrownGraphs>(events_->model(), hierarchy(arm.kind), thin));
      } else {
        dynamic_cast<SequenceAnswerer&>(*answerer_).set_games(thin);
      }
      kept["thinned"] = measure(*answerer_, thin, all_of(thin))["match"];
      if (auto* graphs = dynamic_cast<GraphAnswerer*>(answerer_.get())) {
        Random random(stable_hash("seven", 1000 * options_.seed + static_cast<std::uint64_t>(seed_)));
        Games seven;
        for (std::int64_t i = 0; i < options_.test; ++i) seven.push_back(play(random, 7));
        graphs->set_graphs(std::make_shared<const GrownGraphs>(events_->model(), hierarchy(arm.kind), seven));
        kept["seven"] = measure(*graphs, seven, all_of(seven))["match"];
      }
    }
  }
  trainer_.reset(), answerer_.reset();
  if (++arm_ < arms_.size()) return;
  arm_ = 0, ++seed_;
  events_.reset(), games_.reset();
}

bool TimeGraphsTaskPart::step() {
  if (seed_ == options_.seeds) return false;
  if (!games_) {
    begin_seed();
  } else if (!events_->finished()) {
    for (int i = 0; i < 10 && !events_->finished(); ++i) events_->step();
  } else if (!trainer_) {
    begin_arm();
  } else if (!trainer_->finished()) {
    for (int i = 0; i < 10 && !trainer_->finished(); ++i) trainer_->step();
  } else {
    end_arm();
  }
  return true;
}

double TimeGraphsTaskPart::fraction() const {
  const double within =
      trainer_ ? static_cast<double>(trainer_->steps()) / static_cast<double>(options_.steps) : 0;
  return (static_cast<double>(seed_) +
          (static_cast<double>(arm_) + within) / static_cast<double>(arms_.size())) /
         static_cast<double>(options_.seeds);
}

std::string TimeGraphsTaskPart::progress() const {
  std::string text = options_.task + ", seed " + std::to_string(seed_);
  if (!events_) return text;
  if (!events_->finished()) return text + ", events, step " + std::to_string(events_->steps());
  text += ", " + arms_[arm_].name;
  return trainer_ ? text + ", step " + std::to_string(trainer_->steps()) : text;
}

std::vector<double> TimeGraphsTaskPart::over_seeds(const std::string& arm, const std::string& figure) const {
  std::vector<double> all;
  for (const auto& seed : scores_) {
    const auto of = seed.find(arm);
    if (of == seed.end()) continue;
    const auto value = of->second.find(figure);
    if (value != of->second.end()) all.push_back(value->second);
  }
  return all;
}

void TimeGraphsTaskPart::counter_claims(std::vector<Object>& out) const {
  const auto match = over_seeds(kEvents, "match"), lengthy = over_seeds(kEvents, "long");
  out.push_back(
      claim("counter-attacks: accuracy", Value(), 0.5, listed(match), "mean >= 0.85", mean(match) >= 0.85));
  for (const char* arm : {"GRU", "transformer"}) {
    const auto theirs = over_seeds(arm, "long");
    out.push_back(
        claim(std::string("counter-attacks: accuracy where gaps are longer than 40 steps, against ") + arm +
                  " (short gaps: " + listed(over_seeds(arm, "short")) + ")",
              Value(), listed(theirs), listed(lengthy), "mean more by >= 0.08",
              mean(lengthy) - mean(theirs) >= 0.08));
  }
  for (const char* arm : {"random promotion", "uniform subsampling"}) {
    const auto theirs = over_seeds(arm, "match");
    out.push_back(claim(std::string("counter-attacks: accuracy against ") + arm, Value(), listed(theirs),
                        listed(match), "mean more by >= 0.04", mean(match) - mean(theirs) >= 0.04));
  }
  {
    const auto without = over_seeds(kEvents, "without level 2");
    out.push_back(claim("counter-attacks with long gaps: accuracy with level 2 against without what it says",
                        Value(), listed(without), listed(lengthy), "mean more by > 0.02",
                        mean(lengthy) - mean(without) > 0.02));
  }
  {
    const auto mine = over_seeds(kEvents, "thinned"), whole = over_seeds("GRU", "match"),
               theirs = over_seeds("GRU", "thinned");
    const double loss = mean(match) - mean(mine), other = mean(whole) - mean(theirs);
    out.push_back(claim("counter-attacks: accuracy lost when half of the steps are", Value(), other, loss,
                        "at most half of what the GRU loses", loss <= other / 2));
  }
  {
    const auto seven = over_seeds(kEvents, "seven");
    out.push_back(claim("counter-attacks: accuracy with 7 players a side, learnt with 5", Value(),
                        listed(match), listed(seven), "mean less by <= 0.07",
                        mean(match) - mean(seven) <= 0.07));
  }
  for (const char* arm : {"GRU", "transformer", "flat graph"})
    out.push_back(figure(std::string("counter-attacks: accuracy of ") + arm, Value(),
                         listed(over_seeds(arm, "match")), listed(match)));
}

void TimeGraphsTaskPart::next_claims(std::vector<Object>& out) const {
  const auto match = over_seeds(kEvents, "match");
  const auto gru = over_seeds("GRU", "match"), transformer = over_seeds("transformer", "match");
  const bool first = mean(gru) >= mean(transformer);
  const auto& best = first ? gru : transformer;
  // Many windows are empty: whoever foretells nothing at all is right on those.
  const auto nothing = over_seeds(kEvents, "nothing");
  out.push_back(
      claim(std::string("what comes next: exact match against the better sequence model, ") +
                (first ? "GRU" : "transformer") + " (where nothing is foretold: " + listed(nothing) + ")",
            "up to 1.12 x", listed(best), listed(match), "mean >= 1.05 x, and than nothing foretold",
            mean(match) >= 1.05 * std::max(mean(best), mean(nothing))));
  for (const char* arm : {"GRU", "transformer", "flat graph"})
    for (const auto& [name, key] :
         {std::pair{"exact match", "match"}, std::pair{"exact match where something comes", "some"},
          std::pair{"micro-F1", "f1"}})
      out.push_back(figure(std::string("what comes next: ") + name + " against " + arm, Value(),
                           listed(over_seeds(arm, key)), listed(over_seeds(kEvents, key))));
}

void TimeGraphsTaskPart::spies_claims(std::vector<Object>& out) const {
  const auto mine = over_seeds(kEvents, "auc");
  std::string name;
  std::vector<double> best;
  for (const char* arm : {"GRU", "transformer", "flat graph"})
    if (auto theirs = over_seeds(arm, "auc"); best.empty() || mean(theirs) > mean(best))
      best = std::move(theirs), name = arm;
  out.push_back(claim("spies: AUC against the best other, " + name, Value(), listed(best), listed(mine),
                      "mean more by >= 0.03", mean(mine) - mean(best) >= 0.03));
  for (const char* arm : {"GRU", "transformer", "flat graph"})
    out.push_back(figure(std::string("spies: AUC against ") + arm, Value(), listed(over_seeds(arm, "auc")),
                         listed(mine)));
}

std::vector<Object> TimeGraphsTaskPart::records() const {
  std::vector<Object> out;
  if (counter()) counter_claims(out);
  if (options_.task == "next") next_claims(out);
  if (options_.task == "spies") spies_claims(out);
  const auto touched = over_seeds("events", "touched"), one = over_seeds("events", "ratio 1"),
             two = over_seeds("events", "ratio 2");
  if (counter()) {
    out.push_back(claim("share of the nodes of all steps that the head touches", Value(), 1, listed(touched),
                        "mean <= 0.35", mean(touched) <= 0.35));
    out.push_back(claim("share promoted to level 1 on steps with acts over that on quiet steps (level 2: " +
                            listed(two) + "), no label having been seen",
                        Value(), 1, listed(one), "mean >= 1.5", mean(one) >= 1.5));
  } else {
    out.push_back(figure(options_.task +
                             ": share of nodes that the head touches; promoted to level 1, to level 2 "
                             "on steps with acts over quiet ones",
                         Value(), Value(), listed(touched) + "; " + listed(one) + "; " + listed(two)));
  }
  std::string sizes;
  for (const char* arm : {kEvents, "GRU", "transformer", "flat graph"})
    sizes += (sizes.empty() ? "" : ", ") + std::string(arm) + " " +
             quantity(mean(over_seeds(arm, "parameters"))) + " at rates " + listed(over_seeds(arm, "rate"));
  out.push_back(figure(options_.task + ": parameters, and learning rates chosen on validation", Value(),
                       Value(), sizes));
  const auto& plotted = counter() ? "long" : options_.task == "next" ? "match" : "auc";
  for (const auto& arm : arms_) {
    const auto values = over_seeds(arm.name, plotted);
    for (std::size_t s = 0; s < values.size(); ++s)
      if (&arm ==
          &*std::find_if(arms_.begin(), arms_.end(), [&](const Arm& a) { return a.name == arm.name; }))
        out.push_back(
            point(options_.task + ": " + (counter() ? "accuracy with long gaps" : plotted) + " by seed",
                  arm.name, static_cast<double>(s), values[s]));
  }
  return options_.quick ? unjudged(std::move(out)) : out;
}

}  // namespace stream::events
