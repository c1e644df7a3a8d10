#include "recommenders/study_cml_parts.hpp"

#include <algorithm>
#include <cmath>

namespace stream::recommenders {

std::shared_ptr<const TicketLog> log_of_world(const TicketWorld& world) {
  std::vector<FilmDescription> films;
  for (const MadeFilm& film : world.films())
    films.push_back({film.name, film.plot, film.release, {film.budget}});
  std::vector<events::Event> tickets;
  for (const MadeTicket& t : world.tickets())
    tickets.push_back({Time{static_cast<std::int64_t>(t.time) * 1'000'000'000},
                       "c" + std::to_string(t.customer),
                       "f" + std::to_string(t.film),
                       static_cast<std::int64_t>(tickets.size()) + 1,
                       {}});
  auto log = std::make_shared<TicketLog>(ticket_log(tickets, std::move(films)));
  log->end = log->shown.back() + 28 * kSecondsOfDay;
  return log;
}

CmlQualityPart::CmlQualityPart(Options options) : options_(std::move(options)) {
  if (options_.world.shuffled)
    arms_ = {{"metric, deep", false, true}};
  else
    arms_ = {{"metric, deep", false, true},
             {"metric, linear", false, false},
             {"metric, deep, skip-gram", true, true}};
}

bool CmlQualityPart::step() {
  if (!world_) {
    world_ = std::make_unique<TicketWorld>(options_.world);
    const auto log = log_of_world(*world_);
    const Random random(stable_hash("plots", options_.world.seed));
    WordVectorOptions words;
    words.kind = "random";
    random_ = std::make_shared<CmlData>(log, CmlSplit{}, words, random);
    if (options_.world.shuffled) return true;
    words.kind = "skip-gram";
    skip_gram_ = std::make_shared<CmlData>(log, CmlSplit{}, words, random);
    return true;
  }
  if (quality_.empty()) {
    baselines();
    return true;
  }
  if (at_ == arms_.size()) return false;
  if (!trainer_) {
    CmlTrainerOptions o;
    o.shape.deep = arms_[at_].deep;
    o.epochs = options_.epochs;
    trainer_ = std::make_unique<CmlTrainer>(arms_[at_].skip_gram ? skip_gram_ : random_, o,
                                            Random(stable_hash(arms_[at_].name, options_.world.seed)));
  }
  for (int i = 0; i < 32 && !trainer_->finished(); ++i) trainer_->step();
  if (trainer_->finished()) finish_arm();
  return true;
}

void CmlQualityPart::baselines() {
  constexpr double kRate = 0.1;
  const auto add = [&](const std::string& name, const CmlData& data, const Taste& taste, bool seen = false) {
    // What has seen the films it was trained on must learn what its taste is worth on others.
    const auto samples = data.samples(seen ? data.validation() : data.training(), kRate, 1);
    const PurchaseHead head = fit_head(data, samples, kRate, taste);
    quality_.emplace_back(name, measure_audience(data, data.test(), taste, head));
  };
  add("frequency and budget", *random_,
      [](std::span<const CmlSample> samples) { return std::vector<double>(samples.size()); });
  add("raw text", *random_, by_distance(*random_, {}, 0));
  if (options_.world.shuffled) return;
  add("raw text, skip-gram", *skip_gram_, by_distance(*skip_gram_, {}, 0));
  add("nearest films", *random_, by_nearest_films(*random_, 5));
  add("topic regression", *random_, by_topics(*random_, {}, Random(options_.world.seed + 1)), true);
  add("matrix factorisation", *random_, by_bpr(*random_, {}, Random(options_.world.seed + 2)), true);
  const auto truth = [&](const CmlSample& s) {
    const TicketLog& log = random_->log();
    const auto number = [](const std::string& name) { return std::stoi(name.substr(1)); };
    return world_->utility(number(log.customers[static_cast<std::size_t>(s.customer)]),
                           number(log.films[static_cast<std::size_t>(s.film)].name));
  };
  const Taste oracle = [&](std::span<const CmlSample> samples) {
    std::vector<double> out;
    for (const CmlSample& s : samples) out.push_back(truth(s));
    return out;
  };
  quality_.emplace_back("true utilities", measure_logits(*random_, random_->test(), oracle,
                                                         [](const CmlSample&, double t) { return t; }));
}

void CmlQualityPart::finish_arm() {
  const CmlData& data = trainer_->data();
  const PurchaseHead head = trainer_->head();
  const Taste taste = by_distance(data, trainer_->tower(), head.tau);
  quality_.emplace_back(arms_[at_].name, measure_audience(data, data.test(), taste, head));
  if (at_ == 0) {
    double sum = 0, bought = 0, n = 0;
    const auto samples = data.samples(data.training(), 1, 0);
    const auto tastes = taste(samples);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      sum += sigmoid(head.logit(-tastes[i], data.habit(samples[i]), data.covariates(samples[i].film)));
      bought += samples[i].bought ? 1 : 0, n += 1;
    }
    base_rate_ = bought / n, mean_probability_ = sum / n;
  }
  trainer_.reset();
  ++at_;
}

double CmlQualityPart::fraction() const {
  return (static_cast<double>(at_) + (trainer_ ? trainer_->fraction() : 0)) /
         static_cast<double>(arms_.size());
}

std::string CmlQualityPart::progress() const {
  return options_.name +
         (quality_.empty()     ? ", baselines"
          : at_ < arms_.size() ? ", " + arms_[at_].name
                               : std::string()) +
         (trainer_ ? ", epoch " + std::to_string(trainer_->epoch()) : std::string());
}

namespace {

const AudienceQuality& of(const std::vector<std::pair<std::string, AudienceQuality>>& all,
                          const std::string& name) {
  return std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.first == name; })->second;
}

}  // namespace

void CmlQualityPart::claims(std::vector<Object>& out) const {
  const std::string seed = options_.name + ": ";
  const auto gain = [&](const std::string& what, double theirs, double mine, double bar) {
    out.push_back(claim(seed + what, Value(), theirs, mine, ">= +" + quantity(bar), mine >= theirs + bar));
  };
  for (const bool skip_gram : {false, true}) {
    const std::string suffix = skip_gram ? ", skip-gram" : "";
    const AudienceQuality &text = of(quality_, "raw text" + suffix),
                          &metric = of(quality_, "metric, deep" + suffix);
    const std::string words = skip_gram ? ", skip-gram word vectors" : ", random word vectors";
    gain("AUC on new films of the metric against raw text" + words, text.auc, metric.auc, 0.02);
    gain("AUC within customers" + words, text.within, metric.within, 0.045);
    gain("AUC within customers by the distance alone" + words, text.within_distance, metric.within_distance,
         0.055);
  }
  const AudienceQuality &habit = of(quality_, "frequency and budget"),
                        &ids = of(quality_, "matrix factorisation"), &metric = of(quality_, "metric, deep"),
                        &text = of(quality_, "raw text");
  out.push_back(claim(seed + "AUC of matrix factorisation, which has never seen a new film, against habits",
                      Value(), habit.auc, ids.auc, "within .03", std::abs(ids.auc - habit.auc) <= 0.03));
  out.push_back(claim(seed + "expected calibration error", Value(), text.calibration, metric.calibration,
                      "<= .03", metric.calibration <= 0.03));
  out.push_back(claim(seed + "rank correlation of foretold and true audiences", Value(), text.spearman,
                      metric.spearman, ">= .7", metric.spearman >= 0.7));
  const double casual = metric.tiers[0] - text.tiers[0], frequent = metric.tiers[2] - text.tiers[2];
  out.push_back(claim(seed + "gain within casual customers (" + std::to_string(metric.customers[0]) +
                          "), smaller than within frequent ones (" + std::to_string(metric.customers[2]) +
                          ")",
                      Value(), frequent, casual, "> 0, smaller", casual > 0 && casual < frequent));
  const double apart = std::abs(mean_probability_ / base_rate_ - 1);
  out.push_back(claim(seed + "mean probability against the share that was bought, training part", Value(),
                      base_rate_, mean_probability_, "within 2%", apart <= 0.02));
}

void CmlQualityPart::control(std::vector<Object>& out) const {
  const AudienceQuality &text = of(quality_, "raw text"), &metric = of(quality_, "metric, deep");
  out.push_back(
      claim("control, " + options_.name + ": tickets shuffled among customers, AUC within customers", Value(),
            text.within, metric.within, "<= +.005", metric.within <= text.within + 0.005));
  out.push_back(claim("control, " + options_.name + ": by the distance alone", Value(), text.within_distance,
                      metric.within_distance, "<= +.01",
                      metric.within_distance <= text.within_distance + 0.01));
}

std::vector<Object> CmlQualityPart::records() const {
  std::vector<Object> out;
  if (options_.world.shuffled) {
    control(out);
  } else {
    claims(out);
    const double x = std::stod(options_.name.substr(options_.name.find(' ')));
    for (const auto& [name, q] : quality_) {
      out.push_back(point("AUC on new films by seed", name, x, q.auc));
      out.push_back(point("AUC within customers by seed", name, x, q.within));
      out.push_back(figure(options_.name + ": AUC on new films, within customers, by taste alone: " + name,
                           Value(), Value(),
                           quantity(q.auc) + ", " + quantity(q.within) + ", " + quantity(q.within_distance)));
    }
  }
  return options_.quick ? unjudged(std::move(out)) : out;
}

void CmlExactPart::measure() {
  const TicketWorld world({.films = 120, .customers = 60, .years = 2, .seed = seed_});
  const auto log = log_of_world(world);
  WordVectorOptions words;
  words.kind = "random";
  const auto data = std::make_shared<CmlData>(log, CmlSplit{}, words, Random(seed_));
  CmlTrainerOptions options;
  options.epochs = 1, options.batch = 64;
  CmlTrainer trainer(data, options, Random(seed_));
  while (!trainer.finished()) trainer.step();
  const FilmTower tower = trainer.tower();
  std::vector<std::vector<double>> z;
  for (std::size_t m = 0; m < log->films.size(); ++m)
    z.push_back(tower(data->x(static_cast<std::int32_t>(m))));
  const auto point_of = [&](std::int32_t film) -> const auto& { return z[static_cast<std::size_t>(film)]; };

  // Customers' points as a stream keeps them, and from the whole history by the formula.
  double apart = 0, distance = 0;
  for (const auto& tickets : log->tickets) {
    std::vector<Ticket> ring;
    for (std::size_t n = 0; n < tickets.size(); ++n) {
      ring.push_back(tickets[n]);
      if (ring.size() > kRemembered) ring.erase(ring.begin());
      const auto kept = customer_point(ring, data->features(), 0, point_of);
      std::vector<long double> sum(data->features());
      for (std::size_t k = n + 1 - std::min(n + 1, kRemembered); k <= n; ++k)
        for (std::size_t f = 0; f < sum.size(); ++f) sum[f] += point_of(tickets[k].film)[f];
      long double length = 0;
      for (const auto v : sum) length += v * v;
      for (std::size_t f = 0; f < sum.size(); ++f)
        apart = std::max(apart, std::abs(static_cast<double>(sum[f] / std::sqrt(length)) - kept[f]));
      double dot = 0;
      for (std::size_t f = 0; f < sum.size(); ++f) dot += kept[f] * z[0][f];
      distance = std::max(distance, std::abs(squared_distance(kept, z[0]) - (2 - 2 * dot)));
    }
  }
  records_.push_back(claim("customers' points of the stream against those of the whole history", Value(),
                           Value(), apart, "<= 1e-6", apart <= 1e-6));
  records_.push_back(
      claim("squared distance against 2 - 2 u.z", Value(), Value(), distance, "<= 1e-6", distance <= 1e-6));

  // Without the tickets from a film's first day on, its samples are the same but for who bought.
  const auto film = static_cast<std::int32_t>(data->test().begin);
  TicketLog cut = *log;
  for (auto& tickets : cut.tickets)
    tickets.resize(tickets_before(tickets, log->shown[static_cast<std::size_t>(film)]));
  const CmlData before(std::make_shared<TicketLog>(cut), CmlSplit{}, words, Random(seed_));
  const FilmRange one{static_cast<std::size_t>(film), static_cast<std::size_t>(film) + 1};
  const auto with = data->samples(one, 1, 0), without = before.samples(one, 1, 0);
  bool same = with.size() == without.size() && !with.empty();
  for (std::size_t i = 0; same && i < with.size(); ++i) {
    const auto a = data->history(with[i]), b = before.history(without[i]);
    same =
        with[i].customer == without[i].customer && a.size() == b.size() &&
        std::equal(a.begin(), a.end(), b.begin(),
                   [](const Ticket& x, const Ticket& y) { return x.film == y.film && x.time == y.time; }) &&
        data->habit(with[i]).frequency == before.habit(without[i]).frequency &&
        data->habit(with[i]).recency == before.habit(without[i]).recency;
  }
  records_.push_back(claim("samples of a film when all later tickets are deleted", Value(), Value(),
                           same ? "the same" : "others", "the same", same));

  // Films scored in any order.
  const PurchaseHead head = trainer.head();
  const Taste taste = by_distance(*data, tower, head.tau);
  const auto all = data->samples(data->test(), 1, 0);
  double order = 0;
  const auto forward = taste(all);
  for (std::size_t i = all.size(); i-- > 0;)
    order = std::max(order, std::abs(taste(std::span(all).subspan(i, 1))[0] - forward[i]));
  records_.push_back(claim("scores when films are scored in another order, greatest difference", Value(),
                           Value(), order, "0", order == 0));
}

}  // namespace stream::recommenders
