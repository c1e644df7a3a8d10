/// Files as runs need them: durable, cut on resume, honest about what they cannot do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "program/program.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// In place for its lifetime.
class Swapped : public FileSystem {
 public:
  Swapped() : before_(swap_files(this)) {}
  ~Swapped() override { swap_files(before_); }

 private:
  FileSystem* before_;
};

/// A descriptor that stands for another for its lifetime.
class Redirected {
 public:
  Redirected(int standard, const std::string& path, int flags, off_t at = 0)
      : standard_(standard), saved_(::dup(standard)) {
    const int fd = ::open(path.c_str(), flags);
    ::lseek(fd, at, SEEK_SET);
    ::dup2(fd, standard);
    ::close(fd);
  }
  ~Redirected() {
    ::dup2(saved_, standard_);
    ::close(saved_);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  int standard_, saved_;
};

class FileTest : public ::testing::Test {
 protected:
  std::string path(const char* name) const { return (folder_ / name).string(); }
  ScratchFolder folder_;
};

std::string error_of(const std::function<void()>& action, ExitCode expected) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), expected) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST_F(FileTest, TheFirstSyncAlsoMakesTheNameDurable) {
  struct : Swapped {
    int open(const char* name, int flags, int mode) override {
      const int fd = FileSystem::open(name, flags, mode);
      if ((flags & O_DIRECTORY) != 0) folder = fd;
      return fd;
    }
    int fsync(int fd) override {
      synced.emplace_back(fd == folder ? "folder" : "file");
      return FileSystem::fsync(fd);
    }
    int folder = -1;
    std::vector<std::string> synced;
  } watched;
  OutputFile out(path("new"));
  out.write(std::string_view("x"));
  out.flush();
  out.sync();
  out.sync();
  EXPECT_THAT(watched.synced, ElementsAre("file", "folder", "file"));
}

TEST_F(FileTest, OffsetsOfStdinCountFromWhereItWasHandedOver) {
  write_contents(path("in"), "read before: 0123456789");
  const Redirected redirected(STDIN_FILENO, path("in"), O_RDONLY, 13);
  InputFile in("-");
  EXPECT_EQ(in.size(), 10u);
  in.skip_to(4);
  std::array<std::byte, 3> piece{};
  ASSERT_EQ(in.read(piece).size, 3u);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(piece.data()), 3), "456");
  EXPECT_THAT(error_of([&] { InputFile("-").skip_to(11); }, ExitCode::kNoInput), HasSubstr("before byte 11"));
}

TEST_F(FileTest, StdoutThatIsAFileIsCutOnResume) {
  write_contents(path("out"), "before one two");
  {
    const Redirected redirected(STDOUT_FILENO, path("out"), O_WRONLY | O_APPEND);
    OutputFile out("-");
    EXPECT_EQ(out.offset(), 14u);
    EXPECT_FALSE(out.irrevocable());
    out.resume_at(10);
    out.write(std::string_view(" three"));
    out.flush();
  }
  EXPECT_EQ(contents(path("out")), "before one three");
}

TEST_F(FileTest, StdoutThatTheShellHasEmptiedIsRefusedOnResume) {
  write_contents(path("out"), "");
  const Redirected redirected(STDOUT_FILENO, path("out"), O_WRONLY);
  OutputFile out("-");
  EXPECT_THAT(error_of([&] { out.resume_at(10); }, ExitCode::kCannotWrite), HasSubstr(">> FILE"));
}

TEST_F(FileTest, WhatAReaderHasIsCountedButNotWrittenAgain) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    OutputFile out("/proc/self/fd/" + std::to_string(ends[1]));
    EXPECT_TRUE(out.irrevocable());
    out.resume_at(100);
    out.skip_delivered(107);
    for (const char* piece : {"1234", "5678", "90"}) {
      out.write(std::string_view(piece));
      out.flush();
    }
    EXPECT_EQ(out.offset(), 110u);
  }
  ::close(ends[1]);
  std::array<char, 16> buffer{};
  EXPECT_EQ(::read(ends[0], buffer.data(), buffer.size()), 3);
  EXPECT_EQ(std::string(buffer.data()), "890");
  ::close(ends[0]);
}

TEST_F(FileTest, AFileSystemThatTakesNothingIsGivenUp) {
  struct : Swapped {
    ssize_t write(int, const void*, std::size_t) override { return 0; }
  } stuck;
  EXPECT_THAT(error_of([&] { write_atomically(path("a"), "text"); }, ExitCode::kCannotWrite),
              HasSubstr("nothing more can be written at byte 0"));
  EXPECT_FALSE(std::filesystem::exists(path("a.tmp")));
}

TEST_F(FileTest, AnInterruptedCloseOrCutIsNoFailure) {
  struct : Swapped {
    int close(int fd) override {
      FileSystem::close(fd);
      errno = EINTR;
      return -1;
    }
    int ftruncate(int fd, off_t size) override {
      if (interrupted++ > 0) return FileSystem::ftruncate(fd, size);
      errno = EINTR;
      return -1;
    }
    int interrupted = 0;
  } interrupting;
  write_atomically(path("a"), "text");
  EXPECT_EQ(contents(path("a")), "text");
  OutputFile(path("a")).resume_at(2);
  EXPECT_EQ(contents(path("a")), "te");
}

TEST_F(FileTest, AFolderThatMayNotBeReadIsNoObstacle) {
  struct : Swapped {
    int open(const char* name, int flags, int mode) override {
      if ((flags & O_DIRECTORY) == 0) return FileSystem::open(name, flags, mode);
      errno = EACCES;
      return -1;
    }
  } locked;
  write_atomically(path("a"), "text");
  EXPECT_EQ(contents(path("a")), "text");
}

}  // namespace
}  // namespace stream::testing
