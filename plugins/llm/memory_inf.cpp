#include "llm/memory_inf.hpp"

#include <algorithm>
#include <numeric>

#include "llm/kernels.hpp"
#include "stream/error.hpp"

namespace stream::llm {

InfMemory::InfMemory(const ModelConfig& config, const Rope& rope, Options options)
    : config_(&config),
      turns_(rope),
      options_(std::move(options)),
      random_(options_.seed),
      index_(static_cast<std::size_t>(config.layers)),
      chosen_(index_.size()),
      loaded_(index_.size()) {
  const Options& o = options_;
  if (o.init < 0 || o.local < 1 || o.block < 1 || o.topk < 0 || o.execution < 1 || o.representatives < 1 ||
      o.representatives > o.block)
    throw bad_recipe("inf: blocks of " + std::to_string(o.block) + " tokens with " +
                     std::to_string(o.representatives) + " representatives, a local window of " +
                     std::to_string(o.local) +
                     ": expected at least 1 of each, and no more representatives than tokens");
  if (o.local > config.context)
    throw bad_recipe("inf: a local window of " + std::to_string(o.local) +
                     " tokens is larger than the model's context of " + std::to_string(config.context));
  // What is read from farther back stands at the end of the local window: nothing is seen beyond that.
  if (config.sliding_window > 0 && o.local > config.sliding_window)
    throw bad_recipe("inf: a local window of " + std::to_string(o.local) +
                     " tokens is larger than the model's sliding window of " +
                     std::to_string(config.sliding_window));
  if (o.working_set < std::max<std::int64_t>(1, o.topk))
    throw bad_recipe("inf: a working set of " + std::to_string(o.working_set) + " blocks cannot hold the " +
                     std::to_string(o.topk) + " that are read at once");
  init_ = KvArray(config, std::max<std::int64_t>(1, o.init));
  rest_ = KvArray(config, o.local + o.block + o.init + std::min(o.execution, o.local));
  scores_.assign(static_cast<std::size_t>(config.layers * config.heads * rest_.capacity()), 0.0f);
  store_ = std::make_unique<BlockStore>(config, o.block, o.folder, o.owner, o.working_set);
}

InfMemory::InfMemory(const InfMemory& other)
    : Memory(other),
      config_(other.config_),
      turns_(other.turns_),
      options_(other.options_),
      random_(other.random_),
      init_(other.init_),
      rest_(other.rest_),
      scores_(other.scores_),
      init_used_(other.init_used_),
      rest_used_(other.rest_used_),
      count_(other.count_),
      store_(std::make_unique<BlockStore>(other.store_->fork())),
      index_(other.index_),
      chosen_(other.chosen_),
      loaded_(other.loaded_.size()) {}

std::unique_ptr<Memory> InfMemory::fork() const { return std::unique_ptr<Memory>(new InfMemory(*this)); }

std::int64_t InfMemory::block_of(std::int64_t token) const {
  const std::int64_t block = (token - init_used_) / options_.block;
  return token >= init_used_ && block < store_->size(0) ? block : -1;
}

std::vector<std::int64_t> InfMemory::look_up(std::int64_t layer, std::int64_t tokens, const float* queries) {
  const std::int64_t blocks = store_->size(layer), topk = options_.topk;
  std::vector<std::int64_t> order(static_cast<std::size_t>(blocks));
  std::iota(order.begin(), order.end(), 0);
  if (topk == 0 || (options_.look_up == LookUp::kDecoding && tokens > 1)) return {};
  if (blocks <= topk) return order;
  if (options_.look_up == LookUp::kRandom) {
    for (std::int64_t i = 0; i < topk; ++i)
      std::swap(order[static_cast<std::size_t>(i)],
                order[static_cast<std::size_t>(i) + random_.below(static_cast<std::uint64_t>(blocks - i))]);
  } else {
    // All queries stand at one distance from what is far; their mean is matched with the blocks' keys.
    const std::int64_t d = config_->head_dim, width = config_->heads * d;
    std::vector<float> mean(static_cast<std::size_t>(width)), query(static_cast<std::size_t>(d));
    for (std::int64_t t = 0; t < tokens; ++t)
      for (std::int64_t i = 0; i < width; ++i)
        mean[static_cast<std::size_t>(i)] += queries[t * width + i] / static_cast<float>(tokens);
    for (std::int64_t h = 0; h < config_->heads; ++h) turns_.rotate(mean.data() + h * d, options_.local - 1);
    std::vector<float> relevance(static_cast<std::size_t>(blocks));
    kernels().product_f32(index_[static_cast<std::size_t>(layer)].data(), mean.data(), relevance.data(),
                          blocks, width);
    std::partial_sort(order.begin(), order.begin() + topk, order.end(), [&](std::int64_t a, std::int64_t b) {
      const float x = relevance[static_cast<std::size_t>(a)], y = relevance[static_cast<std::size_t>(b)];
      return x != y ? x > y : a < b;
    });
  }
  order.resize(static_cast<std::size_t>(topk));
  std::sort(order.begin(), order.end());
  return order;
}

void InfMemory::append(std::int64_t layer, std::int64_t tokens, const float* queries, const float* keys,
                       const float* values) {
  passing_ = tokens;
  for (std::int64_t t = 0; t < tokens; ++t) {
    rest_.put(layer, rest_used_ + t, keys, values, t, nullptr, 0);
    for (std::int64_t h = 0; h < config_->heads; ++h) score(layer, h, rest_used_ + t) = 0;
  }
  const auto l = static_cast<std::size_t>(layer);
  chosen_[l] = look_up(layer, tokens, queries);
  loaded_[l].clear();
  for (const std::int64_t block : chosen_[l]) loaded_[l].push_back(store_->get(layer, block));
}

void InfMemory::segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) {
  const std::int64_t all = rest_used_ + tokens, n = std::min(options_.local + tokens, all), first = all - n;
  // Local: the last n keys at 0 ... n - 1, the queries at the end of them; a query sees less than n_local
  // back.
  out.push_back({.keys = rest_.key(layer, 0, first),
                 .values = rest_.value(layer, 0, first),
                 .head_stride = rest_.head_stride(),
                 .count = n,
                 .rotated = false,
                 .query_position = n - tokens,
                 .from = n - tokens - options_.local + 1,
                 .from_step = 1,
                 .until = n - tokens + 1,
                 .until_step = 1,
                 .want_scores = true});
  const auto far = [&](const float* k, const float* v, std::int64_t stride, std::int64_t count) -> Segment& {
    out.push_back({.keys = k,
                   .values = v,
                   .head_stride = stride,
                   .count = count,
                   .key_step = 0,
                   .query_position = options_.local - 1,
                   .query_step = 0});
    return out.back();
  };
  for (const auto& block : loaded_[static_cast<std::size_t>(layer)])
    far(block->keys.data(), block->values.data(), options_.block * config_->head_dim, options_.block);
  if (init_used_ > 0) far(init_.key(layer, 0, 0), init_.value(layer, 0, 0), init_.head_stride(), init_used_);
  // What is in no block yet, and farther back than n_local.
  if (const std::int64_t count = all - options_.local; count > 0) {
    Segment& s = far(rest_.key(layer, 0, 0), rest_.value(layer, 0, 0), rest_.head_stride(), count);
    s.until = rest_used_ - options_.local + 1;
    s.until_step = 1;
  }
}

void InfMemory::on_scores(std::int64_t layer, std::size_t, std::span<const float> sums) {
  const auto n = static_cast<std::int64_t>(sums.size()) / config_->heads;
  // The block is not counted in rest_used_ yet; the local segment ends with it.
  const std::int64_t first = rest_used_ + passing_ - n;
  for (std::int64_t h = 0; h < config_->heads; ++h)
    for (std::int64_t s = 0; s < n; ++s)
      score(layer, h, first + s) += sums[static_cast<std::size_t>(h * n + s)];
}

std::vector<float> InfMemory::index_of(std::int64_t layer) const {
  const std::int64_t d = config_->head_dim, group = config_->heads / config_->kv_heads;
  std::vector<float> out(static_cast<std::size_t>(config_->heads * d));
  for (std::int64_t h = 0; h < config_->heads; ++h) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(options_.block));
    std::iota(order.begin(), order.end(), 0);
    std::int64_t count = options_.block;
    if (options_.representative == Representative::kScore) {
      count = options_.representatives;
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return score(layer, h, a) > score(layer, h, b);
      });
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const float* const key = rest_.key(layer, h / group, order[static_cast<std::size_t>(i)]);
      for (std::int64_t k = 0; k < d; ++k)
        out[static_cast<std::size_t>(h * d + k)] += key[k] / static_cast<float>(count);
    }
  }
  return out;
}

void InfMemory::drop(std::int64_t tokens) {
  rest_.shift(tokens, rest_used_);
  for (std::int64_t row = 0; row < config_->layers * config_->heads; ++row) {
    const auto first = scores_.begin() + row * rest_.capacity();
    std::copy(first + tokens, first + rest_used_, first);
  }
  rest_used_ -= tokens;
}

void InfMemory::move_block() {
  const std::int64_t d = config_->head_dim;
  for (std::int64_t l = 0; l < config_->layers; ++l) {
    KvBlock block;
    for (std::int64_t h = 0; h < config_->kv_heads; ++h) {
      block.keys.insert(block.keys.end(), rest_.key(l, h, 0), rest_.key(l, h, 0) + options_.block * d);
      block.values.insert(block.values.end(), rest_.value(l, h, 0),
                          rest_.value(l, h, 0) + options_.block * d);
    }
    const std::vector<float> vector = index_of(l);
    store_->append(l, std::move(block));
    // The index last: a block that it names is there.
    index_[static_cast<std::size_t>(l)].insert(index_[static_cast<std::size_t>(l)].end(), vector.begin(),
                                               vector.end());
  }
  drop(options_.block);
}

void InfMemory::commit(std::int64_t tokens) {
  rest_used_ += tokens;
  count_ += tokens;
  for (auto& layer : loaded_) layer.clear();
  if (init_used_ < options_.init && rest_used_ > options_.local) {
    const std::int64_t moved = std::min(options_.init - init_used_, rest_used_ - options_.local);
    for (std::int64_t i = 0; i < moved; ++i) init_.copy(init_used_ + i, rest_, i);
    init_used_ += moved;
    drop(moved);
  }
  if (init_used_ < options_.init) return;
  while (rest_used_ - options_.block >= options_.local) move_block();
}

std::size_t InfMemory::resident_bytes() const {
  std::size_t index = 0;
  for (const auto& layer : index_) index += layer.size() * sizeof(float);
  return init_.bytes(init_used_) + rest_.bytes(rest_used_) + index + store_->resident_bytes();
}

void InfMemory::save(Archive& group) const {
  group.set("policy", "inf");
  group.set("init_used", init_used_);
  group.set("rest_used", rest_used_);
  group.set("count", count_);
  group.set("random", random_.state());
  if (init_used_ > 0) init_.save(group, "init", 0, init_used_);
  if (rest_used_ > 0) rest_.save(group, "rest", 0, rest_used_);
  std::vector<float> scores;
  for (std::int64_t row = 0; row < config_->layers * config_->heads; ++row) {
    const auto first = scores_.begin() + row * rest_.capacity();
    scores.insert(scores.end(), first, first + rest_used_);
  }
  group.set("scores", scores);
  for (std::size_t l = 0; l < index_.size(); ++l) group.set("index_" + std::to_string(l), index_[l]);
  store_->save(group.group("blocks"));
}

void InfMemory::load(const Archive& group) {
  if (group.get<std::string>("policy") != "inf") throw bad_data("the saved memory is of another policy");
  init_used_ = group.get<std::int64_t>("init_used");
  rest_used_ = group.get<std::int64_t>("rest_used");
  count_ = group.get<std::int64_t>("count");
  const auto words = group.get<std::vector<std::int64_t>>("random");
  const auto scores = group.get<std::vector<float>>("scores");
  const std::int64_t rows = config_->layers * config_->heads;
  if (init_used_ < 0 || rest_used_ < 0 || rest_used_ > rest_.capacity() || words.size() != 4 ||
      static_cast<std::int64_t>(scores.size()) != rows * rest_used_)
    throw bad_data("the saved memory does not fit this one");
  random_.restore(words);
  if (init_used_ > 0) init_.load(group, "init", 0, init_used_);
  if (rest_used_ > 0) rest_.load(group, "rest", 0, rest_used_);
  for (std::int64_t row = 0; row < rows; ++row)
    std::copy_n(scores.begin() + row * rest_used_, rest_used_, scores_.begin() + row * rest_.capacity());
  store_->load(group.group("blocks"));
  const auto width = static_cast<std::size_t>(config_->heads * config_->head_dim);
  for (std::size_t l = 0; l < index_.size(); ++l) {
    index_[l] = group.get<std::vector<float>>("index_" + std::to_string(l));
    if (index_[l].size() != static_cast<std::size_t>(store_->size(static_cast<std::int64_t>(l))) * width)
      throw bad_data("the saved index does not name the saved blocks");
  }
}

}  // namespace stream::llm
