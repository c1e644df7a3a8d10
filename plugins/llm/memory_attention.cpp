#include "llm/memory_attention.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {

AttentionMemory::AttentionMemory(const ModelConfig& config, const Rope& rope, Options options)
    : config_(&config), turns_(rope), options_(options) {
  if (options_.heavy < 0 || options_.recent < 0 || kept() < 1)
    throw bad_recipe("memory " + std::string(name()) + " of " + std::to_string(options_.heavy) +
                     " attended and " + std::to_string(options_.recent) + " recent tokens keeps nothing");
  if (options_.rule == Rule::kTova && options_.recent > 0)
    throw bad_recipe("memory tova keeps no recent tokens in any case, expected recent = 0");
  if (config.position == Position::kAlibi || config.position == Position::kRelative)
    throw bad_recipe("memory " + std::string(name()) + ": not for models with position " +
                     name_of(config.position));
  if (config.sliding_window > 0)
    throw bad_recipe("memory " + std::string(name()) +
                     " keeps tokens from anywhere in the stream, and a token of the model " +
                     "sees none farther back than its sliding window of " +
                     std::to_string(config.sliding_window) +
                     "; expected memory full, window, recompute, sink, sir, inf or duo");
  if (kept() > config.context)
    throw bad_recipe("a memory of " + std::to_string(kept()) +
                     " tokens is larger than the model's context of " + std::to_string(config.context));
  kv_ = KvArray(config, kept() + 1);
  scores_.resize(static_cast<std::size_t>(config.layers * config.kv_heads * (kept() + 1)));
  tokens_.resize(scores_.size());
}

void AttentionMemory::append(std::int64_t layer, std::int64_t tokens, const float*, const float* keys,
                             const float* values) {
  for (std::int64_t t = 0; t < tokens; ++t) {
    kv_.put(layer, count_ + t, keys, values, t, &turns_, seen_ + t);
    for (std::int64_t h = 0; h < config_->kv_heads; ++h) {
      const auto slot = static_cast<std::size_t>(at(layer, h) + count_ + t);
      scores_[slot] = 0;
      tokens_[slot] = seen_ + t;
    }
  }
}

void AttentionMemory::segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) {
  out.push_back({.keys = kv_.key(layer, 0, 0),
                 .values = kv_.value(layer, 0, 0),
                 .head_stride = kv_.head_stride(),
                 .count = count_ + tokens,
                 .query_position = seen_,
                 .until = count_ + 1,
                 .until_step = 1,
                 .want_scores = true});
}

void AttentionMemory::on_scores(std::int64_t layer, std::size_t, std::span<const float> sums) {
  const std::int64_t group = config_->heads / config_->kv_heads;
  const auto count = static_cast<std::int64_t>(sums.size()) / config_->heads;
  for (std::int64_t h = 0; h < config_->kv_heads; ++h)
    for (std::int64_t s = 0; s < count; ++s) {
      float& score = scores_[static_cast<std::size_t>(at(layer, h) + s)];
      if (options_.rule == Rule::kTova) score = 0;
      for (std::int64_t q = h * group; q < (h + 1) * group; ++q)
        score += sums[static_cast<std::size_t>(q * count + s)];
    }
}

void AttentionMemory::drop(std::int64_t layer, std::int64_t head, std::int64_t slot) {
  const std::int64_t rest = (count_ - slot - 1) * config_->head_dim, d = config_->head_dim;
  for (float* const row : {kv_.key(layer, head, slot), kv_.value(layer, head, slot)})
    std::copy_n(row + d, rest, row);
  const auto from = static_cast<std::ptrdiff_t>(at(layer, head) + slot);
  std::copy_n(scores_.begin() + from + 1, count_ - slot - 1, scores_.begin() + from);
  std::copy_n(tokens_.begin() + from + 1, count_ - slot - 1, tokens_.begin() + from);
}

void AttentionMemory::commit(std::int64_t tokens) {
  count_ += tokens;
  seen_ += tokens;
  if (count_ <= kept()) return;
  for (std::int64_t l = 0; l < config_->layers; ++l) {
    std::vector<float> received(static_cast<std::size_t>(count_), 0.0f);
    for (std::int64_t h = 0; h < config_->kv_heads; ++h) {
      const auto first = scores_.begin() + at(l, h);
      if (options_.rule == Rule::kH2o) {
        // Ties go to the older one; with nothing heavy that is the first that is not recent.
        drop(l, h, std::min_element(first, first + (count_ - options_.recent)) - first);
        continue;
      }
      for (std::int64_t s = 0; s < count_; ++s) received[static_cast<std::size_t>(s)] += first[s];
    }
    if (options_.rule == Rule::kH2o) continue;
    const std::int64_t least = std::min_element(received.begin(), received.end()) - received.begin();
    for (std::int64_t h = 0; h < config_->kv_heads; ++h) drop(l, h, least);
  }
  --count_;
}

std::vector<std::int64_t> AttentionMemory::tokens(std::int64_t layer, std::int64_t kv_head) const {
  const auto first = tokens_.begin() + at(layer, kv_head);
  return {first, first + count_};
}

void AttentionMemory::save(Archive& group) const {
  group.set("policy", name());
  group.set("count", count_);
  group.set("seen", seen_);
  group.set("scores", scores_);
  group.set("tokens", tokens_);
  if (count_ > 0) kv_.save(group, "kept", 0, count_);
}

void AttentionMemory::load(const Archive& group) {
  if (group.get<std::string>("policy") != name()) throw bad_data("the saved memory is of another policy");
  const auto count = group.get<std::int64_t>("count"), seen = group.get<std::int64_t>("seen");
  auto scores = group.get<std::vector<float>>("scores");
  auto tokens = group.get<std::vector<std::int64_t>>("tokens");
  if (count < 0 || count > kept() || seen < count || scores.size() != scores_.size() ||
      tokens.size() != tokens_.size())
    throw bad_data("the saved memory does not fit this one");
  if (count > 0) kv_.load(group, "kept", 0, count);
  count_ = count, seen_ = seen;
  scores_ = std::move(scores), tokens_ = std::move(tokens);
}

}  // namespace stream::llm
