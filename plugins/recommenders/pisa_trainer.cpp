#include "recommenders/pisa_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluate/measures.hpp"
#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr std::size_t kListed = 10;

template <typename T>
at::Tensor tensor_of(const std::vector<T>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<T*>(values.data()), shape, c10::CppTypeToScalarType<T>::value).clone();
}

/// Collects rows of features into tensors [B, ...].
struct Stack {
  std::vector<std::int32_t> items;
  std::vector<float> base, spreading;
  void add(const SessionFeatures& f) {
    items.insert(items.end(), f.items.begin(), f.items.end());
    base.insert(base.end(), f.base.begin(), f.base.end());
    spreading.insert(spreading.end(), f.spreading.begin(), f.spreading.end());
  }
  void into(at::Tensor& i, at::Tensor& b, at::Tensor& s, std::int64_t rows) const {
    const auto slots = static_cast<std::int64_t>(kSlots);
    const at::IntArrayRef shape{-1, rows, slots};
    const auto n = static_cast<std::int64_t>(items.size()) / (rows * slots);
    i = tensor_of(items, {n, rows, slots}).to(at::kLong);
    b = tensor_of(base, {n, rows, slots});
    s = tensor_of(spreading, {n, rows, slots});
  }
};

/// A copy with weights of its own.
template <typename Network>
void copy_weights(const Network& from, Network& to) {
  const torch::NoGradGuard no_grad;
  const auto source = from.named_parameters();
  for (auto& item : to.named_parameters()) item.value().copy_(source[item.key()]);
  const auto fixed = from.named_buffers();
  for (auto& item : to.named_buffers()) item.value().copy_(fixed[item.key()]);
}

}  // namespace

std::vector<std::size_t> training_sessions(const SessionLog& log, Split split) {
  std::vector<std::size_t> out;
  for (const auto& sessions : log.sessions) {
    const std::size_t held = split.test + split.validation;
    out.push_back(sessions.size() >= held + 2 ? sessions.size() - held : 0);
  }
  return out;
}

std::vector<std::int32_t> best_items(std::span<const float> scores, std::size_t k) {
  std::vector<std::int32_t> order(scores.empty() ? 0 : scores.size() - 1);
  std::iota(order.begin(), order.end(), 1);
  k = std::min(k, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(), [&](auto a, auto b) {
        const float x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
        return x != y ? x > y : a < b;
      });
  order.resize(k);
  return order;
}

Quality measure(const SessionLog& log, std::size_t begin, std::size_t end, const Scorer& scorer) {
  Quality q;
  double recall = 0, repeat = 0, explore = 0, listed = 0, known_listed = 0;
  std::size_t repeats = 0, explores = 0;
  std::vector<Question> questions;
  const auto ask = [&] {
    const auto scores = scorer(questions);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto list = best_items(scores[i], kListed);
      std::unordered_set<std::int32_t> known, wanted, old_wanted, new_wanted;
      for (const Session& s : questions[i].past) known.insert(s.items.begin(), s.items.end());
      const Session& next =
          log.sessions[static_cast<std::size_t>(questions[i].user)][questions[i].past.size()];
      for (const std::int32_t item : next.items) {
        wanted.insert(item);
        (known.contains(item) ? old_wanted : new_wanted).insert(item);
      }
      const auto hits = evaluate::hits_of(list, wanted);
      q.each.push_back(evaluate::ndcg(hits, wanted.size(), kListed));
      recall += evaluate::recall(hits, wanted.size(), kListed);
      if (!old_wanted.empty())
        repeat += evaluate::ndcg(evaluate::hits_of(list, old_wanted), old_wanted.size(), kListed), ++repeats;
      if (!new_wanted.empty())
        explore += evaluate::ndcg(evaluate::hits_of(list, new_wanted), new_wanted.size(), kListed),
            ++explores;
      for (const std::int32_t item : list) ++listed, known_listed += known.contains(item) ? 1 : 0;
    }
    questions.clear();
  };
  for (std::size_t u = 0; u < log.sessions.size(); ++u) {
    const auto& sessions = log.sessions[u];
    for (std::size_t back = begin; back > end; --back) {
      if (sessions.size() < back + 1) continue;
      const std::size_t next = sessions.size() - back;
      questions.push_back(
          {std::span(sessions).first(next), sessions[next].time, static_cast<std::int32_t>(u)});
      if (questions.size() == 256) ask();
    }
  }
  if (!questions.empty()) ask();
  const auto n = static_cast<double>(std::max<std::size_t>(1, q.each.size()));
  q.ndcg = std::accumulate(q.each.begin(), q.each.end(), 0.0) / n;
  q.recall = recall / n;
  q.ndcg_repeat = repeats > 0 ? repeat / static_cast<double>(repeats) : 0;
  q.ndcg_explore = explores > 0 ? explore / static_cast<double>(explores) : 0;
  q.repetition = listed > 0 ? known_listed / listed : 0;
  return q;
}

PisaBatch batch_of(std::span<const Question> questions, std::size_t length) {
  Stack inputs;
  std::vector<std::int32_t> long_items;
  std::vector<float> long_weights;
  for (const Question& q : questions) {
    const BaseLevels levels(activations_of(q.past, q.now));
    inputs.add(features_of(q.past, length, levels));
    const LongTerm lt = levels.long_term();
    long_items.insert(long_items.end(), lt.items.begin(), lt.items.end());
    long_weights.insert(long_weights.end(), lt.weights.begin(), lt.weights.end());
  }
  PisaBatch batch;
  const auto n = static_cast<std::int64_t>(questions.size());
  inputs.into(batch.items, batch.base, batch.spreading, static_cast<std::int64_t>(length));
  batch.long_items = tensor_of(long_items, {n, static_cast<std::int64_t>(kLongTerm)}).to(at::kLong);
  batch.long_weights = tensor_of(long_weights, {n, static_cast<std::int64_t>(kLongTerm)});
  return batch;
}

at::Tensor decomposed(const Cooccurrence& c, std::int64_t items, std::int64_t features, Random random) {
  // Subspace iteration on I + C, whose spectrum lies in [0, 2]: the leading eigenvectors are those of C.
  const auto rows = static_cast<std::size_t>(items + 1), columns = static_cast<std::size_t>(features);
  std::vector<double> x(rows * columns), y(rows * columns);
  for (double& v : x) v = random.normal();
  at::Tensor basis;
  for (int i = 0; i < 12; ++i) {
    c.multiply(x, y, columns);
    for (std::size_t k = 0; k < y.size(); ++k) y[k] += x[k];
    basis = std::get<0>(at::linalg_qr(at::from_blob(y.data(), {items + 1, features}, at::kDouble)));
    std::copy_n(basis.contiguous().data_ptr<double>(), x.size(), x.begin());
  }
  basis = basis / basis.norm(2, 1, true).clamp_min(1e-12);
  return basis.to(at::kFloat);
}

PisaTrainer::PisaTrainer(std::shared_ptr<const SessionLog> given, TrainerOptions options, Random random)
    : options_(options), random_(random), training_(training_sessions(*given, options.split)) {
  cooccurrence_ = Cooccurrence(*given, training_);
  auto log = std::make_shared<SessionLog>(*given);
  cooccurrence_.fill(*log);
  log_ = log;
  std::vector<double> counts(log->catalogue.size() + 1);
  for (std::size_t u = 0; u < training_.size(); ++u) {
    for (std::size_t s = 0; s < training_[u]; ++s)
      for (const std::int32_t item : log->sessions[u][s].items) counts[static_cast<std::size_t>(item)] += 1;
    if (training_[u] < 2) continue;
    // From the newest back, so that none is left out that a test would build on.
    for (auto next = static_cast<std::int64_t>(training_[u]) - 1; next >= 1; next -= options_.step)
      samples_.push_back({static_cast<std::int32_t>(u), static_cast<std::int32_t>(next)});
  }
  if (samples_.empty())
    throw bad_data("no user has the " + std::to_string(options_.split.test + options_.split.validation + 2) +
                   " sessions that training, validation and test need");
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    cumulated_.push_back(sum += i > 0 && counts[i] > 0 ? std::pow(counts[i], options_.popularity) : 0);
  const auto items = static_cast<std::int64_t>(log->catalogue.size());
  options_.shape.items = items;
  const at::Generator g = nn::generator(random_());
  const at::Tensor start = options_.decomposed
                               ? decomposed(cooccurrence_, items, options_.shape.features, Random(random_()))
                               : at::Tensor();
  const auto& shape = options_.shape;
  const torch::NoGradGuard no_grad;
  if (options_.sasrec) {
    const auto make = [&] {
      return std::make_shared<SasrecNetwork>(items, shape.features, options_.sequence, shape.blocks,
                                             shape.heads, shape.item_rate, g);
    };
    sasrec_ = make(), best_sasrec_ = make();
    if (start.defined()) sasrec_->start_at(start);
    copy_weights(*sasrec_, *best_sasrec_);
  } else {
    pisa_ = std::make_shared<PisaNetwork>(shape, g), best_pisa_ = std::make_shared<PisaNetwork>(shape, g);
    if (start.defined()) pisa_->start_at(start);
    copy_weights(*pisa_, *best_pisa_);
  }
  torch::nn::Module& network = options_.sasrec ? static_cast<torch::nn::Module&>(*sasrec_) : *pisa_;
  optimiser_ = std::make_unique<nn::AdamW>(
      network,
      nn::AdamW::Options{.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-8, .weight_decay = 0, .clip = 1e9});
  shuffle();
}

std::int64_t PisaTrainer::steps_in_epoch() const {
  return (static_cast<std::int64_t>(samples_.size()) + options_.batch - 1) / options_.batch;
}

void PisaTrainer::shuffle() {
  for (std::size_t i = samples_.size(); i > 1; --i) std::swap(samples_[i - 1], samples_[random_.below(i)]);
}

std::int32_t PisaTrainer::negative() {
  const double u = random_.uniform() * cumulated_.back();
  return static_cast<std::int32_t>(std::upper_bound(cumulated_.begin(), cumulated_.end(), u) -
                                   cumulated_.begin());
}

PisaBatch PisaTrainer::pisa_batch(std::span<const Sample> samples) {
  const auto length = static_cast<std::size_t>(options_.shape.length);
  std::vector<Question> questions;
  Stack targets;
  for (const Sample& s : samples) {
    const auto& sessions = log_->sessions[static_cast<std::size_t>(s.user)];
    const auto next = static_cast<std::size_t>(s.next);
    const auto past = std::span(sessions).first(next);
    questions.push_back({past, sessions[next].time, s.user});
    const BaseLevels levels(activations_of(past, sessions[next].time));
    // One session later than the inputs; where those are padding, so are these.
    targets.add(features_of(std::span(sessions).subspan(1, next), length, levels));
  }
  PisaBatch batch = batch_of(questions, length);
  targets.into(batch.target_items, batch.target_base, batch.target_spreading, options_.shape.length);
  std::vector<std::int64_t> negatives(static_cast<std::size_t>(batch.target_items.numel()));
  const auto* wanted = batch.target_items.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < negatives.size(); ++i) negatives[i] = wanted[i] != 0 ? negative() : 0;
  batch.negatives = tensor_of(negatives, batch.target_items.sizes());
  return batch;
}

at::Tensor PisaTrainer::sasrec_loss(std::span<const Sample> samples) {
  const auto n = static_cast<std::size_t>(options_.sequence);
  std::vector<std::int64_t> sequence, targets, negatives;
  for (const Sample& s : samples) {
    std::vector<std::int64_t> items;
    const auto& sessions = log_->sessions[static_cast<std::size_t>(s.user)];
    for (std::int32_t k = 0; k <= s.next; ++k)
      items.insert(items.end(), sessions[static_cast<std::size_t>(k)].items.begin(),
                   sessions[static_cast<std::size_t>(k)].items.end());
    if (items.size() > n + 1) items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(n + 1));
    const std::size_t pad = n + 1 - items.size();
    items.insert(items.begin(), pad, 0);
    sequence.insert(sequence.end(), items.begin(), items.end() - 1);
    targets.insert(targets.end(), items.begin() + 1, items.end());
    for (std::size_t i = 0; i < n; ++i) negatives.push_back(negative());
  }
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(samples.size()), options_.sequence};
  return sasrec_->loss(tensor_of(sequence, shape), tensor_of(targets, shape), tensor_of(negatives, shape));
}

void PisaTrainer::step() {
  const std::size_t begin = static_cast<std::size_t>(at_ * options_.batch);
  const std::size_t end = std::min(samples_.size(), begin + static_cast<std::size_t>(options_.batch));
  const auto samples = std::span(samples_).subspan(begin, end - begin);
  optimiser_->zero_grad();
  const at::Tensor loss =
      options_.sasrec ? sasrec_loss(samples) : pisa_->loss(pisa_batch(samples), options_.loss);
  loss.backward();
  optimiser_->step(options_.learning_rate);
  loss_ = loss.item<double>();
  ++steps_;
  if (++at_ < steps_in_epoch()) return;
  at_ = 0;
  ++epoch_;
  validate();
  shuffle();
}

void PisaTrainer::validate() {
  const std::size_t test = options_.split.test;
  validation_ = measure(*log_, test + options_.split.validation, test, scorer(false)).ndcg;
  if (validation_ > best_validation_) {
    best_validation_ = validation_;
    stale_ = 0;
    if (options_.sasrec)
      copy_weights(*sasrec_, *best_sasrec_);
    else
      copy_weights(*pisa_, *best_pisa_);
  } else {
    ++stale_;
  }
}

double PisaTrainer::fraction() const {
  return finished() ? 1.0
                    : static_cast<double>(epoch_ * steps_in_epoch() + at_) /
                          static_cast<double>(options_.epochs * steps_in_epoch());
}

Scorer PisaTrainer::scorer(bool best) const {
  if (options_.sasrec) {
    const auto network = best ? best_sasrec_ : sasrec_;
    const auto n = static_cast<std::size_t>(options_.sequence);
    return [network, n](std::span<const Question> questions) {
      return nn::inference([&] {
        std::vector<std::int64_t> sequence;
        for (const Question& q : questions) {
          std::vector<std::int64_t> items;
          for (std::size_t s = q.past.size(); s > 0 && items.size() < n; --s)
            items.insert(items.begin(), q.past[s - 1].items.begin(), q.past[s - 1].items.end());
          if (items.size() > n) items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(n));
          sequence.insert(sequence.end(), n - items.size(), 0);
          sequence.insert(sequence.end(), items.begin(), items.end());
        }
        const auto count = static_cast<std::int64_t>(questions.size());
        const at::Tensor x =
            network->forward(tensor_of(sequence, {count, static_cast<std::int64_t>(n)})).select(1, -1);
        const at::Tensor scores = at::matmul(x, network->item_vectors().t()).contiguous();
        std::vector<std::vector<float>> out;
        for (std::int64_t i = 0; i < count; ++i) {
          const float* row = scores.data_ptr<float>() + i * scores.size(1);
          out.emplace_back(row, row + scores.size(1));
        }
        return out;
      });
    };
  }
  const auto network = best ? best_pisa_ : pisa_;
  const double long_term = options_.loss.long_term;
  return [network, long_term](std::span<const Question> questions) {
    return nn::inference([&] {
      const auto vectors =
          network->forward(batch_of(questions, static_cast<std::size_t>(network->shape().length)));
      const at::Tensor query = vectors.user.select(1, -1) + long_term * vectors.long_term;
      const at::Tensor scores = at::matmul(query, network->item_vectors().t()).contiguous();
      std::vector<std::vector<float>> out;
      for (std::int64_t i = 0; i < scores.size(0); ++i) {
        const float* row = scores.data_ptr<float>() + i * scores.size(1);
        out.emplace_back(row, row + scores.size(1));
      }
      return out;
    });
  };
}

void PisaTrainer::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("steps", steps_);
  state.set("epoch", epoch_);
  state.set("at", at_);
  state.set("stale", stale_);
  state.set("loss", loss_);
  state.set("validation", validation_);
  state.set("best_validation", best_validation_);
  std::vector<std::int32_t> order;
  for (const Sample& s : samples_) order.push_back(s.user), order.push_back(s.next);
  state.set("order", order);
  optimiser_->save(state.group("optimiser"));
  if (options_.sasrec)
    nn::save_weights(*best_sasrec_, state.group("best"));
  else
    nn::save_weights(*best_pisa_, state.group("best"));
}

void PisaTrainer::load(const Archive& state) {
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  steps_ = state.get<std::int64_t>("steps");
  epoch_ = state.get<std::int64_t>("epoch");
  at_ = state.get<std::int64_t>("at");
  stale_ = state.get<std::int64_t>("stale");
  loss_ = state.get<double>("loss");
  validation_ = state.get<double>("validation");
  best_validation_ = state.get<double>("best_validation");
  const auto order = state.get<std::vector<std::int32_t>>("order");
  if (order.size() != 2 * samples_.size()) throw bad_data("the checkpoint is of another log");
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const auto user = static_cast<std::size_t>(order[2 * i]);
    if (order[2 * i] < 0 || user >= training_.size() || order[2 * i + 1] < 1 ||
        static_cast<std::size_t>(order[2 * i + 1]) >= training_[user])
      throw bad_data("the checkpoint is of another log");
    samples_[i] = {order[2 * i], order[2 * i + 1]};
  }
  if (at_ < 0 || at_ >= steps_in_epoch()) throw bad_data("the checkpoint is at no step of an epoch");
  optimiser_->load(state.group("optimiser"));
  if (options_.sasrec)
    nn::load_weights(*best_sasrec_, state.group("best"));
  else
    nn::load_weights(*best_pisa_, state.group("best"));
}

}  // namespace stream::recommenders
