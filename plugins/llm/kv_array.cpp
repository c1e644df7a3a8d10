#include "llm/kv_array.hpp"

#include <algorithm>

#include "llm/rope.hpp"
#include "stream/error.hpp"

namespace stream::llm {

KvArray::KvArray(const ModelConfig& config, std::int64_t capacity)
    : layers_(config.layers), heads_(config.kv_heads), head_dim_(config.head_dim), capacity_(capacity) {
  const auto size = static_cast<std::size_t>(layers_ * heads_ * capacity_ * head_dim_);
  keys_.resize(size);
  values_.resize(size);
}

void KvArray::grow(std::int64_t capacity) {
  if (capacity <= capacity_) return;
  KvArray wider;
  wider.layers_ = layers_, wider.heads_ = heads_, wider.head_dim_ = head_dim_, wider.capacity_ = capacity;
  const auto size = static_cast<std::size_t>(layers_ * heads_ * capacity * head_dim_);
  wider.keys_.resize(size);
  wider.values_.resize(size);
  for (std::int64_t l = 0; l < layers_; ++l)
    for (std::int64_t h = 0; h < heads_; ++h) {
      std::copy_n(key(l, h, 0), head_stride(), wider.key(l, h, 0));
      std::copy_n(value(l, h, 0), head_stride(), wider.value(l, h, 0));
    }
  *this = std::move(wider);
}

void KvArray::put(std::int64_t layer, std::int64_t slot, const float* keys, const float* values,
                  std::int64_t index, Turns* turns, std::int64_t position) {
  for (std::int64_t h = 0; h < heads_; ++h) {
    const std::int64_t from = (index * heads_ + h) * head_dim_;
    std::copy_n(keys + from, head_dim_, key(layer, h, slot));
    std::copy_n(values + from, head_dim_, value(layer, h, slot));
    if (turns != nullptr) turns->rotate(key(layer, h, slot), position);
  }
}

void KvArray::copy(std::int64_t slot, const KvArray& from, std::int64_t from_slot) {
  for (std::int64_t l = 0; l < layers_; ++l)
    for (std::int64_t h = 0; h < heads_; ++h) {
      std::copy_n(from.key(l, h, from_slot), head_dim_, key(l, h, slot));
      std::copy_n(from.value(l, h, from_slot), head_dim_, value(l, h, slot));
    }
}

void KvArray::shift(std::int64_t by, std::int64_t count) {
  for (std::int64_t l = 0; l < layers_; ++l)
    for (std::int64_t h = 0; h < heads_; ++h) {
      std::copy_n(key(l, h, by), (count - by) * head_dim_, key(l, h, 0));
      std::copy_n(value(l, h, by), (count - by) * head_dim_, value(l, h, 0));
    }
}

void KvArray::save(Archive& group, const std::string& name, std::int64_t from, std::int64_t count) const {
  for (const bool keys : {true, false}) {
    std::vector<float> out;
    out.reserve(static_cast<std::size_t>(layers_ * heads_ * count * head_dim_));
    for (std::int64_t l = 0; l < layers_; ++l)
      for (std::int64_t h = 0; h < heads_; ++h)
        for (std::int64_t s = 0; s < count; ++s) {
          const std::int64_t slot = (from + s) % capacity_;
          const float* const row = keys ? key(l, h, slot) : value(l, h, slot);
          out.insert(out.end(), row, row + head_dim_);
        }
    group.set(name + (keys ? "_keys" : "_values"),
              Tensor::of(std::move(out), {layers_, heads_, count, head_dim_}));
  }
}

void KvArray::load(const Archive& group, const std::string& name, std::int64_t from, std::int64_t count) {
  if (count < 0 || count > capacity_ || from < 0 || from >= capacity_)
    throw bad_data("the saved memory '" + name + "' does not fit this one");
  for (const bool keys : {true, false}) {
    const Tensor& saved = group.tensor(name + (keys ? "_keys" : "_values"));
    const std::vector<std::int64_t> shape{layers_, heads_, count, head_dim_};
    if (!std::ranges::equal(saved.shape(), shape))
      throw bad_data("the saved memory '" + name + "' is of another shape: of another model or policy");
    const float* row = saved.values<float>().data();
    for (std::int64_t l = 0; l < layers_; ++l)
      for (std::int64_t h = 0; h < heads_; ++h)
        for (std::int64_t s = 0; s < count; ++s, row += head_dim_)
          std::copy_n(row, head_dim_,
                      keys ? key(l, h, (from + s) % capacity_) : value(l, h, (from + s) % capacity_));
  }
}

}  // namespace stream::llm
