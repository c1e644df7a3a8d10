#include <gmock/gmock.h>

#include <future>

#include "bytes_read.hpp"
#include "bytes_write.hpp"
#include "fed_pipe.hpp"
#include "laws.hpp"
#include "text_read.hpp"
#include "text_write.hpp"

namespace stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What a source of `bytes` emits, and the error that ended it, if one did.
struct Read {
  std::vector<std::string> lines;
  std::string error;
  ExitCode code = ExitCode::kOk;
};

Read read_text(const std::string& path, Object params = {}) {
  params.set("path", path);
  const auto op = testing::make<TextRead>(params);
  testing::Collector out;
  Read result;
  try {
    while (dynamic_cast<Source&>(*op).read(out)) {
    }
  } catch (const Error& e) {
    result.error = e.what();
    result.code = e.code();
  }
  for (const Packet& packet : out.packets[0]) result.lines.emplace_back(packet.as<Text>().str());
  return result;
}
Read read_text_of(const std::string& bytes, const Object& params = {}) {
  const laws::ScratchFile file(bytes);
  return read_text(file.path(), params);
}

TEST(TextRead, CutsLines) {
  EXPECT_THAT(read_text_of("").lines, IsEmpty());
  EXPECT_THAT(read_text_of("\n").lines, ElementsAre(""));
  EXPECT_THAT(read_text_of("a\n\nb").lines, ElementsAre("a", "", "b"));
  EXPECT_THAT(read_text_of("a\r\nb\rc\r\n\r\n").lines, ElementsAre("a", "b\rc", ""));
  EXPECT_THAT(read_text_of("a\r\n", {{"keep_cr", true}}).lines, ElementsAre("a\r"));
  EXPECT_THAT(read_text_of("\xEF\xBB\xBFx\n\xEF\xBB\xBFy\n").lines, ElementsAre("x", "\xEF\xBB\xBFy"));
  EXPECT_THAT(read_text_of(std::string("a\0b\n", 4)).lines, ElementsAre(std::string("a\0b", 3)));
}

TEST(TextRead, StampsLinesWithTheirIndex) {
  const laws::ScratchFile file("a\nb\nc\n");
  const auto op = testing::make<TextRead>({{"path", file.path()}});
  const auto out = testing::drain(dynamic_cast<Source&>(*op));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(out.packets[0].at(i).time.count(), static_cast<std::int64_t>(i));
}

TEST(TextRead, NamesLineAndByteOfInvalidUtf8AfterEverythingBefore) {
  const Read read = read_text_of(
      "good\nb\xFF"
      "d\nnever\n");
  EXPECT_THAT(read.lines, ElementsAre("good"));
  EXPECT_EQ(read.code, ExitCode::kBadData);
  EXPECT_THAT(read.error, HasSubstr("line 2: invalid UTF-8 at byte 6"));
}

TEST(TextRead, ReplacesInvalidUtf8OnRequest) {
  EXPECT_THAT(read_text_of("a\xFF\nb\n", {{"invalid", "replace"}}).lines, ElementsAre("a\xEF\xBF\xBD", "b"));
}

TEST(TextRead, LongLinesAreAnErrorHoweverTheyArrive) {
  const std::string bytes = "short\n" + std::string(200000, 'x') + "\nlast\n";
  const Object limit{{"max_line", 100000}};
  for (const std::size_t most : {1000, 1000000}) {
    const laws::FedPipe pipe(bytes, most);
    const Read read = read_text(pipe.path(), limit);
    EXPECT_THAT(read.lines, ElementsAre("short"));
    EXPECT_EQ(read.code, ExitCode::kBadData);
    EXPECT_THAT(read.error, HasSubstr("line 2 (byte 6) is longer than max_line = 100000"));
  }
  EXPECT_EQ(read_text_of(bytes).lines.size(), 3u);
}

TEST(TextRead, ALineOfExactlyTheLimitPasses) {
  EXPECT_THAT(read_text_of("abc\r\nabcd\n", {{"max_line", 3}}).lines, ElementsAre("abc"));
  EXPECT_THAT(read_text_of("abc\r\n", {{"max_line", 3}}).error, IsEmpty());
}

TEST(TextRead, DeliversALineOfALivePipeAtOnce) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto op = testing::make<TextRead>({{"path", "/dev/fd/" + std::to_string(ends[0])}});
  auto& source = dynamic_cast<Source&>(*op);
  testing::Collector out;
  ASSERT_EQ(::write(ends[1], "first\nsec", 9), 9);
  ASSERT_TRUE(source.read(out));
  ASSERT_EQ(out.packets[0].size(), 1u);
  ASSERT_EQ(::write(ends[1], "ond\n", 4), 4);
  ASSERT_TRUE(source.read(out));
  EXPECT_EQ(out.packets[0].at(1).as<Text>().str(), "second");
  // Nothing is there now: only an interruption ends the wait.
  auto waiting = std::async(std::launch::async, [&] { return source.read(out); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  source.interrupt();
  EXPECT_TRUE(waiting.get());
  EXPECT_EQ(out.packets[0].size(), 2u);
  // And reading goes on.
  ASSERT_EQ(::write(ends[1], "third\n", 6), 6);
  ASSERT_TRUE(source.read(out));
  EXPECT_EQ(out.packets[0].at(2).as<Text>().str(), "third");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(TextRead, MissingFileAndFolder) {
  EXPECT_THROW(testing::make<TextRead>({{"path", "/nowhere/x"}}), Error);
  EXPECT_THROW(testing::make<TextRead>({{"path", "/tmp"}}), Error);
}

TEST(TextRead, AnyCutOfAnInputIsHandled) {
  const std::string bytes = "\xEF\xBB\xBFone\r\n\xE2\x82\xAC\n\nlast";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Read read = read_text_of(bytes.substr(0, cut));
    EXPECT_TRUE(read.code == ExitCode::kOk || read.code == ExitCode::kBadData) << cut;
  }
}

template <typename Op>
void write_all(const std::string& path, const std::vector<Packet>& packets) {
  const auto op = testing::make<Op>({{"path", path}});
  testing::run(*op, packets);
  dynamic_cast<Sink&>(*op).flush();
}

std::vector<Packet> three_lines() {
  return {Packet::of<Text>(Time{0}, "one"), Packet::of<Text>(Time{1}, ""),
          Packet::of<Text>(Time{2}, "three")};
}

TEST(TextWrite, EndsEveryLine) {
  const laws::ScratchFile file("old content");
  write_all<TextWrite>(file.path(), three_lines());
  EXPECT_EQ(file.read(), "one\n\nthree\n");
}

TEST(TextWrite, AnEmptyStreamEmptiesTheFile) {
  const laws::ScratchFile file("old");
  write_all<TextWrite>(file.path(), {});
  EXPECT_EQ(file.read(), "");
}

TEST(TextWrite, ResumingTakesBackWhatTheCheckpointDoesNotCover) {
  for (std::size_t stop = 0; stop <= 3; ++stop) {
    const laws::ScratchFile file;
    const auto lines = three_lines();
    Archive state;
    testing::Collector none;
    {
      const auto op = testing::make<TextWrite>({{"path", file.path()}});
      for (std::size_t i = 0; i < stop; ++i) op->process(lines[i], none);
      dynamic_cast<Sink&>(*op).flush();
      state = testing::saved(*op);
      for (std::size_t i = stop; i < 3; ++i) op->process(lines[i], none);  // the run goes on, then dies
      dynamic_cast<Sink&>(*op).flush();
    }
    const auto op = testing::make<TextWrite>({{"path", file.path()}});
    op->load(state);
    for (std::size_t i = stop; i < 3; ++i) op->process(lines[i], none);
    dynamic_cast<Sink&>(*op).flush();
    EXPECT_EQ(file.read(), "one\n\nthree\n") << stop;
  }
}

TEST(TextWrite, RefusesAFileThatCannotBeWritten) {
  const auto op = testing::make<TextWrite>({{"path", "/nowhere/x"}});
  testing::Collector none;
  try {
    op->process(three_lines()[0], none);
    dynamic_cast<Sink&>(*op).flush();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kCannotWrite);
    EXPECT_THAT(e.what(), HasSubstr("/nowhere/x"));
  }
}

TEST(Bytes, ComeBackAsTheyWere) {
  Random random(2);
  std::string bytes(100000, ' ');
  for (char& c : bytes) c = static_cast<char>(random());
  const laws::ScratchFile in(bytes), out;
  const auto source = testing::make<BytesRead>({{"path", in.path()}, {"block", 777}});
  write_all<BytesWrite>(out.path(), testing::drain(dynamic_cast<Source&>(*source)).packets[0]);
  EXPECT_EQ(out.read(), bytes);
}

}  // namespace
}  // namespace stream
