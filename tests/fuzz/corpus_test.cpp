/// Every seed of the corpus, whole, cut and with single bytes changed, through its reader.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "stream/log.hpp"
#include "stream/random.hpp"
#include "target.hpp"

namespace stream::fuzz {
namespace {

class Corpus : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Corpus, EveryMutationEndsWellOrAsBadData) {
  set_log_sink([](LogLevel, std::string_view, std::string_view) {}, LogLevel::kError);
  const auto& target = kTargets[GetParam()];
  const auto folder = std::filesystem::path(STREAM_SOURCE_DIR) / "tests/fuzz/corpus" / target.name;
  std::size_t seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++seeds;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string seed{std::istreambuf_iterator<char>(in), {}};
    const auto run = [&](const std::string& bytes, const std::string& how) {
      EXPECT_NO_THROW(target.run({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}))
          << entry.path() << how;
    };
    run(seed, "");
    Random random(stable_hash(entry.path().filename().string()));
    for (int round = 0; round < 200; ++round) {
      std::string bytes = seed.substr(0, round % 2 == 0 ? seed.size() : random.below(seed.size() + 1));
      for (std::uint64_t changes = random.below(4); changes > 0 && !bytes.empty(); --changes) {
        bytes[random.below(std::min<std::size_t>(bytes.size(), round % 3 == 0 ? 64 : bytes.size()))] =
            static_cast<char>(random());
      }
      run(bytes, " in round " + std::to_string(round));
    }
  }
  EXPECT_GT(seeds, 0u) << folder;
}
INSTANTIATE_TEST_SUITE_P(Readers, Corpus, ::testing::Range<std::size_t>(0, std::size(kTargets)),
                         [](const auto& info) { return std::string(kTargets[info.param].name); });

}  // namespace
}  // namespace stream::fuzz
