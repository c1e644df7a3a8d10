#include "llm/memory_recompute.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {

RecomputeMemory::RecomputeMemory(const ModelConfig& config, const Rope& rope, Options options)
    : FullMemory(config, rope), options_(options) {
  if (options_.first < 0 || options_.window <= options_.first)
    throw bad_recipe("a window of " + std::to_string(options_.window) + " tokens that begins with " +
                     std::to_string(options_.first) + " leaves room for none of the last");
  if (options_.window > config.context)
    throw bad_recipe("a window of " + std::to_string(options_.window) +
                     " tokens is larger than the model's context of " + std::to_string(config.context));
}

std::span<const std::int32_t> RecomputeMemory::replay(std::int32_t token) {
  if (static_cast<std::int64_t>(tokens_.size()) == options_.window)
    tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(options_.first));
  tokens_.push_back(token);
  count_ = 0;
  return tokens_;
}

void RecomputeMemory::save(Archive& group) const {
  group.set("policy", "recompute");
  group.set("tokens", tokens_);
}

void RecomputeMemory::load(const Archive& group) {
  if (group.get<std::string>("policy") != "recompute")
    throw bad_data("the saved memory is of another policy");
  tokens_ = group.get<std::vector<std::int32_t>>("tokens");
  if (static_cast<std::int64_t>(tokens_.size()) > options_.window)
    throw bad_data("the saved memory holds more tokens than its window");
  for (const std::int32_t token : tokens_)
    if (token < 0 || token >= config_->vocabulary)
      throw bad_data("the saved memory holds token " + std::to_string(token) + ", which the model lacks");
}

}  // namespace stream::llm
