/// The laws for every operator of the formats and of plugins/basics that has an output; sink_laws_test.cpp
/// has the others.
#include <gmock/gmock.h>

#include "audio_gain.hpp"
#include "audio_read.hpp"
#include "bytes_read.hpp"
#include "csv_to_record.hpp"
#include "delay.hpp"
#include "evaluate_prequential.hpp"
#include "fed_pipe.hpp"
#include "identity.hpp"
#include "jsonl_read.hpp"
#include "laws.hpp"
#include "record_to_csv.hpp"
#include "record_to_text.hpp"
#include "records_generate.hpp"
#include "text_read.hpp"
#include "text_to_record.hpp"

namespace stream {
namespace {

template <typename Op>
laws::Subject subject(Object params = {}) {
  return {[params] { return testing::make<Op>(params); }, Op::spec().contract()};
}

std::vector<Packet> texts() {
  std::vector<Packet> packets;
  for (int i = 0; i < 20; ++i)
    packets.push_back(Packet::of<Text>(Time{i * 10}, "text " + std::to_string(i * 7 % 13)));
  return packets;
}

std::vector<Packet> records() {
  std::vector<Packet> packets;
  for (int i = 0; i < 20; ++i)
    packets.push_back(Packet::of<Record>(Time{i * 10}, Object{{"text", i % 2 ? Value("x") : Value(i)}}));
  return packets;
}

std::vector<Packet> audio() {
  std::vector<Packet> packets;
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    std::vector<float> samples(32);
    for (float& x : samples) x = static_cast<float>(random.uniform(-1, 1));
    packets.push_back(Packet::of<Audio>(duration_of(16 * i, 16000), std::move(samples), 2, 16000));
    packets.back().duration = duration_of(16, 16000);
  }
  return packets;
}

TEST(Laws, Identity) { laws::check_all(subject<Identity>(), texts()); }
TEST(Laws, Delay) { laws::check_all(subject<Delay>({{"milliseconds", 0.001}}), texts()); }
TEST(Laws, AudioGain) { laws::check_all(subject<AudioGain>({{"db", -6.0}}), audio()); }
TEST(Laws, TextToRecord) { laws::check_all(subject<TextToRecord>(), texts()); }
TEST(Laws, CsvToRecord) { laws::check_all(subject<CsvToRecord>(), texts()); }
TEST(Laws, RecordToCsv) { laws::check_all(subject<RecordToCsv>(), records()); }
TEST(Laws, RecordToText) { laws::check_all(subject<RecordToText>(), records()); }
TEST(Laws, EvaluatePrequential) {
  std::vector<Packet> events;
  for (int i = 0; i < 40; ++i)
    events.push_back(Packet::of<Record>(
        Time{i}, Object{{"p", i % 7 == 3 ? Value() : Value(0.1 * (i % 5))}, {"t", i % 2}}));
  laws::check_all(subject<EvaluatePrequential>(Object{{"measure", "rms"}, {"member", "p"}, {"target", "t"}}),
                  events);
  laws::check_all(subject<EvaluatePrequential>(Object{{"member", "t"}, {"every", 3}}), events);
}

/// A maker of sources of type Op.
template <typename Op>
auto source(Object params) {
  return [params = std::move(params)] {
    auto op = testing::make<Op>(params);
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  };
}

template <typename Op>
testing::Collector drained(const Object& params) {
  const auto made = source<Op>(params)();
  return testing::drain(*made);
}

TEST(Laws, RecordsGenerate) { laws::resuming_a_source_is_exact(source<RecordsGenerate>({{"count", 1000}})); }

/// A file, and pipes that bring its bytes in small and random pieces, give the same packets.
template <typename Op>
void chunking_does_not_matter(const std::string& bytes, Object params) {
  const laws::ScratchFile file(bytes);
  params.set("path", file.path());
  const auto expected = laws::transcript(drained<Op>(params));
  ASSERT_FALSE(expected[0].empty());
  for (const std::size_t most : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, std::size_t{100000}}) {
    if (most == 1 && bytes.size() > 20000) continue;
    const laws::FedPipe pipe(bytes, most, most);
    params.set("path", pipe.path());
    laws::require_equal(expected, laws::transcript(drained<Op>(params)),
                        "pieces of up to " + std::to_string(most));
  }
}

std::string lines(std::size_t bytes) {
  Random random(5);
  std::string text;
  while (text.size() < bytes) {
    text.append(random.below(120), static_cast<char>('a' + random.below(26)));
    text += random.below(5) == 0 ? "\r\n" : "\n";
    if (random.below(50) == 0) text += "h\xC3\xA9";
  }
  return text + "no end";
}

std::string json_lines() {
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "{\"t\": " + std::to_string(i * 0.25) + ", \"k\": \"" + std::to_string(i % 3) + "\"}\n";
  return text;
}

std::string raw(std::size_t frames) {
  Random random(6);
  std::string bytes;
  for (std::size_t i = 0; i < 2 * frames; ++i) bytes += static_cast<char>(random());
  return bytes;
}

TEST(Laws, TextReadChunks) { chunking_does_not_matter<TextRead>(lines(15000), {}); }
TEST(Laws, TextReadChunksOfManyBlocks) { chunking_does_not_matter<TextRead>(lines(300000), {}); }
TEST(Laws, JsonlReadChunks) {
  chunking_does_not_matter<JsonlRead>(json_lines(), {{"time", "t"}, {"key", "k"}});
}
TEST(Laws, AudioReadChunks) {
  chunking_does_not_matter<AudioRead>(raw(8000), {{"format", "raw"}, {"raw_rate", 44100}, {"rate", 16000}});
}

TEST(Laws, BytesReadChunks) {
  const std::string bytes = raw(5000);
  for (const std::size_t most : {std::size_t{1}, std::size_t{300}}) {
    const laws::FedPipe pipe(bytes, most);
    const auto out = drained<BytesRead>({{"path", pipe.path()}});
    EXPECT_EQ(laws::joined(out.packets[0]), bytes);
    std::int64_t offset = 0;
    for (const Packet& packet : out.packets[0]) {
      EXPECT_EQ(packet.time.count(), offset);
      offset += static_cast<std::int64_t>(packet.payload->bytes());
    }
  }
}

/// The most that a source holds, and would save, while it reads.
template <typename Op>
std::size_t largest_state(const std::string& bytes, Object params) {
  const laws::ScratchFile file(bytes);
  params.set("path", file.path());
  const auto made = source<Op>(params)();
  testing::Collector out;
  std::size_t largest = 0;
  while (made->read(out)) largest = std::max(largest, made->state_bytes() + testing::saved(*made).bytes());
  return largest;
}

/// How much waits for a block to be full differs from place to place, so a quarter more is allowed for four
/// times as much input.
template <typename Op>
void expect_bounded(const std::string& once, const Object& params = {}) {
  EXPECT_LE(4 * largest_state<Op>(once + once + once + once, params), 5 * largest_state<Op>(once, params))
      << Op::spec().name();
}

TEST(Laws, ReadersHoldNoMoreOfALongerInput) {
  expect_bounded<TextRead>(lines(300000));
  expect_bounded<JsonlRead>(json_lines());
  expect_bounded<BytesRead>(lines(300000));
  expect_bounded<AudioRead>(raw(30000),
                            {{"format", "raw"}, {"raw_rate", 44100}, {"raw_channels", 2}, {"rate", 16000}});
}

TEST(Laws, ReadersResumeExactly) {
  const laws::ScratchFile text(lines(300000)), json(json_lines()), sound(raw(30000));
  laws::resuming_a_source_is_exact(source<TextRead>({{"path", text.path()}}));
  laws::resuming_a_source_is_exact(source<JsonlRead>({{"path", json.path()}, {"time", "t"}}));
  laws::resuming_a_source_is_exact(source<BytesRead>({{"path", text.path()}, {"block", 1000}}));
  laws::resuming_a_source_is_exact(source<AudioRead>({{"path", sound.path()},
                                                      {"format", "raw"},
                                                      {"raw_rate", 44100},
                                                      {"raw_channels", 2},
                                                      {"rate", 16000}}));
}

}  // namespace
}  // namespace stream
