/// import and checkpoint, through the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "cli.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

std::string safetensors(float value) {
  const std::string header = R"({"enc.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::uint64_t length = header.size();
  const float data[2] = {value, 2};
  return std::string(reinterpret_cast<const char*>(&length), 8) + header +
         std::string(reinterpret_cast<const char*>(data), 8);
}

TEST(Archives, ImportShowVerifyDiff) {
  const ScratchFolder folder;
  write_contents(folder / "a.safetensors", safetensors(1));
  write_contents(folder / "b.safetensors", safetensors(3));
  for (const std::string name : {"a", "b"}) {
    const Outcome import = stream_run({"import", name + ".safetensors", name + ".h5"}, "", folder.path());
    EXPECT_EQ(import.exit_code, 0) << import.err;
    EXPECT_EQ(import.out, name + ".h5: 1 tensors, 8 B\n");
  }
  const Outcome show = stream_run({"checkpoint", "show", "a.h5"}, "", folder.path());
  EXPECT_EQ(show.out, "enc/        group         8 B\nenc/weight  float32  [2]  8 B\ntotal 8 B\n")
      << show.err;
  EXPECT_EQ(stream_run({"checkpoint", "verify", "a.h5", "b.h5"}, "", folder.path()).exit_code, 0);
  EXPECT_EQ(stream_run({"checkpoint", "diff", "a.h5", "a.h5"}, "", folder.path()).exit_code, 0);
  const Outcome diff = stream_run({"checkpoint", "diff", "a.h5", "b.h5"}, "", folder.path());
  EXPECT_EQ(diff.exit_code, 1);
  EXPECT_EQ(diff.out, "enc/weight  1 of 2 values differ\n");
}

TEST(Archives, ADamagedFileIsNamedWithCode65) {
  const ScratchFolder folder;
  write_contents(folder / "a.safetensors", safetensors(1));
  stream_run({"import", "a.safetensors", "a.h5"}, "", folder.path());
  std::string bytes = contents(folder / "a.h5");
  ASSERT_GT(bytes.size(), 1000u);
  bytes[900] = static_cast<char>(bytes[900] ^ 1);
  write_contents(folder / "a.h5", bytes);
  for (const char* verb : {"show", "verify"}) {
    const Outcome outcome = stream_run({"checkpoint", verb, "a.h5"}, "", folder.path());
    EXPECT_EQ(outcome.exit_code, 65);
    EXPECT_THAT(outcome.err, HasSubstr("a.h5: is damaged"));
  }
}

}  // namespace
}  // namespace stream::testing
