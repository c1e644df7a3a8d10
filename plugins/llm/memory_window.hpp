/// Memory "window": the last n_recent tokens and nothing else, at places in the cache. StreamingLLM's
/// baseline, which fails once the first tokens have gone from models that lean on them.
#pragma once

#include "llm/memory_sink.hpp"

namespace stream::llm {

inline std::unique_ptr<Memory> window_memory(const ModelConfig& config, const Rope& rope,
                                             std::int64_t recent) {
  return std::make_unique<SinkMemory>(config, rope, SinkMemory::Options{.sinks = 0, .recent = recent});
}

}  // namespace stream::llm
