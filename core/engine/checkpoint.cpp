#include "engine/checkpoint.hpp"

#include <unistd.h>

#include "hdf5/archive_file.hpp"
#include "stream/file.hpp"
#include "stream/log.hpp"

namespace stream {
namespace {

constexpr std::int64_t kCheckpointVersion = 1;
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
  for (const auto& [index, state] : checkpoint.stages)
    archive.group("stages").put(std::to_string(index), state);
  // Complete and verified under another name first, so that the older ones move only when there is a newer
  // one.
  const std::string next = file + ".next";
  write_archive(next, archive);
  for (int n = std::min(keep, kMostKept) - 1; n > 0; --n) {
    const std::string from = numbered(file, n - 1), to = numbered(file, n);
    if (exists(from) && files().rename(from.c_str(), to.c_str()) != 0)
      throw cannot_write(to + ": cannot rename " + from + " to it");
  }
  commit_file(next, file);
}

std::optional<Checkpoint> read_checkpoint(const std::string& file, const Plan& plan) {
  std::string problems;
  // A run that was killed between two renames leaves its newest complete checkpoint as FILE.next.
  std::vector<std::string> candidates = {file + ".next"};
  for (int n = 0; n <= kMostKept; ++n) candidates.push_back(numbered(file, n));
  for (const auto& path : candidates) {
    if (!exists(path)) continue;
    try {
      return from_archive(path, read_archive(path), plan);
    } catch (const Error& e) {
      if (e.code() == ExitCode::kBadRecipe) throw;
      problems += (problems.empty() ? "" : "; ") + std::string(e.what());
      log_warning("", "checkpoint passed over: " + std::string(e.what()));
    }
  }
  if (!problems.empty()) throw bad_data("no checkpoint can be used: " + problems);
  return std::nullopt;
}

}  // namespace stream
