/// A process that makes, runs and drops 2000 more graphs holds no more memory, files or threads than after
/// the first 500.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/engine.hpp"
#include "recipe/recipe.hpp"
#include "registry/registry.hpp"

namespace stream {
namespace {

constexpr const char* kRecipe = R"(
[nodes.source]
use   = "records.generate"
count = 20
bytes = 64

[nodes.a]
use  = "identity"
from = "source"

[nodes.b]
use  = "identity"
from = "source"

[nodes.end]
use  = "discard"
from = ["a", "b"]
)";

std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

/// Resident bytes, without what the allocator merely keeps for later.
std::size_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

struct Holdings {
  std::size_t bytes, files, threads;
};
Holdings holdings() { return {resident_bytes(), entries("/proc/self/fd"), entries("/proc/self/task")}; }

TEST(Soak, ThousandsOfGraphsLeaveNothingBehind) {
  Registry registry;
  registry.scan({STREAM_BINARY_DIR "/lib/stream/plugins"});
  const auto cycle = [&] {
    Diagnostics diagnostics;
    const Plan plan = plan_recipe_text(kRecipe, registry, {}, diagnostics);
    ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.text();
    RunOptions options;
    options.threads = 2;
    options.handle_signals = false;
    const RunResult result = engine().run(plan, registry, options, {});
    ASSERT_EQ(result.exit_code, 0) << result.error;
  };
  for (int i = 0; i < 500; ++i) cycle();
  const Holdings before = holdings();
  for (int i = 0; i < 2000; ++i) cycle();
  const Holdings after = holdings();
  EXPECT_LE(after.files, before.files);
  EXPECT_LE(after.threads, before.threads);
  // A leak of one small packet for each graph would be 1000 x 20 x 64 bytes (2000 graphs, twice that);
  // sanitizers quarantine what is freed.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LE(after.bytes, before.bytes + 1'000'000);
#endif
}

}  // namespace
}  // namespace stream
