#include "llm/memory_sir.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "stream/error.hpp"

namespace stream::llm {

SirMemory::SirMemory(const ModelConfig& config, const Rope&, Options options)
    : config_(&config),
      options_(options),
      random_(options.seed),
      kv_(config, std::max<std::int64_t>(1, cap())) {
  if (options_.sinks < 0 || options_.entropy < 0 || options_.recent < 0 || cap() < options_.sinks + 1)
    throw bad_recipe("a memory of " + std::to_string(options_.sinks) + " sinks, " +
                     std::to_string(options_.entropy) + " surprising and " + std::to_string(options_.recent) +
                     " recent tokens keeps nothing but sinks");
  if (cap() > config.context)
    throw bad_recipe("a memory of " + std::to_string(cap()) +
                     " tokens is larger than the model's context of " + std::to_string(config.context));
  if (config.sliding_window > 0 && cap() > config.sliding_window)
    throw bad_recipe("memory sir of " + std::to_string(cap()) +
                     " tokens is larger than the model's sliding window of " +
                     std::to_string(config.sliding_window) + ", beyond which no token has learnt to see");
  if (!(options_.decay > 0 && options_.decay <= 1))
    throw bad_recipe("decay is " + std::to_string(options_.decay) + ", expected above 0 and at most 1");
}

std::vector<std::int64_t> most_surprising(std::span<const float> values, std::int64_t sinks,
                                          std::int64_t most, std::int64_t room) {
  const auto n = static_cast<std::int64_t>(values.size());
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)];
  });
  std::vector<bool> in(values.size());
  std::int64_t size = 0;
  const auto take = [&](std::int64_t i) {
    if (!in[static_cast<std::size_t>(i)]) ++size;
    in[static_cast<std::size_t>(i)] = true;
  };
  for (std::int64_t i = 0; i < std::min(n, std::max<std::int64_t>(0, most)); ++i)
    take(order[static_cast<std::size_t>(i)]);
  for (std::int64_t i = 0; i < std::min(n, sinks); ++i) take(i);
  for (std::int64_t i = n - 1; i >= 1 && size < room; --i) take(i);
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < n; ++i)
    if (in[static_cast<std::size_t>(i)]) out.push_back(i);
  return out;
}

std::vector<std::int64_t> SirMemory::kept(std::int64_t coming) {
  const std::int64_t most = options_.entropy - coming, room = cap() - coming;
  std::vector<float> values = surprisals_;
  switch (options_.rule) {
    case Rule::kSurprisal:
      break;
    case Rule::kRandom:
      for (float& v : values) v = static_cast<float>(random_.uniform());
      break;
    case Rule::kShuffled:
      for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random_.below(i)]);
      break;
    case Rule::kInterval: {
      // Every m-th of the past, m = past / room: those whose turn it is outrank the others.
      std::fill(values.begin(), values.end(), 0.0f);
      for (std::int64_t i = 0; i < most; ++i) values[static_cast<std::size_t>(i * count_ / most)] = 1;
      break;
    }
  }
  return most_surprising(values, options_.sinks, most, room);
}

void SirMemory::make_room(std::int64_t coming) {
  if (count_ + coming <= cap()) return;
  std::vector<std::int64_t> slots = kept(coming);
  std::int64_t start = 0;
  for (std::size_t to = 0; to < slots.size(); ++to) {
    const auto from = static_cast<std::size_t>(slots[to]);
    start += slots[to] < turn_start_;
    if (from == to) continue;
    kv_.copy(static_cast<std::int64_t>(to), kv_, slots[to]);
    surprisals_[to] = surprisals_[from];
    tokens_[to] = tokens_[from];
    turns_[to] = turns_[from];
  }
  count_ = static_cast<std::int64_t>(slots.size());
  turn_start_ = start;
  surprisals_.resize(slots.size());
  tokens_.resize(slots.size());
  turns_.resize(slots.size());
}

std::int64_t SirMemory::admit(std::int64_t wanted) {
  if (count_ >= cap()) {
    // The extension: one goes for the one that comes.
    const std::int64_t least = [&] {
      std::int64_t at = std::min(options_.sinks, count_ - 1);
      for (std::int64_t i = at; i < count_; ++i)
        if (surprisals_[static_cast<std::size_t>(i)] < surprisals_[static_cast<std::size_t>(at)]) at = i;
      return at;
    }();
    for (std::int64_t i = least; i + 1 < count_; ++i) kv_.copy(i, kv_, i + 1);
    surprisals_.erase(surprisals_.begin() + least);
    tokens_.erase(tokens_.begin() + least);
    turns_.erase(turns_.begin() + least);
    if (least < turn_start_) --turn_start_;
    --count_;
  }
  return std::min(wanted, cap() - count_);
}

void SirMemory::append(std::int64_t layer, std::int64_t tokens, const float*, const float* keys,
                       const float* values) {
  for (std::int64_t t = 0; t < tokens; ++t) kv_.put(layer, count_ + t, keys, values, t, nullptr, 0);
}

void SirMemory::segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) {
  out.push_back({.keys = kv_.key(layer, 0, 0),
                 .values = kv_.value(layer, 0, 0),
                 .head_stride = kv_.head_stride(),
                 .count = count_ + tokens,
                 .rotated = false,
                 .query_position = count_,
                 .until = count_ + 1,
                 .until_step = 1});
}

void SirMemory::commit(std::int64_t tokens) {
  for (std::int64_t t = 0; t < tokens; ++t) {
    tokens_.push_back(seen_++);
    turns_.push_back(turn_);
  }
  count_ += tokens;
}

void SirMemory::on_nll(std::span<const float> surprisals) {
  // Nothing predicted the first token of all; it is a sink, or as good as any other.
  for (const float v : surprisals) surprisals_.push_back(std::isfinite(v) ? v : 0.0f);
}

void SirMemory::reserve(std::int64_t coming) {
  turn_start_ = count_;
  make_room(coming);
  for (float& v : surprisals_) v = static_cast<float>(options_.decay * static_cast<double>(v));
}

void SirMemory::end_of_turn() {
  if (options_.first_max && turn_start_ + 1 < count_) {
    const auto first = surprisals_.begin() + turn_start_;
    *first = *std::max_element(first + 1, surprisals_.end());
  }
  turn_start_ = count_;
  ++turn_;
}

void SirMemory::save(Archive& group) const {
  group.set("policy", "sir");
  group.set("count", count_);
  group.set("seen", seen_);
  group.set("turn", turn_);
  group.set("turn_start", turn_start_);
  group.set("surprisals", surprisals_);
  group.set("tokens", tokens_);
  group.set("turns", turns_);
  group.set("random", random_.state());
  if (count_ > 0) kv_.save(group, "kept", 0, count_);
}

void SirMemory::load(const Archive& group) {
  if (group.get<std::string>("policy") != "sir") throw bad_data("the saved memory is of another policy");
  count_ = group.get<std::int64_t>("count");
  seen_ = group.get<std::int64_t>("seen");
  turn_ = group.get<std::int64_t>("turn");
  turn_start_ = group.get<std::int64_t>("turn_start");
  surprisals_ = group.get<std::vector<float>>("surprisals");
  tokens_ = group.get<std::vector<std::int64_t>>("tokens");
  turns_ = group.get<std::vector<std::int64_t>>("turns");
  const auto words = group.get<std::vector<std::int64_t>>("random");
  const auto n = static_cast<std::size_t>(count_);
  if (count_ < 0 || count_ > cap() || surprisals_.size() != n || tokens_.size() != n || turns_.size() != n ||
      turn_start_ < 0 || turn_start_ > count_ || words.size() != 4)
    throw bad_data("the saved memory does not fit this one");
  random_.restore(words);
  if (count_ > 0) kv_.load(group, "kept", 0, count_);
}

}  // namespace stream::llm
