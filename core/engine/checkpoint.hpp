/// Checkpoints of a run: what is in them, how they replace each other, which one a resume takes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "plan/plan.hpp"
#include "stream/archive.hpp"

namespace stream {

/// Bytes by node, of sinks whose output cannot be taken back.
using Delivered = std::map<std::string, std::uint64_t>;

/// One checkpoint: the plan that it belongs to and the state of every stage (chain), by index.
struct Checkpoint {
  std::uint64_t plan_digest = 0, seed = 0;
  bool finished = false;
  Delivered delivered;
  std::map<std::size_t, std::shared_ptr<Archive>> stages;
};

/// Writes FILE, keeping `keep - 1` older ones as FILE.1, FILE.2, ... At every instant the newest good one is
/// among them. Throws Error(kCannotWrite), and leaves nothing half-written behind.
void write_checkpoint(const std::string& file, const Plan& plan, const Checkpoint& checkpoint, int keep);

/// The newest of FILE, FILE.1, ... that verifies; damaged ones are logged and passed over. So are those whose
/// sinks had delivered more than the readers `received`. Nothing when there is none at all. Throws
/// Error(kBadData) when there are some and none is good, Error(kNoInput) when none can be read,
/// Error(kBadRecipe) when it belongs to another recipe.
std::optional<Checkpoint> read_checkpoint(const std::string& file, const Plan& plan,
                                          const Delivered& received = {});

/// What its sinks had delivered at the barrier.
Delivered delivered_in(const Checkpoint& checkpoint);

/// Removes what an earlier run left under these names, before one that starts from the beginning empties its
/// outputs: whoever resumed from there would put the old run's half behind the new one's. Files that are no
/// archives stay. Throws Error(kCannotWrite).
void retire_checkpoints(const std::string& file);

}  // namespace stream
