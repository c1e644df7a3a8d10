/// Law 3 for sinks: a checkpoint takes back what was written after it.
#include <gmock/gmock.h>

#include "audio_write.hpp"
#include "bytes_write.hpp"
#include "discard.hpp"
#include "fed_pipe.hpp"
#include "jsonl_write.hpp"
#include "laws.hpp"
#include "resumed_sink.hpp"
#include "text_write.hpp"

namespace stream {
namespace {

template <typename Make>
std::vector<Packet> packets(Make make) {
  std::vector<Packet> out;
  for (int i = 0; i < 20; ++i) out.push_back(make(i));
  return out;
}

std::vector<Packet> texts() {
  return packets(
      [](int i) { return Packet::of<Text>(Time{i}, std::string(static_cast<std::size_t>(i * i), 'x')); });
}

std::vector<Packet> audio() {
  Random random(8);
  return packets([&](int i) {
    std::vector<float> samples(2 * 160);
    for (float& x : samples) x = static_cast<float>(random.uniform(-1, 1));
    return Packet::of<Audio>(duration_of(160 * i, 16000), std::move(samples), 2, 16000);
  });
}

TEST(Laws, TextWrite) { resuming_a_sink_is_exact<TextWrite>({}, texts()); }
TEST(Laws, JsonlWrite) {
  resuming_a_sink_is_exact<JsonlWrite>(
      {}, packets([](int i) {
        return Packet::of<Record>(Time{i}, Object{{"i", i}, {"t", std::string(7, 'y')}});
      }));
}
TEST(Laws, BytesWrite) {
  resuming_a_sink_is_exact<BytesWrite>(
      {}, packets([](int i) { return Packet::of<Bytes>(Time{i}, Buffer::own(std::string(100, char(i)))); }));
}
TEST(Laws, AudioWrite) {
  for (const char* format : {"wav", "raw"})
    for (const char* encoding : {"s16le", "s24le", "f32le"})
      resuming_a_sink_is_exact<AudioWrite>({{"format", format}, {"encoding", encoding}}, audio());
}
TEST(Laws, AudioWriteRefusesCheckpointsThatItCannotMake) {
  for (const char* format : {"flac", "ogg"}) {
    const laws::ScratchFile file;
    testing::Collector out(0);
    const auto op = sink<AudioWrite>({{"format", format}}, file.path());
    op->process(audio()[0], out);
    EXPECT_THROW(testing::saved(*op), Error) << format;
  }
}
TEST(Laws, Discard) { resuming_a_sink_is_exact<Discard>({}, texts()); }

}  // namespace
}  // namespace stream
