/// Damages checkpoints in every way, then asks for a resume: the right output, or a refusal that names the
/// file.
#include <openssl/sha.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "hdf5/archive_file.hpp"
#include "stream/error.hpp"
#include "stream/random.hpp"
#include "trial.hpp"

namespace stream::campaign {
namespace {

constexpr std::size_t kTrailer = 64;

using Checkpoints = std::vector<std::string>;  ///< contents of run.h5, run.h5.1, ...

void put_back(Site& site, const std::string& outputs_from, const Checkpoints& checkpoints) {
  site.clear();
  for (const auto& name : site.pipeline().outputs) {
    std::filesystem::copy_file(std::filesystem::path(outputs_from) / name, site.folder() / name,
                               std::filesystem::copy_options::overwrite_existing);
  }
  for (std::size_t i = 0; i < checkpoints.size(); ++i)
    testing::write_contents(site.checkpoint() + (i == 0 ? "" : "." + std::to_string(i)), checkpoints[i]);
}

/// A run stopped on the way, with its outputs set aside in `aside`.
Checkpoints stop_on_the_way(Site& site, const std::filesystem::path& aside) {
  // Machines differ by orders of magnitude in speed: ever later, and over again when the run had ended by
  // then.
  int milliseconds = 10;
  for (int attempt = 0; attempt < 400; ++attempt) {
    site.clear();
    RunOptions options = site.resuming();
    options.max_time = std::chrono::milliseconds(milliseconds);
    if (const RunResult result = site.run(options); result.exit_code != 0)
      throw std::runtime_error(result.error);
    Checkpoints found;
    for (const char* suffix : {"", ".1", ".2"}) {
      if (std::filesystem::exists(site.checkpoint() + suffix))
        found.push_back(testing::contents(site.checkpoint() + suffix));
    }
    const bool finished = !found.empty() && read_archive(site.checkpoint()).get<bool>("finished");
    if (finished || found.size() < 2) {
      milliseconds = finished ? 10 : milliseconds + milliseconds / 4;
      continue;
    }
    for (const auto& name : site.pipeline().outputs)
      std::filesystem::copy_file(site.folder() / name, aside / name,
                                 std::filesystem::copy_options::overwrite_existing);
    return found;
  }
  throw std::runtime_error("no run could be stopped with two checkpoints");
}

/// The newest checkpoint is `damaged`: the one before must serve.
void resume_over(Site& site, const std::filesystem::path& aside, const Checkpoints& good,
                 const std::string& damaged, const std::string& how, Tally& tally) {
  Checkpoints now = good;
  now[0] = damaged;
  put_back(site, aside.string(), now);
  const RunResult result = site.run(site.resuming());
  tally.count("resumes with a damaged newest checkpoint: " + how);
  if (result.exit_code != 0 || !result.resumed)
    tally.failure(site.pipeline().name + ", " + how + ": " + std::to_string(result.exit_code) + " " +
                  result.error);
  else if (const std::string wrong = site.differences(); !wrong.empty())
    tally.failure(site.pipeline().name + ", " + how + ": " + wrong);
}

/// All checkpoints are damaged: refused, by name, and outputs stay as they are.
void refused(Site& site, const std::filesystem::path& aside, const Checkpoints& damaged, int exit_code,
             const std::string& words, const std::string& how, Tally& tally) {
  put_back(site, aside.string(), damaged);
  const RunResult result = site.run(site.resuming());
  tally.count("resumes refused by name: " + how);
  if (result.exit_code != exit_code || result.error.find(words) == std::string::npos ||
      result.error.find(site.checkpoint()) == std::string::npos)
    tally.failure(site.pipeline().name + ", " + how + ": " + std::to_string(result.exit_code) + " " +
                  result.error);
  for (const auto& name : site.pipeline().outputs) {
    if (testing::contents(site.folder() / name) != testing::contents(aside / name))
      tally.failure(site.pipeline().name + ", " + how + ": touched " + name);
  }
}

/// True when the reader refuses these bytes as damaged.
bool detected(const std::filesystem::path& scratch, const std::string& bytes, const std::string& how,
              Tally& tally) {
  testing::write_contents(scratch / "damaged.h5", bytes);
  try {
    read_archive((scratch / "damaged.h5").string());
  } catch (const Error& e) {
    return e.code() == ExitCode::kBadData &&
           std::string(e.what()).find((scratch / "damaged.h5").string()) != std::string::npos;
  } catch (const std::exception& e) {
    tally.failure(how + ": threw " + e.what());
  }
  return false;
}

std::vector<std::size_t> lengths(std::size_t whole) {
  std::vector<std::size_t> all = {0, 1, 2, 7, 8, 9, 63, 64, 65, 96, 511, 512, 513, whole / 2};
  for (const std::size_t from_end : {1, 2, 8, 32, 56, 63, 64, 65, 128, 512}) all.push_back(whole - from_end);
  for (std::size_t n = 1024; n < whole; n *= 2) all.insert(all.end(), {n - 1, n, n + 1});
  std::erase_if(all, [&](std::size_t n) { return n >= whole; });
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string with_digest(std::string bytes) {
  const std::size_t length = bytes.size() - kTrailer;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), length, digest);
  std::memcpy(bytes.data() + length + 24, digest, sizeof digest);
  return bytes;
}

/// Content that was changed by somebody who knows how to make a digest. It may be refused, or read as
/// something else; it may not end the process. Tried in a child, because it might.
void forged(const std::filesystem::path& scratch, const std::string& whole, Random& random, int count,
            Tally& tally) {
  const auto attempt = [&](std::uint64_t seed) {
    Random mine(seed);
    std::string bytes = whole;
    for (std::uint64_t changes = 1 + mine.below(4); changes > 0; --changes)
      bytes[mine.below(bytes.size() - kTrailer)] = static_cast<char>(mine.below(256));
    testing::write_contents(scratch / "forged.h5", with_digest(std::move(bytes)));
    try {
      read_archive((scratch / "forged.h5").string());
    } catch (const Error&) {
      return;  // refused
    }
  };
  constexpr int kTogether = 50;  // in one child
  for (int done = 0; done < count; done += kTogether) {
    const std::uint64_t seed = random();
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(60);
      for (int i = 0; i < kTogether; ++i) attempt(seed + static_cast<std::uint64_t>(i));
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    tally.count("forged checkpoints read (changed at random, digest made anew)", kTogether);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      tally.failure("forged with seeds " + std::to_string(seed) + " and 49 more: signal " +
                    std::to_string(WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  }
}

void damage_one(Site& site, const Options& options, Random& random, Tally& tally) {
  const testing::ScratchFolder aside, scratch;
  const Checkpoints good = stop_on_the_way(site, aside.path());
  const std::string& whole = good[0];
  const auto try_all = [&](const std::string& bytes, const std::string& how, bool resume) {
    tally.count("damaged archives read: " + how);
    if (!detected(scratch.path(), bytes, how, tally))
      tally.failure(site.pipeline().name + ", " + how + ": not detected");
    if (resume) resume_over(site, aside.path(), good, bytes, how, tally);
  };

  const auto cuts = lengths(whole.size());
  const std::size_t few = options.short_form ? 3 : cuts.size();
  for (std::size_t i = 0; i < cuts.size(); ++i)
    try_all(whole.substr(0, cuts[i]), "cut", i % (1 + cuts.size() / few) == 0);
  // Every byte of a small file, twenty thousand of a large one.
  const std::size_t step = options.short_form ? 97 : 1 + whole.size() / 20'000;
  const std::size_t resumes = options.short_form ? 2 : 60;
  for (std::size_t at = random.below(step); at < whole.size(); at += step) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    try_all(bytes, "one bit flipped", random.below(whole.size() / step) < resumes);
  }
  for (int i = 0; i < (options.short_form ? 2 : 100); ++i) {
    std::string bytes = whole;
    const std::size_t from = random.below(bytes.size()), size = 1 + random.below(bytes.size() - from);
    for (std::size_t j = from; j < from + size; ++j)
      bytes[j] = i % 2 == 0 ? '\0' : static_cast<char>(random.below(256));
    if (bytes != whole) try_all(bytes, "a part overwritten", i < 10);
  }
  try_all(whole + std::string(1 + random.below(5000), 'x'), "something behind it", true);
  try_all(std::string(whole.size(), '\0'), "all zeros", true);
  try_all("a text file that somebody gave the name of the checkpoint, longer than any trailer is", "a text",
          true);
  std::string newer = whole;
  newer[newer.size() - kTrailer + 8] = 2;
  try_all(newer, "a newer version of the file format", true);

  testing::write_contents(scratch / "whole.h5", whole);
  Archive future = read_archive((scratch / "whole.h5").string());
  future.set("checkpoint", std::int64_t{3});
  write_archive((scratch / "future.h5").string(), future);
  const std::string newer_checkpoint = testing::contents(scratch / "future.h5");
  resume_over(site, aside.path(), good, newer_checkpoint, "a newer version of checkpoints", tally);
  Archive other;
  other.set("weights", std::vector<float>{1, 2, 3});
  write_archive((scratch / "model.h5").string(), other);
  resume_over(site, aside.path(), good, testing::contents(scratch / "model.h5"), "a model", tally);

  refused(site, aside.path(), Checkpoints(good.size(), newer), 65, "has format version 2",
          "all of a newer version", tally);
  refused(site, aside.path(), Checkpoints(good.size(), newer_checkpoint), 65, "is a checkpoint of version 3",
          "all checkpoints of a newer version", tally);
  refused(site, aside.path(), Checkpoints(good.size(), whole.substr(0, whole.size() / 2)), 65,
          "no checkpoint can be used", "all cut", tally);
  Archive foreign = read_archive((scratch / "future.h5").string());
  foreign.set("checkpoint", std::int64_t{1});
  foreign.set("plan_digest", foreign.get<std::uint64_t>("plan_digest") ^ 1);
  foreign.set("recipe", "Somebody else's");
  write_archive((scratch / "foreign.h5").string(), foreign);
  Checkpoints strange = good;
  strange[0] = testing::contents(scratch / "foreign.h5");
  refused(site, aside.path(), strange, 78, "belongs to another recipe ('Somebody else's'",
          "of another recipe", tally);
  if (!options.short_form) forged(scratch.path(), whole, random, 2000, tally);
}

}  // namespace

int damage_campaign(const Options& options) {
  Random random(options.seed);
  Tally tally;
  for (const Pipeline& pipeline : pipelines(options.only)) {
    if (pipeline.heavy && options.only.empty()) continue;
    if (options.short_form && pipeline.name != "merge") continue;
    Site site(pipeline, random(), options.short_form ? 700 : 1500);
    damage_one(site, options, random, tally);
  }
  return tally.report("damage: checkpoints that are not what was written");
}

}  // namespace stream::campaign
