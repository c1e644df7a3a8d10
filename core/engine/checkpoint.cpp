#include "engine/checkpoint.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hdf5/archive_library.hpp"
#include "stream/file.hpp"
#include "stream/log.hpp"

namespace stream {
namespace {

constexpr std::int64_t kCheckpointVersion = 2;  // from 2 on, keys are packed
constexpr int kMostKept = 100;

std::string numbered(const std::string& file, int n) {
  return n == 0 ? file : file + "." + std::to_string(n);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Checkpoint from_archive(const std::string& path, const Archive& archive, const Plan& plan) {
  if (!archive.has("checkpoint")) throw bad_data(path + ": is an archive, but no checkpoint");
  const auto version = archive.get<std::int64_t>("checkpoint");
  if (version > kCheckpointVersion) {
    throw bad_data(path + ": is a checkpoint of version " + std::to_string(version) +
                   ", this program reads up to " + std::to_string(kCheckpointVersion) +
                   ": use a newer stream");
  }
  Checkpoint checkpoint;
  checkpoint.plan_digest = archive.get<std::uint64_t>("plan_digest");
  checkpoint.seed = archive.get<std::uint64_t>("seed");
  checkpoint.finished = archive.get<bool>("finished");
  if (checkpoint.plan_digest != plan.digest()) {
    throw bad_recipe(
        path + ": belongs to another recipe ('" + archive.get<std::string>("recipe") +
        "', or this one before its nodes, edges or parameters were changed); remove it to start anew");
  }
  if (archive.has("delivered")) {
    const Archive& delivered = archive.group("delivered");
    for (const auto& [node, bytes] : delivered.entries())
      checkpoint.delivered[node] = delivered.get<std::uint64_t>(node);
  }
  const Archive& stages = archive.group("stages");
  for (std::size_t i = 0; stages.has(std::to_string(i)); ++i) {
    checkpoint.stages[i] = std::make_shared<Archive>(stages.group(std::to_string(i)));
  }
  if (checkpoint.stages.size() != plan.chains.size())
    throw bad_data(path + ": does not hold every part of the graph");
  return checkpoint;
}

}  // namespace

void write_checkpoint(const std::string& file, const Plan& plan, const Checkpoint& checkpoint, int keep) {
  Archive archive;
  archive.set("checkpoint", kCheckpointVersion);
  archive.set("plan_digest", checkpoint.plan_digest);
  archive.set("recipe", plan.title.empty() ? plan.file : plan.title);
  archive.set("seed", checkpoint.seed);
  archive.set("finished", checkpoint.finished);
  for (const auto& [node, bytes] : checkpoint.delivered) archive.group("delivered").set(node, bytes);
  for (const auto& [index, state] : checkpoint.stages)
    archive.group("stages").put(std::to_string(index), state);
  // Complete and verified under another name first, so that the older ones move only when there is a newer
  // one. Until it has its name the newest is FILE.1.
  const std::string next = file + ".tmp";
  archive_library().write_beside(next, file, archive);
  for (int n = std::min(keep, kMostKept) - 1; n > 0; --n) {
    const std::string from = numbered(file, n - 1), to = numbered(file, n);
    if (!exists(from) || files().rename(from.c_str(), to.c_str()) == 0) continue;
    const std::string why = std::strerror(errno);
    files().unlink(next.c_str());
    throw cannot_write(to + ": cannot rename " + from + " to it: " + why);
  }
  commit_file(next, file);
}

std::optional<Checkpoint> read_checkpoint(const std::string& file, const Plan& plan,
                                          const Delivered& received) {
  const auto ahead_of_reader = [&](const Checkpoint& checkpoint) {
    return std::any_of(received.begin(), received.end(), [&](const auto& r) {
      const auto found = checkpoint.delivered.find(r.first);
      return found != checkpoint.delivered.end() && found->second > r.second;
    });
  };
  std::string problems;
  bool any_good = false, any_damaged = false;
  for (int n = 0; n <= kMostKept; ++n) {
    const std::string path = numbered(file, n);
    if (!exists(path)) continue;
    try {
      Checkpoint found = from_archive(path, archive_library().map(path), plan);
      if (!ahead_of_reader(found)) return found;
      any_good = true;
    } catch (const Error& e) {
      if (e.code() == ExitCode::kBadRecipe) throw;
      any_damaged = any_damaged || e.code() != ExitCode::kNoInput;
      problems += (problems.empty() ? "" : "; ") + std::string(e.what());
      log_warning("", "checkpoint passed over: " + std::string(e.what()));
    }
  }
  if (!problems.empty() && !any_good) {
    throw Error(any_damaged ? ExitCode::kBadData : ExitCode::kNoInput,
                "no checkpoint can be used: " + problems);
  }
  return std::nullopt;
}

Delivered delivered_in(const Checkpoint& checkpoint) {
  Delivered all;
  for (const auto& [index, stage] : checkpoint.stages) {
    const Archive& nodes = stage->group("nodes");
    for (const auto& [id, entry] : nodes.entries()) {
      if (const Archive& node = nodes.group(id); node.has("delivered"))
        all[id] = node.get<std::uint64_t>("delivered");
    }
  }
  return all;
}

void retire_checkpoints(const std::string& file) {
  bool removed = false;
  for (int n = 0; n <= kMostKept; ++n) {
    const std::string path = numbered(file, n);
    if (!exists(path) || !archive_library().is_archive(path)) continue;
    if (files().unlink(path.c_str()) != 0 && errno != ENOENT)
      throw cannot_write(path +
                         ": cannot be removed, and belongs to an earlier run: " + std::strerror(errno));
    removed = true;
  }
  if (removed) sync_folder_of(file);
}

}  // namespace stream
