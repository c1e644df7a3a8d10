#include "events/game_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "evaluate/measures.hpp"
#include "nn/device.hpp"
#include "stream/error.hpp"

namespace stream::events {

std::int64_t Answerer::parameter_count() const {
  std::int64_t sum = 0;
  for (const auto& p : parameters()) sum += p.numel();
  return sum;
}

GameTrainer::GameTrainer(std::shared_ptr<Answerer> answerer, std::shared_ptr<const Games> games,
                         std::vector<std::size_t> training, GameTrainerOptions options, std::uint64_t seed)
    : answerer_(std::move(answerer)),
      games_(std::move(games)),
      training_(std::move(training)),
      options_(options),
      random_(seed) {
  std::erase_if(training_, [&](std::size_t g) { return (*games_)[g].questions.empty(); });
  if (training_.empty()) throw bad_data("there is no game with a question to learn from");
  optimiser_ = std::make_unique<nn::AdamW>(
      *answerer_,
      nn::AdamW::Options{
          .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = options_.weight_decay, .clip = 1});
}

at::Tensor answers_of(const Games& games, std::span<const QuestionId> questions, std::int64_t outputs,
                      bool classes) {
  std::vector<float> all;
  for (const QuestionId& q : questions) {
    const auto& answer = games[q.game].questions[q.question].answer;
    all.insert(all.end(), answer.begin(), answer.end());
  }
  return torch::tensor(all).view({-1, classes ? 1 : outputs});
}

at::Tensor task_loss(const at::Tensor& logits, const at::Tensor& answers, bool classes) {
  const at::Tensor known = answers.ge(0);
  if (classes) {
    const at::Tensor rows = known.squeeze(1);
    return at::cross_entropy_loss(logits.index({rows}), answers.index({rows}).squeeze(1).to(at::kLong));
  }
  const at::Tensor weight = known.to(at::kFloat);
  return (at::binary_cross_entropy_with_logits(logits, answers.clamp_min(0), weight, {},
                                               at::Reduction::Sum)) /
         weight.sum().clamp_min(1);
}

void GameTrainer::step() {
  if (finished()) return;
  std::vector<QuestionId> some;
  for (std::int64_t g = 0; g < options_.games; ++g) {
    const std::size_t game = training_[random_.below(training_.size())];
    const std::size_t asked = (*games_)[game].questions.size();
    for (std::int64_t q = 0; q < std::min(options_.questions, static_cast<std::int64_t>(asked)); ++q)
      some.push_back({game, random_.below(asked)});
  }
  optimiser_->zero_grad();
  answerer_->dropout.begin(random_(), options_.dropout);
  const at::Tensor loss =
      task_loss(answerer_->logits(some), answers_of(*games_, some, options_.outputs, options_.classes),
                options_.classes);
  answerer_->dropout.end();
  loss_ = loss.item<double>();
  loss.backward();
  optimiser_->step(options_.rate * nn::warmup_cosine(at_, options_.steps / 20, options_.steps));
  ++at_;
}

Answers ask(const Answerer& answerer, const Games& games, std::span<const std::size_t> which,
            std::int64_t outputs, bool classes) {
  return nn::inference([&] {
    Answers out;
    std::vector<at::Tensor> probabilities, truths;
    std::int64_t asked = 0;
    std::vector<QuestionId> some;
    const auto flush = [&] {
      if (some.empty()) return;
      const at::Tensor logits = answerer.logits(some), answers = answers_of(games, some, outputs, classes);
      const at::Tensor rows = answers.ge(0).any(1).contiguous();
      probabilities.push_back((classes ? at::softmax(logits, 1) : at::sigmoid(logits)).index({rows}));
      truths.push_back(answers.index({rows}));
      std::int64_t row = 0;
      for (const QuestionId& q : some) {
        const auto count =
            static_cast<std::int64_t>(games[q.game].questions[q.question].answer.size()) / answers.size(1);
        for (std::int64_t r = 0; r < count; ++r, ++row)
          if (rows.data_ptr<bool>()[row]) out.question.push_back(asked), out.game.push_back(q.game);
        ++asked;
      }
      some.clear();
    };
    for (const std::size_t game : which)
      for (std::size_t q = 0; q < games[game].questions.size(); ++q) {
        some.push_back({game, q});
        if (some.size() == 16) flush();
      }
    flush();
    if (truths.empty()) throw bad_data("there is no game with a question to measure on");
    out.probability = at::cat(probabilities), out.answer = at::cat(truths);
    return out;
  });
}

double mean_loss(const Answers& found, bool classes) {
  return nn::inference([&] {
    const at::Tensor p = found.probability.clamp(1e-7, 1 - 1e-7);
    if (classes) return -p.gather(1, found.answer.to(at::kLong)).log().mean().item<double>();
    return at::binary_cross_entropy(p, found.answer.clamp_min(0)).item<double>();
  });
}

double GameTrainer::loss(std::span<const std::size_t> games) const {
  return mean_loss(answers(games), options_.classes);
}

void GameTrainer::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("at", at_);
  state.set("loss", loss_);
  optimiser_->save(state.group("optimiser"));
}

void GameTrainer::load(const Archive& state) {
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  at_ = state.get<std::int64_t>("at");
  loss_ = state.get<double>("loss");
  if (at_ < 0 || at_ > options_.steps) throw bad_data("the checkpoint is of another training");
  optimiser_->load(state.group("optimiser"));
}

double exact_match(const Answers& a, bool some) {
  const at::Tensor right = (a.probability.ge(0.5) == a.answer.ge(0.5)).all(1), any = a.answer.ge(0.5).any(1);
  std::map<std::int64_t, std::pair<bool, bool>> questions;
  for (std::size_t r = 0; r < a.question.size(); ++r) {
    auto& [all, one] = questions.try_emplace(a.question[r], true, false).first->second;
    all = all && right[static_cast<std::int64_t>(r)].item<bool>();
    one = one || any[static_cast<std::int64_t>(r)].item<bool>();
  }
  double matched = 0, count = 0;
  for (const auto& [question, is] : questions)
    if (!some || is.second) matched += is.first ? 1 : 0, count += 1;
  return count > 0 ? matched / count : 0;
}

double micro_f1(const Answers& a) {
  const at::Tensor said = a.probability.ge(0.5), is = a.answer.ge(0.5);
  const double both = said.logical_and(is).sum().item<double>();
  const double either = said.sum().item<double>() + is.sum().item<double>();
  return either > 0 ? 2 * both / either : 1;
}

double area_under_curve(const Answers& a) {
  const at::Tensor p = a.probability.select(1, 0).to(at::kDouble).contiguous(),
                   is = a.answer.select(1, 0).ge(0.5).to(at::kByte).contiguous();
  const auto count = static_cast<std::size_t>(p.size(0));
  const double area = evaluate::auc({p.data_ptr<double>(), count}, {is.data_ptr<std::uint8_t>(), count});
  return std::isnan(area) ? 0.5 : area;
}

}  // namespace stream::events
