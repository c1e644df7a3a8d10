#include "llm/memory_duo.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {

DuoMemory::DuoMemory(const ModelConfig& config, const Rope& rope, Options options)
    : config_(&config),
      turns_(rope),
      options_(std::move(options)),
      heads_(static_cast<std::size_t>(config.layers * config.kv_heads)) {
  if (static_cast<std::int64_t>(options_.full.size()) != config.layers)
    throw bad_recipe("the table of heads has " + std::to_string(options_.full.size()) +
                     " layers, the model " + std::to_string(config.layers));
  for (const auto& layer : options_.full)
    if (static_cast<std::int64_t>(layer.size()) != config.kv_heads)
      throw bad_recipe("the table of heads has " + std::to_string(layer.size()) +
                       " heads in a layer, the model has " + std::to_string(config.kv_heads) +
                       " key and value heads");
  if (options_.sinks < 0 || options_.recent < 1)
    throw bad_recipe("a memory of " + std::to_string(options_.sinks) + " sinks and " +
                     std::to_string(options_.recent) + " recent tokens, expected at least 0 and 1");
}

void DuoMemory::append(std::int64_t layer, std::int64_t tokens, const float*, const float* keys,
                       const float* values) {
  const std::int64_t d = config_->head_dim, n = config_->kv_heads;
  for (std::int64_t h = 0; h < n; ++h) {
    Head& to = head(layer, h);
    for (std::int64_t t = 0; t < tokens; ++t) {
      const std::int64_t from = (t * n + h) * d;
      to.keys.insert(to.keys.end(), keys + from, keys + from + d);
      to.values.insert(to.values.end(), values + from, values + from + d);
      turns_.rotate(to.keys.data() + to.keys.size() - static_cast<std::size_t>(d), count_ + t);
    }
  }
}

void DuoMemory::segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) {
  const std::int64_t d = config_->head_dim;
  // What lies behind the model's own window; slots of a segment stand at positions that follow each other.
  const auto hide = [&](Segment& s) {
    if (config_->sliding_window == 0) return;
    const std::int64_t first = count_ + 1 - config_->sliding_window - s.key_position;
    s.from = s.from_step == 1 ? std::max(s.from, first) : first;
    s.from_step = 1;
  };
  for (std::int64_t h = 0; h < config_->kv_heads; ++h) {
    Head& from = head(layer, h);
    const auto add = [&](std::int64_t row, std::int64_t count, std::int64_t position) -> Segment& {
      out.push_back({.keys = from.keys.data() + row * d,
                     .values = from.values.data() + row * d,
                     .count = count,
                     .first_head = h,
                     .heads = 1,
                     .key_position = position,
                     .query_position = count_});
      return out.back();
    };
    if (full(layer, h)) {
      Segment& all = add(0, count_ + tokens, 0);
      all.until = count_ + 1, all.until_step = 1;
      hide(all);
      continue;
    }
    // Sinks, then the recent ones and the chunk, whose positions are a run. While the chunk fills up the
    // sinks, a part of it stands among them.
    const std::int64_t past = kept(), sinks = std::min(options_.sinks, past + tokens);
    if (sinks > 0) {
      Segment& first = add(0, sinks, 0);
      first.until = past < sinks ? past + 1 : sinks;
      first.until_step = past < sinks ? 1 : 0;
      hide(first);
    }
    const std::int64_t rest = past + tokens - sinks, position = count_ + tokens - rest;
    if (rest == 0) continue;
    Segment& run = add(sinks, rest, position);
    // Query t stands at count_ + t, which is slot count_ + t - position.
    run.until = count_ - position + 1, run.until_step = 1;
    if (options_.exact_mask) run.from = count_ - options_.recent + 1 - position, run.from_step = 1;
    hide(run);
  }
}

void DuoMemory::commit(std::int64_t tokens) {
  const auto d = static_cast<std::size_t>(config_->head_dim);
  const std::int64_t held = kept() + tokens;
  count_ += tokens;
  const auto drop = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(held - kept()) * d);
  if (drop == 0) return;
  const auto first = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(options_.sinks) * d);
  for (std::int64_t l = 0; l < config_->layers; ++l)
    for (std::int64_t h = 0; h < config_->kv_heads; ++h) {
      if (full(l, h)) continue;
      for (std::vector<float>* rows : {&head(l, h).keys, &head(l, h).values})
        rows->erase(rows->begin() + first, rows->begin() + first + drop);
    }
}

std::int64_t DuoMemory::stored_tokens(std::int64_t layer, std::int64_t kv_head) const {
  return full(layer, kv_head) ? count_ : kept();
}

std::size_t DuoMemory::resident_bytes() const {
  std::size_t sum = 0;
  for (const Head& h : heads_) sum += (h.keys.size() + h.values.size()) * sizeof(float);
  return sum;
}

void DuoMemory::save(Archive& group) const {
  group.set("policy", "duo");
  group.set("count", count_);
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    group.set("keys_" + std::to_string(i), heads_[i].keys);
    group.set("values_" + std::to_string(i), heads_[i].values);
  }
}

void DuoMemory::load(const Archive& group) {
  if (group.get<std::string>("policy") != "duo") throw bad_data("the saved memory is of another policy");
  count_ = group.get<std::int64_t>("count");
  if (count_ < 0) throw bad_data("the saved memory does not fit this one");
  for (std::int64_t l = 0; l < config_->layers; ++l)
    for (std::int64_t h = 0; h < config_->kv_heads; ++h) {
      const std::string number = std::to_string(l * config_->kv_heads + h);
      Head& to = head(l, h);
      to.keys = group.get<std::vector<float>>("keys_" + number);
      to.values = group.get<std::vector<float>>("values_" + number);
      const auto expected = static_cast<double>(stored_tokens(l, h)) * static_cast<double>(config_->head_dim);
      if (static_cast<double>(to.keys.size()) != expected || to.values.size() != to.keys.size())
        throw bad_data("the saved memory belongs to another table of heads or another model");
    }
}

}  // namespace stream::llm
