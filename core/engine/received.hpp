/// What the readers of pipes have already, as `--received` says it.
#pragma once

#include <vector>

#include "engine/checkpoint.hpp"
#include "engine/engine.hpp"

namespace stream {

/// Each with its sink. Throws Error(kUsage) for a name that is none of the plan's sinks, and for bytes
/// without one where there are several.
Delivered received_by_node(const std::vector<RunOptions::Received>& received, const Plan& plan);

/// Throws Error(kBadData) when a reader claims more than there turned out to be.
void require_made(const Delivered& received, const Delivered& made);

}  // namespace stream
