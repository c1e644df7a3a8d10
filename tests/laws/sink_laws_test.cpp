/// Law 3 for sinks: a checkpoint takes back what was written after it.
#include <gmock/gmock.h>

#include "audio_write.hpp"
#include "bytes_write.hpp"
#include "discard.hpp"
#include "fed_pipe.hpp"
#include "jsonl_write.hpp"
#include "laws.hpp"
#include "text_write.hpp"

namespace stream {
namespace {

template <typename Op>
std::unique_ptr<Sink> sink(Object params, const std::string& path) {
  if (Op::spec().find_param("path")) params.set("path", path);
  auto op = testing::make<Op>(params);
  return std::unique_ptr<Sink>(dynamic_cast<Sink*>(op.release()));
}

void finish(Sink& sink, testing::Collector& out) {
  sink.finish(out);
  sink.flush();
  sink.sync();
}

/// Stopped before packet k, for every k: after the checkpoint some more is written and flushed, which a crash
/// leaves in the file; the resumed run must give the file of a run that was never stopped.
template <typename Op>
void resuming_a_sink_is_exact(const Object& params, const std::vector<Packet>& input) {
  testing::Collector out(0);
  const laws::ScratchFile whole;
  {
    const auto op = sink<Op>(params, whole.path());
    for (const Packet& packet : input) op->process(packet, out);
    finish(*op, out);
  }
  for (std::size_t stop = 0; stop <= input.size(); ++stop) {
    const laws::ScratchFile file;
    Archive state;
    {
      const auto first = sink<Op>(params, file.path());
      for (std::size_t i = 0; i < stop; ++i) first->process(input[i], out);
      first->flush();
      state = testing::saved(*first);
      for (std::size_t i = stop; i < std::min(input.size(), stop + 3); ++i) first->process(input[i], out);
      first->flush();
    }
    {
      const auto second = sink<Op>(params, file.path());
      second->load(state);
      for (std::size_t i = stop; i < input.size(); ++i) second->process(input[i], out);
      finish(*second, out);
    }
    ASSERT_TRUE(file.read() == whole.read()) << "resuming before packet " << stop;
  }
}

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
