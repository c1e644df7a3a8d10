#include "llm/memory_full.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {

void FullMemory::append(std::int64_t layer, std::int64_t tokens, const float*, const float* keys,
                        const float* values) {
  if (layer == 0 && count_ + tokens > kv_.capacity())
    kv_.grow(std::max<std::int64_t>(count_ + tokens,
                                    std::max<std::int64_t>(64, kv_.capacity() + kv_.capacity() / 2)));
  for (std::int64_t t = 0; t < tokens; ++t) kv_.put(layer, count_ + t, keys, values, t, &turns_, count_ + t);
}

void FullMemory::segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) {
  Segment s{.keys = kv_.key(layer, 0, 0),
            .values = kv_.value(layer, 0, 0),
            .head_stride = kv_.head_stride(),
            .count = count_ + tokens,
            .query_position = count_,
            .until = count_ + 1,
            .until_step = 1};
  if (const std::int64_t prefix = config_->prefix; prefix > 0) {
    if (count_ + tokens < prefix || (count_ > 0 && count_ < prefix))
      throw failed("the model is a prefix language model: the first " + std::to_string(prefix) +
                   " tokens see each other, and must come together");
    Segment first = s;
    first.count = first.until = prefix;
    first.until_step = 0;
    out.push_back(first);
    s.keys += prefix * kv_.head_dim();
    s.values += prefix * kv_.head_dim();
    s.count -= prefix;
    s.key_position = prefix;
    s.until -= prefix;
    if (s.count == 0) return;
  }
  if (const std::int64_t window = config_->sliding_window; window > 0) {
    // Slots that no query of the block sees are left out.
    const std::int64_t first = std::max<std::int64_t>(0, count_ + 1 - window);
    s.keys += first * kv_.head_dim();
    s.values += first * kv_.head_dim();
    s.count -= first;
    s.key_position = first;
    s.until -= first;
    s.from = count_ + 1 - window - first;
    s.from_step = 1;
  }
  out.push_back(s);
}

void FullMemory::save(Archive& group) const {
  group.set("policy", "full");
  group.set("count", count_);
  if (count_ > 0) kv_.save(group, "all", 0, count_);
}

void FullMemory::load(const Archive& group) {
  if (group.get<std::string>("policy") != "full") throw bad_data("the saved memory is of another policy");
  count_ = group.get<std::int64_t>("count");
  if (count_ <= 0) {
    count_ = 0;
    return;
  }
  // The file holds as many as it says, or load refuses it: room is made by what is there.
  const auto shape = group.tensor("all_keys").shape();
  if (shape.size() != 4 || shape[2] != count_)
    throw bad_data("the saved memory does not hold the tokens it counts");
  kv_ = KvArray(*config_, count_);
  kv_.load(group, "all", 0, count_);
}

}  // namespace stream::llm
