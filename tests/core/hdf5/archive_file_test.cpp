/// Archives on disks that fail, and after a single flipped bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "hdf5/archive_file.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kTrailer = 64;

class ArchiveFile : public ::testing::Test {
 protected:
  std::string path(const char* name) const { return (folder_ / name).string(); }

  static std::string refusal_of(const std::string& file) {
    try {
      read_archive(file);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
      EXPECT_THAT(e.what(), HasSubstr(file));
      return e.what();
    }
    return "accepted";
  }
  ScratchFolder folder_;
};

TEST_F(ArchiveFile, EveryByteOfTheTrailerCounts) {
  Archive archive;
  archive.set("n", 7);
  write_archive(path("a.h5"), archive);
  const std::string whole = contents(path("a.h5"));
  for (std::size_t at = whole.size() - kTrailer; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      write_contents(path("b.h5"), bytes);
      EXPECT_NE(refusal_of(path("b.h5")), "accepted") << "byte " << at - (whole.size() - kTrailer);
    }
  }
}

/// Fails one write, or all from that one on.
struct Failing final : FileSystem {
  Failing(int at, bool lasting) : left(at), lasts(lasting) {}
  ssize_t write(int fd, const void* data, std::size_t size) override {
    const int now = left--;
    if (now > 0 || (now < 0 && !lasts)) return FileSystem::write(fd, data, size);
    errno = ENOSPC;
    return -1;
  }
  int left;
  bool lasts;
};

TEST_F(ArchiveFile, AWriteThatFailsInsideHdf5SaysWhyAndLeavesTheOldOne) {
  Archive archive;
  archive.set("weights", std::vector<float>(5000));
  for (int i = 0; i < 100; ++i) archive.group("g" + std::to_string(i % 7)).set("n" + std::to_string(i), i);
  write_archive(path("a.h5"), archive);
  const std::string old = contents(path("a.h5"));
  for (const bool lasting : {false, true}) {
    for (int at = 0;; ++at) {
      Failing failing(at, lasting);
      FileSystem* const before = swap_files(&failing);
      std::string message;
      try {
        write_archive(path("a.h5"), archive);
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ExitCode::kCannotWrite);
        message = e.what();
      }
      swap_files(before);
      if (failing.left >= 0) {
        EXPECT_GT(at, 5);
        EXPECT_EQ(message, "");
        break;
      }
      EXPECT_THAT(message, HasSubstr("a.h5")) << at;
      EXPECT_THAT(message, HasSubstr("No space left on device")) << at;
      EXPECT_EQ(contents(path("a.h5")), old);
      EXPECT_FALSE(std::filesystem::exists(path("a.h5.tmp")));
    }
  }
}

}  // namespace
}  // namespace stream::testing
