/// Room for keys and values: for every layer and kv head, `capacity` slots of head_dim floats.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llm/model_config.hpp"
#include "stream/archive.hpp"

namespace stream::llm {

class Turns;

class KvArray {
 public:
  KvArray() = default;
  KvArray(const ModelConfig& config, std::int64_t capacity);

  std::int64_t capacity() const { return capacity_; }
  /// More room; what is there stays.
  void grow(std::int64_t capacity);
  float* key(std::int64_t layer, std::int64_t head, std::int64_t slot) {
    return keys_.data() + at(layer, head, slot);
  }
  const float* key(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
    return keys_.data() + at(layer, head, slot);
  }
  float* value(std::int64_t layer, std::int64_t head, std::int64_t slot) {
    return values_.data() + at(layer, head, slot);
  }
  const float* value(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
    return values_.data() + at(layer, head, slot);
  }
  /// Floats from one head to the next.
  std::int64_t head_stride() const { return capacity_ * head_dim_; }
  std::int64_t layers() const { return layers_; }
  std::int64_t heads() const { return heads_; }
  std::int64_t head_dim() const { return head_dim_; }
  /// Bytes of `tokens` tokens in all layers and heads.
  std::size_t bytes(std::int64_t tokens) const {
    return static_cast<std::size_t>(2 * layers_ * heads_ * tokens * head_dim_) * sizeof(float);
  }

  /// Token `index` of a block [tokens, kv_heads, d] into a slot; with `turns` its keys are turned to
  /// `position`.
  void put(std::int64_t layer, std::int64_t slot, const float* keys, const float* values, std::int64_t index,
           Turns* turns, std::int64_t position);
  /// One token in all layers from another array (of the same model).
  void copy(std::int64_t slot, const KvArray& from, std::int64_t from_slot);

  /// Slots [by, count) move down to 0.
  void shift(std::int64_t by, std::int64_t count);
  /// Slots [from, from + count) of every head, wrapped around the end.
  void save(Archive& group, const std::string& name, std::int64_t from, std::int64_t count) const;
  /// Into the slots that `save` took them from: sums over them are then made in the same order. Throws
  /// Error(kBadData) unless the saved ones are so many, of the same model.
  void load(const Archive& group, const std::string& name, std::int64_t from, std::int64_t count);

 private:
  std::int64_t at(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
    return ((layer * heads_ + head) * capacity_ + slot) * head_dim_;
  }
  std::int64_t layers_ = 0, heads_ = 0, head_dim_ = 0, capacity_ = 0;
  std::vector<float> keys_, values_;
};

}  // namespace stream::llm
