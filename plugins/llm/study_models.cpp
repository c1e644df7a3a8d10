#include "llm/study_models.hpp"

#include <cstdio>

#include "llm/memory_full.hpp"
#include "llm/session.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr std::int64_t kTextLength = 2000;

double repeat_of(std::int64_t text) { return 0.3 + 0.65 * static_cast<double>(text % 32) / 31; }

std::vector<std::int32_t> text_of(const ModelRecipe& r, std::int64_t number, std::uint64_t seed) {
  const Random random(stable_hash("text " + std::to_string(number), seed));
  if (r.throws) return ThrowText(*r.throws, random).take(kTextLength);
  return PairText(r.text, repeat_of(number), random).take(kTextLength);
}

ModelConfig config_of(const ModelRecipe& r) {
  ModelConfig c;
  c.vocabulary = r.vocabulary();
  c.layers = 2, c.heads = 2, c.kv_heads = 2;
  c.hidden = r.hidden, c.head_dim = r.hidden / 2, c.ffn = r.ffn, c.context = r.length;
  c.begin_token = r.begin ? 0 : -1;
  c.score = r.score, c.score_offset = r.score_offset, c.attention_bias = r.attention_bias;
  return c;
}

}  // namespace

ModelMaker::ModelMaker(std::string path, ModelRecipe recipe, std::uint64_t seed)
    : path_(std::move(path)), recipe_(recipe), seed_(seed) {}

bool ModelMaker::step() {
  if (model_) return true;
  if (!path_.empty()) {
    model_ = read_language_model(path_);
    if (model_->config.vocabulary != recipe_.vocabulary())
      throw bad_recipe(path_ + ": a model of " + std::to_string(model_->config.vocabulary) +
                       " tokens, and the text of this study has " + std::to_string(recipe_.vocabulary()));
    return true;
  }
  if (!trainer_)
    trainer_ = std::make_unique<Trainer>(
        config_of(recipe_),
        TrainerOptions{.steps = recipe_.steps, .length = recipe_.length, .begin_at = recipe_.begin_at},
        Random(stable_hash("training", seed_)));
  for (int i = 0; i < 25 && !trainer_->finished(); ++i) {
    const std::int64_t wanted = (16 + trainer_->steps()) * trainer_->options().batch * recipe_.length;
    for (; texts_ * kTextLength < wanted; ++texts_) trainer_->add(text_of(recipe_, texts_, seed_));
    trainer_->step();
  }
  if (!trainer_->finished()) return false;
  model_ = trainer_->model();
  trainer_.reset();
  return true;
}

std::string ModelMaker::progress() const {
  if (!trainer_) return "model";
  char text[80];
  std::snprintf(text, sizeof text, "training, step %lld of %lld, loss %.3f",
                static_cast<long long>(trainer_->steps()), static_cast<long long>(recipe_.steps),
                trainer_->loss());
  return text;
}

std::string path_of_seed(const std::string& first, std::int64_t seed) {
  constexpr std::string_view kFirst = "-0.h5";
  if (!first.ends_with(kFirst))
    throw bad_recipe("the first model is '" + first + "', expected a name that ends in " +
                     std::string(kFirst));
  return first.substr(0, first.size() - kFirst.size()) + "-" + std::to_string(seed) + ".h5";
}

double loss_in_context(const LanguageModel& model, const ModelRecipe& recipe, std::int64_t samples,
                       std::uint64_t seed) {
  const auto decoder = std::make_shared<const Decoder>(model);
  double sum = 0;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < samples; ++i) {
    PairText text(recipe.text, repeat_of(i), Random(stable_hash("unseen " + std::to_string(i), seed)));
    // Samples begin anywhere in a text.
    text.take(
        static_cast<std::int64_t>(Random(stable_hash("offset " + std::to_string(i), seed)).below(1000)));
    std::vector<std::int32_t> tokens = text.take(recipe.length + (recipe.begin ? 0 : 1));
    if (recipe.begin) tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(recipe.begin_at), 0);
    Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
    std::vector<float> nll;
    session.feed(tokens, {}, &nll);
    for (std::size_t t = 1; t < nll.size(); ++t) sum += static_cast<double>(nll[t]), ++count;
  }
  return sum / static_cast<double>(count);
}

}  // namespace stream::llm
