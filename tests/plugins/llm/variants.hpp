/// Every switch of a model, one at a time: what trains must be what decodes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models.hpp"

namespace stream::llm::testing {

struct Variant {
  std::string name;
  ModelConfig config;
};

inline std::vector<Variant> variants() {
  std::vector<Variant> out;
  const auto add = [&](std::string name, const std::function<void(ModelConfig&)>& change) {
    ModelConfig c = small_config();
    change(c);
    out.push_back({std::move(name), c});
  };
  for (const std::string& name : position_names())
    add("position " + name, [&](ModelConfig& c) { c.position = position_named(name); });
  for (const std::string& name : feed_forward_names())
    add(name, [&](ModelConfig& c) {
      c.activation = feed_forward_named(name).activation, c.gated = feed_forward_named(name).gated;
    });
  add("post-norm", [](ModelConfig& c) { c.norm_place = NormPlace::kPost; });
  add("layer norm behind", [](ModelConfig& c) { c.norm_place = NormPlace::kPost, c.norm = Norm::kLayer; });
  add("window", [](ModelConfig& c) { c.sliding_window = 5; });
  for (const std::string& name : score_names()) {
    add(name, [&](ModelConfig& c) { c.score = score_named(name); });
    for (const AttentionBias bias : {AttentionBias::kKeyValue, AttentionBias::kValue})
      add(name + ", bias " + name_of(bias),
          [&](ModelConfig& c) { c.score = score_named(name), c.attention_bias = bias; });
  }
  add("sigmoid, offset", [](ModelConfig& c) { c.score = Score::kSigmoid, c.score_offset = 2; });
  add("elu, alibi", [](ModelConfig& c) { c.score = Score::kElu, c.position = Position::kAlibi; });
  for (const AttentionBias bias : {AttentionBias::kKey, AttentionBias::kKeyValue, AttentionBias::kValue})
    for (const bool shared : {false, true})
      add(std::string(name_of(bias)) + (shared ? " bias of all heads" : " bias"),
          [&](ModelConfig& c) { c.attention_bias = bias, c.bias_shared = shared; });
  for (const BiasValue value : {BiasValue::kFirst, BiasValue::kUniform})
    add(std::string("key bias, value ") + name_of(value), [&](ModelConfig& c) {
      c.attention_bias = AttentionBias::kKey, c.bias_value = value, c.bias_scale = 5;
    });
  return out;
}

}  // namespace stream::llm::testing
