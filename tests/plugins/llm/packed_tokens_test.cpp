/// Packed token ids: files that TinyLlama's own code wrote (tests/golden/packed_tokens/make.py), and broken
/// ones.
#include "llm/packed_tokens.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>

#include "llm/llm_tokens.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::llm {
namespace {

using stream::testing::contents;
using stream::testing::ScratchFolder;
using stream::testing::write_contents;
using ::testing::HasSubstr;

const std::filesystem::path kPacked = STREAM_SOURCE_DIR "/tests/golden/packed_tokens";

std::vector<std::int32_t> all_of(const std::string& path, std::int64_t at_once = 1000) {
  PackedTokens packed(path);
  std::vector<std::int32_t> out;
  while (true) {
    const auto ids = packed.read(at_once);
    if (ids.empty()) return out;
    out.insert(out.end(), ids.begin(), ids.end());
  }
}

template <typename F>
std::string packed_fault(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
    return e.what();
  }
  return "(none)";
}

/// What make.py packed, separators behind it.
std::vector<std::int32_t> expected_ids() {
  std::vector<std::int32_t> out(200, 0);
  for (std::int32_t i = 0; i < 150; ++i) out[static_cast<std::size_t>(i)] = 1 + (7 * i + i * i) % 30;
  return out;
}

std::string packed(unsigned char kind, std::uint64_t count, const std::string& ids) {
  std::string out = "LITPKDS";
  out += std::string("\1\0\0\0\0\0\0\0", 8) + static_cast<char>(kind);
  out.append(reinterpret_cast<const char*>(&count), 8);
  return out + ids;
}

TEST(PackedTokens, AreThoseOfTheReference) {
  const auto expected = expected_ids();
  for (const std::int64_t at_once : {1, 7, 1000}) {
    auto ids = all_of((kPacked / "train_0000000000.bin").string(), at_once);
    const auto more = all_of((kPacked / "train_0000000001.bin").string(), at_once);
    ids.insert(ids.end(), more.begin(), more.end());
    EXPECT_EQ(ids, expected);
  }
  const auto wide = all_of((kPacked / "wide/train_0000000000.bin").string());
  ASSERT_EQ(wide.size(), 40u);
  for (std::int32_t i = 0; i < 40; ++i) EXPECT_EQ(wide[static_cast<std::size_t>(i)], 1000 * i);
}

TEST(PackedTokens, EveryKindOfInteger) {
  const ScratchFolder folder;
  const std::string path = (folder / "a.bin").string();
  const auto ids = [&](unsigned char kind, const std::string& bytes, std::uint64_t count) {
    write_contents(path, packed(kind, count, bytes));
    return all_of(path);
  };
  EXPECT_EQ(ids(1, "\xff\x01", 2), (std::vector<std::int32_t>{255, 1}));
  EXPECT_EQ(ids(2, "\x7f\x01", 2), (std::vector<std::int32_t>{127, 1}));
  EXPECT_EQ(ids(3, std::string("\xff\x7f", 2), 1), (std::vector<std::int32_t>{32767}));
  EXPECT_EQ(ids(4, std::string("\xff\xff\xff\x7f", 4), 1), (std::vector<std::int32_t>{2147483647}));
  EXPECT_EQ(ids(5, std::string("\x05\0\0\0\0\0\0\0", 8), 1), (std::vector<std::int32_t>{5}));
  EXPECT_EQ(ids(8, std::string("\xff\xff", 2), 1), (std::vector<std::int32_t>{65535}));
  EXPECT_TRUE(ids(8, "", 0).empty());
  EXPECT_THAT(packed_fault([&] { ids(2, "\x01\xff", 2); }),
              HasSubstr("a.bin: id -1 at offset 25, expected 0 to"));
  EXPECT_THAT(packed_fault([&] { ids(5, std::string("\0\0\0\x80\0\0\0\0", 8), 1); }),
              HasSubstr("id 2147483648 at offset 24"));
  for (const unsigned char kind : {0, 6, 7, 9, 255})
    EXPECT_THAT(packed_fault([&] { ids(kind, "12345678", 1); }),
                HasSubstr("a.bin: ids of kind " + std::to_string(kind) + " at offset 15"));
}

TEST(PackedTokens, EveryCutAndEveryChangedByteIsAnErrorOrHarmless) {
  const ScratchFolder folder;
  const std::string path = (folder / "a.bin").string(), whole = contents(kPacked / "train_0000000000.bin");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_contents(path, whole.substr(0, size));
    EXPECT_NE(packed_fault([&] { all_of(path); }), "(none)") << size;
  }
  for (std::size_t at = 0; at < 26; ++at)
    for (const unsigned char flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      write_contents(path, damaged);
      const std::string fault = packed_fault([&] { all_of(path); });
      EXPECT_EQ(fault == "(none)", at >= 24) << at << ": " << fault;
    }
  write_contents(path, whole + "x");
  EXPECT_THAT(packed_fault([&] { all_of(path); }),
              HasSubstr("has 225 bytes, expected 224 for the 100 ids of 2 bytes"));
  write_contents(path, packed(8, ~0ull, "1234"));
  EXPECT_THAT(packed_fault([&] { all_of(path); }),
              HasSubstr("ids at offset 16 are more than a file can hold"));
  write_contents(path, packed(8, 1ull << 50, "1234"));
  EXPECT_THAT(packed_fault([&] { all_of(path); }), HasSubstr("has 28 bytes, expected 2251799813685272"));
}

std::vector<std::vector<std::int32_t>> emitted(const Object& params) {
  const auto op = stream::testing::make<TokenSource>(params, Context{.node = "ids"});
  const auto out = stream::testing::drain(dynamic_cast<Source&>(*op));
  std::vector<std::vector<std::int32_t>> all;
  std::int64_t before = 0;
  for (const Packet& packet : out.packets[0]) {
    const auto values = packet.as<Tensor>().values<std::int32_t>();
    EXPECT_EQ(packet.time, Time{before});
    before += static_cast<std::int64_t>(values.size());
    all.emplace_back(values.begin(), values.end());
  }
  return all;
}

std::vector<std::int32_t> joined(const std::vector<std::vector<std::int32_t>>& parts) {
  std::vector<std::int32_t> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

TEST(TokenSource, FilesOfAFolderInTheOrderOfTheirNames) {
  const auto expected = expected_ids();
  const auto parts = emitted({{"path", kPacked.string()}, {"length", 30}});
  ASSERT_EQ(parts.size(), 8u) << "30, 30, 30 and 10 of each file";
  EXPECT_EQ(parts[3].size(), 10u);
  EXPECT_EQ(joined(parts), expected);
  const auto twice = joined(emitted({{"path", kPacked.string()}, {"times", 2}}));
  ASSERT_EQ(twice.size(), 400u);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), twice.begin() + 200));
  const auto some =
      joined(emitted({{"path", kPacked.string()}, {"times", 0}, {"tokens", 450}, {"length", 30}}));
  ASSERT_EQ(some.size(), 450u);
  EXPECT_TRUE(std::equal(some.begin() + 400, some.end(), expected.begin()));
}

TEST(TokenSource, WhatCannotBeRead) {
  const auto refused = [](const Object& params) -> std::string {
    try {
      emitted(params);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  const ScratchFolder folder;
  EXPECT_THAT(refused({{"path", folder.path().string()}}), HasSubstr("a folder without .bin files"));
  EXPECT_THAT(refused({{"path", (folder / "none.bin").string()}}), HasSubstr("none.bin"));
  EXPECT_THAT(refused({{"path", kPacked.string()}, {"times", 0}}), HasSubstr("times and tokens are both 0"));
  EXPECT_THAT(refused({{"path", "-"}, {"times", 2}}), HasSubstr("stdin is read once"));
  write_contents(folder / "empty.bin", packed(8, 0, ""));
  EXPECT_THAT(refused({{"path", folder.path().string()}, {"times", 3}}), HasSubstr("holds no ids"));
}

TEST(TokenSource, AnotherFileInItsPlaceIsNotReadOn) {
  const ScratchFolder folder;
  for (const char* name : {"a.bin", "c.bin"})
    std::filesystem::copy_file(kPacked / "train_0000000000.bin", folder / name);
  const Object params{{"path", folder.path().string()}, {"length", 100}};
  const auto first = stream::testing::make<TokenSource>(params, Context{.node = "ids"});
  stream::testing::Collector out;
  ASSERT_TRUE(dynamic_cast<Source&>(*first).read(out));
  const Archive state = stream::testing::saved(*first);
  std::filesystem::copy_file(kPacked / "train_0000000001.bin", folder / "b.bin");
  const auto second = stream::testing::make<TokenSource>(params, Context{.node = "ids"});
  EXPECT_THAT(packed_fault([&] { second->load(state); }), HasSubstr("was 'c.bin', and is now 'b.bin'"));
}

}  // namespace
}  // namespace stream::llm
