#include "prompt_output.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "fed_pipe.hpp"

namespace stream {
namespace {

/// A pipe whose writing end is known by a path.
struct Pipe {
  Pipe() {
    std::signal(SIGPIPE, SIG_IGN);
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  }
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
  std::string path() const { return "/dev/fd/" + std::to_string(ends[1]); }
  /// What is there within `patience` milliseconds.
  std::string read(int patience) {
    pollfd waiting{ends[0], POLLIN, 0};
    if (::poll(&waiting, 1, patience) <= 0) return {};
    std::string text(1000, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], text.data(), text.size()))));
    return text;
  }
  int ends[2];
};

TEST(PromptOutput, ShowsEveryItemOfABurstWithoutBeingAsked) {
  Pipe pipe;
  PromptOutput out(pipe.path());
  for (const char* word : {"one", "two", "three", "four"}) out.write(word, "\n");
  std::string seen;
  while (seen.size() < 19) {
    const std::string more = pipe.read(5000);
    ASSERT_FALSE(more.empty()) << "only '" << seen << "' appeared";
    seen += more;
  }
  EXPECT_EQ(seen, "one\ntwo\nthree\nfour\n");
}

/// As `tail -f` sees it. Only that it comes is asked, not how soon.
TEST(PromptOutput, ShowsAFileGrow) {
  const laws::ScratchFile file;
  PromptOutput out(file.path());
  for (const char* word : {"one", "two", "three"}) out.write(word, "\n");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (file.read() != "one\ntwo\nthree\n" && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(file.read(), "one\ntwo\nthree\n");
  EXPECT_EQ(out.offset(), 14u);
}

/// Pieces that the thread writes, items too large for one, and flushes between: all in order, offsets exact.
TEST(PromptOutput, KeepsTheOrderOfPiecesAndOfLargeItems) {
  const laws::ScratchFile file;
  PromptOutput out(file.path());
  std::string expected;
  for (int i = 0; i < 60'000; ++i) {
    std::string item = "item " + std::to_string(i);
    if (i % 9'973 == 9'972) item += std::string(300'000, static_cast<char>('a' + i % 26));
    out.write(item, "\n");
    expected += item + "\n";
    if (i % 17'011 != 17'010) continue;
    out.flush();
    EXPECT_EQ(file.read().size(), expected.size());
    EXPECT_EQ(out.offset(), expected.size());
  }
  EXPECT_EQ(out.offset(), expected.size());
  out.flush();
  EXPECT_TRUE(file.read() == expected);
}

/// The writer fills two pieces and waits: a reader who stands still holds it, and loses nothing.
TEST(PromptOutput, WaitsForAReaderWhoStandsStill) {
  Pipe pipe;
  std::atomic<int> written = 0;
  constexpr int kItems = 40'000;
  std::thread writer([&] {
    PromptOutput out(pipe.path());
    const std::string item(49, 'x');
    for (int i = 0; i < kItems; ++i) {
      out.write(item, "\n");
      ++written;
    }
    out.flush();
    ::close(std::exchange(pipe.ends[1], -1));
  });
  for (int last = -1; written.load() != last || last == 0;) {
    last = written.load();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_LT(written.load(), 14'000);  // two pieces of 256 KiB and the pipe's 64 KiB, of 50 bytes each
  std::size_t seen = 0;
  for (std::string more = pipe.read(5000); !more.empty(); more = pipe.read(5000)) seen += more.size();
  writer.join();
  EXPECT_EQ(seen, kItems * std::size_t{50});
}

TEST(PromptOutput, ReportsAClosedPipe) {
  Pipe pipe;
  PromptOutput out(pipe.path());
  out.write("x", "\n");
  ::close(std::exchange(pipe.ends[0], -1));
  EXPECT_THROW(
      {
        for (int i = 0; i < 10000; ++i) {
          out.write("y", "\n");
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      },
      ClosedPipe);
}

}  // namespace
}  // namespace stream
