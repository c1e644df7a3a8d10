#include "trial.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>
#include <stdexcept>

#include "recipe/recipe.hpp"
#include "registry/registry.hpp"

namespace stream::campaign {
namespace {

constexpr std::size_t kPrinted = 20;

Registry& registry() {
  static Registry* const all = [] {
    auto* r = new Registry;
    r->scan({STREAM_BINARY_DIR "/lib/stream/plugins", CAMPAIGN_PLUGINS});
    return r;
  }();
  return *all;
}

std::size_t first_difference(const std::string& a, const std::string& b) {
  const std::size_t common = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin()).first - a.begin());
}

}  // namespace

RunResult run_recipe_in(const std::filesystem::path& folder, RunOptions options, FileSystem* files) {
  Diagnostics diagnostics;
  const Plan plan = plan_recipe((folder / "recipe.toml").string(), registry(), {}, diagnostics);
  diagnostics.check();
  options.handle_signals = false;
  FileSystem* const before = swap_files(files);
  RunResult result = engine().run(plan, registry(), options, {});
  swap_files(before);
  return result;
}

RunOptions resuming_in(const std::filesystem::path& folder) {
  RunOptions options;
  options.threads = 2;
  options.checkpoint = (folder / "run.h5").string();
  options.every = std::chrono::milliseconds(1);
  options.resume = true;
  return options;
}

void Tally::count(const std::string& what, std::size_t by) {
  const auto found =
      std::find_if(counts_.begin(), counts_.end(), [&](const auto& entry) { return entry.first == what; });
  if (found == counts_.end())
    counts_.emplace_back(what, by);
  else
    found->second += by;
}

std::size_t Tally::of(const std::string& what) const {
  const auto found =
      std::find_if(counts_.begin(), counts_.end(), [&](const auto& entry) { return entry.first == what; });
  return found == counts_.end() ? 0 : found->second;
}

void Tally::failure(const std::string& what) {
  if (++failures_ <= kPrinted) std::fprintf(stderr, "campaign: FAILED: %s\n", what.c_str());
}

int Tally::report(const std::string& heading) const {
  std::printf("%s\n", heading.c_str());
  for (const auto& [what, number] : counts_) std::printf("  %8zu  %s\n", number, what.c_str());
  std::printf("  %8zu  failures\n", failures_);
  std::fflush(stdout);
  return failures_ == 0 ? 0 : 1;
}

Site::Site(const Pipeline& pipeline, std::uint64_t seed, int length) : pipeline_(pipeline) {
  pipeline_.make_inputs(folder(), seed, length);
  testing::write_contents(folder() / "recipe.toml", recipe_in(pipeline_, folder()));
  RunOptions plain;
  plain.threads = 2;
  const RunResult result = run(plain);
  if (result.exit_code != 0)
    throw std::runtime_error(pipeline_.name + ": the undisturbed run fails: " + result.error);
  seconds_ = result.metrics.wall_seconds;
  for (const auto& name : pipeline_.outputs) {
    expected_[name] = testing::contents(folder() / name);
    if (expected_[name].empty()) throw std::runtime_error(pipeline_.name + ": nothing in " + name);
  }
  clear();
}

void Site::clear() {
  std::set<std::string> stay(pipeline_.inputs.begin(), pipeline_.inputs.end());
  stay.insert("recipe.toml");
  std::vector<std::filesystem::path> go;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (!stay.contains(entry.path().filename().string())) go.push_back(entry.path());
  }
  for (const auto& path : go) std::filesystem::remove_all(path);
}

testing::Program Site::program(int threads) const {
  testing::Program program;
  program.argv = {kStream,
                  "run",
                  (folder() / "recipe.toml").string(),
                  "--checkpoint",
                  checkpoint(),
                  "--every",
                  "1ms",
                  "--resume",
                  "--threads",
                  std::to_string(threads)};
  program.environment = {"STREAM_PLUGIN_PATH=" CAMPAIGN_PLUGINS};
  return program;
}

std::string Site::take_output(const std::string& name) {
  std::erase(pipeline_.outputs, name);
  std::string text = testing::contents(folder() / "recipe.toml");
  const std::string path = (folder() / name).string();
  text.replace(text.find(path), path.size(), "-");
  testing::write_contents(folder() / "recipe.toml", text);
  return expected_.extract(name).mapped();
}

std::string Site::strays() const {
  std::set<std::string> known(pipeline_.inputs.begin(), pipeline_.inputs.end());
  known.insert(pipeline_.outputs.begin(), pipeline_.outputs.end());
  known.insert({"recipe.toml", "run.h5", "run.h5.1", "run.h5.2"});
  std::string found;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    const std::string name = entry.path().filename().string();
    if (!known.contains(name)) found += (found.empty() ? "left lying: " : ", ") + name;
  }
  return found;
}

std::string Site::differences() const {
  std::string found = strays();
  for (const auto& [name, expected] : expected_) {
    const std::string is = std::filesystem::exists(folder() / name) ? testing::contents(folder() / name) : "";
    if (is == expected) continue;
    found += (found.empty() ? "" : "; ") + name + " has " + std::to_string(is.size()) + " bytes for " +
             std::to_string(expected.size()) + ", differs from byte " +
             std::to_string(first_difference(is, expected));
  }
  return found;
}

}  // namespace stream::campaign
