#include "captions_hour.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include "captions_audio.hpp"
#include "engine/engine.hpp"
#include "recipe/recipe.hpp"
#include "registry/registry.hpp"

namespace stream::bench {
namespace {

/// What comes out is of no interest here, only that it does.
class Count final : public Output {
 public:
  bool unused(std::size_t) const override { return false; }
  std::size_t packets = 0;

 protected:
  void put(std::size_t, Packet&&) override { ++packets; }
  void mark(std::size_t, Time) override {}
};

/// The recogniser of the captions recipe, with its parameters, outside a graph.
std::unique_ptr<Operator> make_recogniser(Registry& registry) {
  Diagnostics diagnostics;
  const Plan plan = plan_recipe(find_recipe("captions"), registry, {}, diagnostics);
  diagnostics.check();
  for (const PlannedNode& node : plan.nodes) {
    if (node.op->spec.name() == "asr.conformer")
      return registry.make(node.op->spec.name(), node.params, {.node = node.id, .recipe_dir = plan.dir});
  }
  throw std::runtime_error("the captions recipe has no asr.conformer");
}

/// Feeds speech in pieces of one chunk (480 ms of look-ahead and 80 ms of its own), which loops for ever.
class Feeder {
 public:
  static constexpr std::size_t kChunk = kSpeechRate * 560 / 1000;
  explicit Feeder(const std::vector<float>& speech) : speech_(&speech) {}

  Packet next() {
    std::vector<float> samples(kChunk);
    for (std::size_t i = 0; i < kChunk; ++i) samples[i] = (*speech_)[(position_ + i) % speech_->size()];
    Packet packet = Packet::of<Audio>(duration_of(static_cast<std::int64_t>(position_), kSpeechRate),
                                      Buffer::own(std::move(samples)), 1, kSpeechRate);
    packet.duration = duration_of(kChunk, kSpeechRate);
    position_ += kChunk;
    return packet;
  }

 private:
  const std::vector<float>* speech_;
  std::size_t position_ = 0;
};

double seconds_for(Operator& op, Packet packet, Output& out) {
  const auto start = std::chrono::steady_clock::now();
  op.process(std::move(packet), out);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::vector<Row> captions_after_an_hour() {
  constexpr std::size_t kMinute = 60 * kSpeechRate / Feeder::kChunk, kWarmUp = 60;
  prepare_process();
  const std::vector<float> speech = example_speech();
  Registry registry;
  registry.scan(Registry::default_folders());
  const std::unique_ptr<Operator> old = make_recogniser(registry), fresh = make_recogniser(registry);
  Feeder old_audio(speech), fresh_audio(speech);
  Count out;
  for (std::size_t i = 0; i < 59 * kMinute; ++i) old->process(old_audio.next(), out);
  // The caches of the fresh one fill up first: what is compared is growth with the stream, not the first
  // seconds.
  for (std::size_t i = 0; i < kWarmUp; ++i) fresh->process(fresh_audio.next(), out);
  const double fresh_bytes = static_cast<double>(fresh->state_bytes());

  std::vector<double> old_seconds, fresh_seconds, ratios;
  for (std::size_t i = 0; i < kMinute; ++i) {
    const bool old_first = i % 2 == 0;
    const double a =
        seconds_for(old_first ? *old : *fresh, old_first ? old_audio.next() : fresh_audio.next(), out);
    const double b =
        seconds_for(old_first ? *fresh : *old, old_first ? fresh_audio.next() : old_audio.next(), out);
    old_seconds.push_back(old_first ? a : b);
    fresh_seconds.push_back(old_first ? b : a);
    ratios.push_back(old_seconds.back() / fresh_seconds.back());
  }
  if (out.packets == 0) throw std::runtime_error("an hour of speech gave no words: nothing was measured");
  std::sort(ratios.begin(), ratios.end());
  const double middle = median(ratios), quartiles = ratios[ratios.size() * 3 / 4] - ratios[ratios.size() / 4];
  const double old_bytes = static_cast<double>(old->state_bytes());
  // Bars on a ratio from above: growth of a single byte exceeds 1.
  return {{"captions, one chunk in minute 60", "minute 1", 1e3 * median(old_seconds),
           1e3 * median(fresh_seconds), "ms", middle, 1.1, quartiles / 2 / middle},
          {"captions, bytes of state in minute 60", "minute 1", old_bytes, fresh_bytes, "bytes",
           old_bytes / fresh_bytes, 1.0, 0}};
}

}  // namespace stream::bench
