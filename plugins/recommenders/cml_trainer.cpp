#include "recommenders/cml_trainer.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "recommenders/cml_scores.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

void copy_weights(const torch::nn::Module& from, torch::nn::Module& into) {
  const torch::NoGradGuard no_grad;
  const auto source = from.parameters();
  auto target = into.parameters();
  for (std::size_t i = 0; i < source.size(); ++i) target[i].copy_(source[i]);
}

template <typename T>
at::Tensor tensor_of(const std::vector<T>& values, at::IntArrayRef shape) {
  const auto type = std::is_same_v<T, std::int64_t> ? at::kLong : at::kFloat;
  return values.empty() ? torch::zeros(shape, type)
                        : torch::from_blob(const_cast<T*>(values.data()), shape, type).clone();
}

constexpr std::uint64_t kValidationDraw = 0x7661, kCalibrationDraw = 0x6361;

}  // namespace

CmlTrainer::CmlTrainer(std::shared_ptr<const CmlData> data, CmlTrainerOptions options, Random random)
    : data_(std::move(data)), options_(options), random_(random), epoch_random_(random) {
  options_.shape.features = static_cast<std::int64_t>(data_->features());
  options_.shape.films = static_cast<std::int64_t>(data_->log().films.size());
  options_.shape.covariates = static_cast<std::int64_t>(data_->covariate_means().size());
  options_.loss.films = static_cast<double>(data_->training().size());
  validation_samples_ = data_->samples(data_->validation(), options_.rate, kValidationDraw);
  begin_epoch();
  double bought = 0;
  for (const CmlSample& s : samples_) bought += s.bought ? 1 : 0;
  const auto count = static_cast<double>(samples_.size());
  if (bought == 0 || bought == count)
    throw bad_data("nothing can be learnt: of " + std::to_string(samples_.size()) +
                   " pairs of a customer with " + std::to_string(data_->split().least) +
                   " tickets and a film, " + std::to_string(static_cast<std::int64_t>(bought)) +
                   " were bought");
  const at::Generator g = nn::generator(random_());
  // The head starts as the logistic over raw text, so that what training gains, the tower gains.
  const auto some = data_->samples(data_->training(), options_.rate, kCalibrationDraw);
  PurchaseHead start = fit_head(*data_, some, options_.rate, by_distance(*data_, {}, 0));
  start.intercept -= std::log(options_.rate);
  const torch::NoGradGuard no_grad;
  network_ = std::make_shared<CmlNetwork>(options_.shape, start, g);
  best_ = std::make_shared<CmlNetwork>(options_.shape, start, g);
  copy_weights(*network_, *best_);
  optimiser_ = std::make_unique<nn::AdamW>(
      *network_,
      nn::AdamW::Options{
          .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = options_.weight_decay, .clip = 10});
}

void CmlTrainer::begin_epoch() {
  epoch_random_ = random_;
  samples_ = data_->samples(data_->training(), options_.rate, random_());
  for (std::size_t i = samples_.size(); i > 1; --i) std::swap(samples_[i - 1], samples_[random_.below(i)]);
}

std::int64_t CmlTrainer::steps_in_epoch() const {
  return (static_cast<std::int64_t>(samples_.size()) + options_.batch - 1) / options_.batch;
}

CmlBatch CmlTrainer::batch_of(std::span<const CmlSample> samples, Random* random) const {
  const std::size_t d = data_->features(), films = data_->log().films.size();
  std::vector<std::int64_t> rows(films, -1);
  std::vector<float> x;
  std::int64_t used = 0;
  const auto row = [&](std::int32_t film) {
    auto& at = rows[static_cast<std::size_t>(film)];
    if (at < 0) {
      const auto from = data_->x(film);
      x.insert(x.end(), from.begin(), from.end());
      at = used++;
    }
    return at;
  };
  std::vector<std::int64_t> history, starts, number, film, bought_rows, others;
  std::vector<float> ages, habits, covariates, bought;
  for (const CmlSample& s : samples) {
    const auto tickets = data_->history(s);
    starts.push_back(static_cast<std::int64_t>(history.size()));
    for (const Ticket& t : tickets.last(std::min(tickets.size(), kRemembered))) {
      history.push_back(row(t.film));
      ages.push_back(static_cast<float>((tickets.back().time - t.time) / kSecondsOfDay));
    }
    number.push_back(s.film);
    film.push_back(row(s.film));
    const Habit habit = data_->habit(s);
    habits.push_back(static_cast<float>(habit.frequency)),
        habits.push_back(static_cast<float>(habit.recency));
    for (const double c : data_->covariates(s.film)) covariates.push_back(static_cast<float>(c));
    bought.push_back(s.bought ? 1.0f : 0.0f);
    if (!random || !s.bought) continue;
    std::vector<std::int64_t> found;
    const FilmRange beside = data_->beside(s.film);
    for (std::size_t tries = 0; found.size() < options_.beside && tries < 4 * options_.beside; ++tries) {
      const auto k = static_cast<std::int32_t>(beside.begin + random->below(beside.size()));
      if (k != s.film && !data_->bought(s.customer, k)) found.push_back(row(k));
    }
    if (found.size() < options_.beside) continue;
    bought_rows.push_back(static_cast<std::int64_t>(film.size()) - 1);
    others.insert(others.end(), found.begin(), found.end());
  }
  const auto n = static_cast<std::int64_t>(samples.size());
  const auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  return {.x = tensor_of(x, {used, static_cast<std::int64_t>(d)}),
          .history = tensor_of(history, {count(history)}),
          .starts = tensor_of(starts, {n}),
          .ages = tensor_of(ages, {count(ages)}),
          .number = tensor_of(number, {n}),
          .film = tensor_of(film, {n}),
          .habits = tensor_of(habits, {n, 2}),
          .covariates = tensor_of(covariates, {n, options_.shape.covariates}),
          .bought = tensor_of(bought, {n}),
          .bought_rows = tensor_of(bought_rows, {count(bought_rows)}),
          .others = tensor_of(others, {count(bought_rows), static_cast<std::int64_t>(options_.beside)})};
}

void CmlTrainer::step() {
  const auto begin = static_cast<std::size_t>(at_ * options_.batch);
  const std::size_t end = std::min(samples_.size(), begin + static_cast<std::size_t>(options_.batch));
  const auto samples = std::span(samples_).subspan(begin, end - begin);
  optimiser_->zero_grad();
  const CmlBatch batch = batch_of(samples, options_.loss.push_pull > 0 ? &random_ : nullptr);
  const at::Generator dropout = nn::generator(random_());
  const at::Tensor loss = network_->loss(batch, options_.loss, &dropout);
  loss.backward();
  optimiser_->step(options_.learning_rate * nn::warmup_cosine(steps_, 0, options_.epochs * steps_in_epoch()));
  loss_ = loss.item<double>();
  ++steps_;
  if (++at_ < steps_in_epoch()) return;
  at_ = 0;
  ++epoch_;
  validate();
  begin_epoch();
}

void CmlTrainer::validate() {
  validation_ = loss_;
  if (!validation_samples_.empty()) {
    double sum = 0;
    constexpr std::size_t kPiece = 4096;
    for (std::size_t at = 0; at < validation_samples_.size(); at += kPiece) {
      const auto piece =
          std::span(validation_samples_).subspan(at, std::min(kPiece, validation_samples_.size() - at));
      sum +=
          nn::inference([&] {
            return network_->loss(batch_of(piece, nullptr), CmlLoss{.push_pull = 0}, nullptr).item<double>();
          }) *
          static_cast<double>(piece.size());
    }
    validation_ = sum / static_cast<double>(validation_samples_.size());
  }
  // Without films to validate by, the last weights are the best.
  if (validation_samples_.empty() || validation_ < best_validation_) {
    best_validation_ = validation_;
    stale_ = 0;
    copy_weights(*network_, *best_);
  } else {
    ++stale_;
  }
}

PurchaseHead CmlTrainer::head() const {
  PurchaseHead head = best_->head();
  const auto samples = data_->samples(data_->training(), options_.rate, kCalibrationDraw);
  const Taste taste = by_distance(*data_, tower(), head.tau);
  std::vector<double> logits;
  std::vector<std::uint8_t> bought;
  const auto tastes = taste(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    logits.push_back(head.logit(-tastes[i], data_->habit(samples[i]), data_->covariates(samples[i].film)));
    bought.push_back(samples[i].bought ? 1 : 0);
  }
  head.intercept += corrected_intercept(logits, bought, options_.rate);
  return head;
}

double CmlTrainer::fraction() const {
  return finished() ? 1.0
                    : static_cast<double>(epoch_ * steps_in_epoch() + at_) /
                          static_cast<double>(options_.epochs * steps_in_epoch());
}

void CmlTrainer::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("epoch_rng", epoch_random_.state());
  state.set("steps", steps_);
  state.set("epoch", epoch_);
  state.set("at", at_);
  state.set("stale", stale_);
  state.set("loss", loss_);
  state.set("validation", validation_);
  state.set("best_validation", best_validation_);
  state.set("samples", static_cast<std::int64_t>(samples_.size()));
  optimiser_->save(state.group("optimiser"));
  nn::save_weights(*best_, state.group("best"));
}

void CmlTrainer::load(const Archive& state) {
  // The epoch's samples follow from where the generator stood when it began.
  random_.restore(state.get<std::vector<std::int64_t>>("epoch_rng"));
  begin_epoch();
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  steps_ = state.get<std::int64_t>("steps");
  epoch_ = state.get<std::int64_t>("epoch");
  at_ = state.get<std::int64_t>("at");
  stale_ = state.get<std::int64_t>("stale");
  loss_ = state.get<double>("loss");
  validation_ = state.get<double>("validation");
  best_validation_ = state.get<double>("best_validation");
  if (state.get<std::int64_t>("samples") != static_cast<std::int64_t>(samples_.size()) || at_ < 0 ||
      at_ >= steps_in_epoch())
    throw bad_data("the checkpoint is of another log");
  optimiser_->load(state.group("optimiser"));
  nn::load_weights(*best_, state.group("best"));
}

CmlModel model_of(const CmlData& data, FilmTower tower, PurchaseHead head, std::vector<std::string> amounts) {
  CmlModel model;
  model.plots = data.plots();
  model.tower = std::move(tower);
  model.tower.features = data.features();
  model.head = std::move(head);
  model.amounts = std::move(amounts);
  model.covariate_means = data.covariate_means();
  model.covariate_deviations = data.covariate_deviations();
  model.least = data.split().least;
  for (std::size_t m = 0; m < data.log().films.size(); ++m) {
    model.films.push_back(data.log().films[m].name);
    const auto x = data.x(static_cast<std::int32_t>(m));
    model.x.insert(model.x.end(), x.begin(), x.end());
  }
  return model;
}

}  // namespace stream::recommenders
