/// Checkpoints of a run: what is in them, how they replace each other, which one a resume takes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "plan/plan.hpp"
#include "stream/archive.hpp"

namespace stream {

/// One checkpoint: the plan that it belongs to and the state of every stage (chain), by index.
struct Checkpoint {
  std::uint64_t plan_digest = 0, seed = 0;
  bool finished = false;
  std::map<std::size_t, std::shared_ptr<Archive>> stages;
};

/// Writes FILE, keeping `keep - 1` older ones as FILE.1, FILE.2, ... Atomic at every instant: the newest good
/// one is always among them. Throws Error(kCannotWrite).
void write_checkpoint(const std::string& file, const Plan& plan, const Checkpoint& checkpoint, int keep);

/// The newest of FILE, FILE.1, ... that verifies; damaged ones are logged and passed over. Nothing when there
/// is none at all. Throws Error(kBadData) when there are some and none is good, Error(kBadRecipe) when it
/// belongs to another recipe.
std::optional<Checkpoint> read_checkpoint(const std::string& file, const Plan& plan);

}  // namespace stream
