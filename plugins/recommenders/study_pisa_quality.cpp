#include "recommenders/study_pisa_quality.hpp"

#include <algorithm>
#include <cmath>

#include "nn/device.hpp"
#include "recommenders/play_baselines.hpp"

namespace stream::recommenders {

std::shared_ptr<const SessionLog> log_of_world(const WorldOptions& options) {
  const ListeningWorld world(options);
  auto log = std::make_shared<SessionLog>();
  for (std::int32_t t = 1; t <= options.tracks; ++t) log->catalogue.add("t" + std::to_string(t));
  for (std::int32_t u = 0; u < options.users; ++u) {
    log->users.push_back("u" + std::to_string(u));
    auto& sessions = log->sessions.emplace_back();
    for (const Play& play : world.plays(u)) {
      if (static_cast<std::size_t>(play.session) == sessions.size()) sessions.push_back({play.time, {}, {}});
      if (sessions.back().items.size() < kSlots) sessions.back().items.push_back(play.track);
    }
  }
  return log;
}

PisaQualityPart::PisaQualityPart(Options options) : options_(std::move(options)) {
  arms_ = {{"PISA", false, true}, {"plain means", false, false}};
  if (!options_.control) arms_.push_back({"SASRec", true, false});
}

TrainerOptions PisaQualityPart::trainer_options(const Arm& arm) const {
  TrainerOptions o;
  o.sasrec = arm.sasrec;
  o.shape.activations = arm.activations;
  o.shape.features = options_.features;
  o.shape.blocks = 1;
  o.shape.item_rate = 1;
  o.epochs = options_.epochs;
  return o;
}

bool PisaQualityPart::step() {
  if (!log_) {
    log_ = log_of_world(options_.world);
    const auto upto = training_sessions(*log_, {});
    const std::size_t test = Split{}.test, items = log_->catalogue.size();
    counts_ = measure(*log_, test, 0, by_personal_counts(items));
    base_ = measure(*log_, test, 0, by_base_level(items));
    popularity_ = measure(*log_, test, 0, by_popularity(*log_, upto));
    constexpr std::int64_t kDraws = 400;
    world_ = measure(*log_, test, 0, by_the_world(options_.world, options_.quick ? 20 : kDraws));
    // The lists that hold what was really played have the repetition of the data.
    double old = 0, all = 0;
    for (const auto& sessions : log_->sessions) {
      std::unordered_set<std::int32_t> known;
      for (std::size_t s = 0; s < sessions.size(); ++s)
        for (const std::int32_t item : sessions[s].items) {
          const bool heard = !known.insert(item).second;
          if (s + test >= sessions.size()) all += 1, old += heard ? 1 : 0;
        }
    }
    repetition_ = old / all;
    return true;
  }
  if (at_ == arms_.size()) return false;
  if (!trainer_)
    trainer_ = std::make_unique<PisaTrainer>(log_, trainer_options(arms_[at_]),
                                             Random(stable_hash(options_.name, options_.world.seed + 1)));
  for (int i = 0; i < 8 && !trainer_->finished(); ++i) trainer_->step();
  if (trainer_->finished()) finish_arm();
  return true;
}

void PisaQualityPart::finish_arm() {
  quality_.push_back(measure(trainer_->log(), Split{}.test, 0, trainer_->scorer()));
  if (at_ == 0) {
    const at::Tensor w = trainer_->best().activation_weights.detach();
    for (std::int64_t i = 0; i < 3; ++i) weights_.push_back(w[i].item<double>());
    parameters_ = trainer_->parameters();
  }
  trainer_.reset();
  ++at_;
}

double PisaQualityPart::fraction() const {
  return (static_cast<double>(at_) + (trainer_ ? trainer_->fraction() : 0)) /
         static_cast<double>(arms_.size());
}

std::string PisaQualityPart::progress() const {
  return options_.name + (at_ < arms_.size() ? ", " + arms_[at_].name : std::string()) +
         (trainer_ ? ", epoch " + std::to_string(trainer_->epoch()) : std::string());
}

std::vector<Object> PisaQualityPart::control_claims() const {
  const double ratio = quality_[0].ndcg / quality_[1].ndcg;
  return {claim("control, " + options_.name + ": repeats without memory, NDCG@10 over that of plain means",
                Value(), quality_[1].ndcg, ratio, "< 1.05", ratio < 1.05)};
}

std::vector<Object> PisaQualityPart::records() const {
  auto out = options_.control ? control_claims() : quality_claims();
  return options_.quick ? unjudged(std::move(out)) : out;
}

namespace {
std::string listed(const Quality& q) {
  return quantity(q.ndcg) + "; " + quantity(q.ndcg_repeat) + ", " + quantity(q.ndcg_explore) + "; " +
         quantity(q.repetition);
}
}  // namespace

std::vector<Object> PisaQualityPart::quality_claims() const {
  const Quality &pisa = quality_[0], &means = quality_[1], &sasrec = quality_[2];
  const std::string seed = options_.name + ": ";
  std::vector<Object> out;
  const auto ratio = [&](const std::string& what, Value paper, double mine, double theirs, double bar) {
    const double r = theirs > 0 ? mine / theirs : 1e9;
    out.push_back(claim(seed + what, std::move(paper), theirs, mine, ">= " + quantity(bar) + " x", r >= bar));
  };
  ratio("NDCG@10 of PISA against plain means of sessions", Value(), pisa.ndcg, means.ndcg, 1.10);
  ratio("NDCG@10 against SASRec", "12.1 to 5.3 (LFM-1b)", pisa.ndcg, sasrec.ndcg, 1.25);
  ratio("NDCG@10 against the user's counts or base level, the better", "12.1 to 9.2 (LFM-1b)", pisa.ndcg,
        std::max(counts_.ndcg, base_.ndcg), 1.0);
  ratio("NDCG@10 of discoveries against counts and base level, which cannot make any", "5.4 to 0",
        pisa.ndcg_explore, std::max(counts_.ndcg_explore, base_.ndcg_explore), 2.0);
  ratio("NDCG@10 of discoveries against SASRec", "5.4 to 1.9", pisa.ndcg_explore, sasrec.ndcg_explore, 0.9);
  const double apart = std::abs(pisa.repetition - repetition_);
  out.push_back(claim(seed + "share of repeats in the lists, against that of the data", Value(), repetition_,
                      pisa.repetition, "within 0.15", apart <= 0.15));
  const bool positive = weights_[0] > 0 && (weights_[1] > 0 || weights_[2] > 0);
  out.push_back(claim(seed + "weights learnt of base level, spreading, matching", "> 0", Value(),
                      quantity(weights_[0]) + ", " + quantity(weights_[1]) + ", " + quantity(weights_[2]),
                      "base level and one other > 0", positive));
  out.push_back(figure(
      seed +
          "NDCG@10; of repeats, of discoveries; share of repeats listed: PISA, and beside it the most that "
          "there is to be had, the world's own chances of each track",
      Value(), listed(world_), listed(pisa)));
  const std::pair<const char*, const Quality*> all[] = {{"PISA", &pisa},
                                                        {"plain means", &means},
                                                        {"SASRec", &sasrec},
                                                        {"user's counts", &counts_},
                                                        {"base level alone", &base_},
                                                        {"popularity", &popularity_},
                                                        {"the world's chances", &world_}};
  for (const auto& [name, q] : all) {
    const double x = std::stod(options_.name.substr(options_.name.find(' ')));
    out.push_back(point("NDCG@10 by seed", name, x, q->ndcg));
    out.push_back(point("NDCG@10 of repeats by seed", name, x, q->ndcg_repeat));
    out.push_back(point("NDCG@10 of discoveries by seed", name, x, q->ndcg_explore));
  }
  return out;
}

void PisaExactPart::measure() {
  WorldOptions world;
  world.tracks = 300, world.genres = 10, world.users = 12, world.sessions = 40, world.seed = seed_;
  TrainerOptions options;
  options.epochs = 1;
  PisaTrainer trainer(log_of_world(world), options, Random(seed_));
  while (!trainer.finished()) trainer.step();
  const SessionLog& log = trainer.log();
  std::vector<Question> questions;
  for (std::size_t u = 0; u < log.sessions.size(); ++u) {
    const auto& sessions = log.sessions[u];
    questions.push_back({std::span(sessions).first(30), sessions[30].time, static_cast<std::int32_t>(u)});
  }
  // softmax of the base level, the long way.
  double apart = 0;
  for (const Question& q : questions) {
    const auto activations = activations_of(q.past, q.now);
    double sum = 0;
    for (const Activation& a : activations) sum += std::exp(std::log(a.strength));
    const BaseLevels levels(activations);
    for (const Activation& a : activations)
      apart = std::max(apart, std::abs(levels.of(a.item) - std::exp(std::log(a.strength)) / sum));
  }
  records_.push_back(claim("softmax(ln S) = S / sum S, greatest difference", Value(), Value(), apart,
                           "<= 1e-6", apart <= 1e-6));
  const Scorer scorer = trainer.scorer();
  const auto together = scorer(questions);
  double batch = 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto alone = scorer(std::span(questions).subspan(i, 1))[0];
    for (std::size_t k = 0; k < alone.size(); ++k)
      batch = std::max(batch, std::abs(static_cast<double>(alone[k]) - static_cast<double>(together[i][k])));
  }
  records_.push_back(claim("scores of a batch against those of single users, greatest difference", Value(),
                           Value(), batch, "<= 1e-5", batch <= 1e-5));
  // Memory is kept as plays come, and made anew from the sessions: to the last bit the same.
  bool equal = true;
  for (const Question& q : questions) {
    PlayHistory history;
    for (const Session& s : q.past)
      for (const std::int32_t item : s.items) history.play(item, s.time);
    const auto kept = history.activations(q.now), anew = activations_of(q.past, q.now);
    equal = equal && kept.size() == anew.size() &&
            std::equal(kept.begin(), kept.end(), anew.begin(), [](const auto& a, const auto& b) {
              return a.item == b.item && a.strength == b.strength;
            });
  }
  records_.push_back(claim("memory kept play by play equals memory made anew, bit for bit", Value(), Value(),
                           equal, "true", equal));
  // Gaps ten times as long leave the weights alone; other gaps do not.
  double scaled = 0, reordered = 0;
  for (const Question& q : questions) {
    std::vector<Session> slow(q.past.begin(), q.past.end()), other = slow;
    for (Session& s : slow) s.time = q.now - 10 * (q.now - s.time);
    for (std::size_t i = 0; i < other.size(); ++i)
      other[i].time =
          q.now - (slow.back().time - slow.front().time) * 0.01 * static_cast<double>(other.size() - i);
    const BaseLevels plain(activations_of(q.past, q.now)), ten(activations_of(slow, q.now)),
        even(activations_of(other, q.now));
    for (const Activation& a : plain.activations()) {
      scaled = std::max(scaled, std::abs(plain.of(a.item) - ten.of(a.item)));
      reordered = std::max(reordered, std::abs(plain.of(a.item) - even.of(a.item)));
    }
  }
  records_.push_back(claim("weights when all gaps are ten times as long, greatest difference", Value(),
                           Value(), scaled, "<= 1e-6", scaled <= 1e-6));
  records_.push_back(claim("weights when gaps are evened out, greatest difference", Value(), Value(),
                           reordered, ">= 1e-3", reordered >= 1e-3));
  // A track that only the test has leaves no trace in what goes together.
  SessionLog leaking = log;
  const std::int32_t unseen = leaking.catalogue.add("only in the test");
  for (auto& sessions : leaking.sessions) sessions.back().items[0] = unseen;
  const Cooccurrence c(leaking, training_sessions(leaking, options.split));
  double leak = 0;
  for (std::int32_t i = 1; i <= unseen; ++i) leak = std::max(leak, c.at(unseen, i));
  records_.push_back(
      claim("co-occurrence of a track that only the test holds", Value(), Value(), leak, "= 0", leak == 0));
}

}  // namespace stream::recommenders
