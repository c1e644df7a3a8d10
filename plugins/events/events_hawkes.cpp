#include "events/events_hawkes.hpp"

namespace stream::events {

Spec HawkesSource::spec() {
  return Spec("events.hawkes", "Make up sequences of typed events, of one regime after the other.")
      .output<Record>(
          "out",
          "{\"seq\", \"t\": seconds from the start of all, \"type\", \"regime\"}, keyed by sequence; one "
          "sequence after the other")
      .param("types", std::int64_t{6}, "of events, and as many regimes", range(2, 64))
      .param("sequences", std::int64_t{120}, "in all", range(1, 1e9))
      .param("each", std::int64_t{20}, "sequences of a regime before the next", range(1, 1e9))
      .param("length", std::int64_t{40}, "events of a sequence", range(2, 1e6))
      .contract({.order = Order::kStateful})
      .about(
          "Regimes are Hawkes processes with exponential kernels, simulated exactly by thinning: they share "
          "a chain "
          "over the types and differ in which type is frequent, and in how fast influence fades. The total "
          "rate is one "
          "event a second.")
      .paper(
          "Ogata, On Lewis' simulation method for point processes, IEEE Trans. Information Theory 27(1), "
          "1981")
      .example("Two regimes", R"([nodes.made]
use       = "events.hawkes"
sequences = 4
each      = 2
length    = 5

[nodes.out]
use  = "jsonl.write"
from = "made"
)");
}

HawkesSource::HawkesSource(const Params& p)
    : regimes_(hawkes_regimes(p.get<std::size_t>("types"), p.random("regimes")())),
      random_(p.random("events")),
      length_(p.get<std::size_t>("length")),
      count_(p.get<std::int64_t>("sequences")),
      each_(p.get<std::int64_t>("each")) {}

bool HawkesSource::read(Output& out) {
  if (next_ >= count_) return false;
  const auto regime = static_cast<std::size_t>(next_ / each_) % regimes_.size();
  const std::string name = "s" + std::to_string(next_);
  // Sequences lie a quarter of an hour apart, or as far as they are long.
  const Time start =
      std::chrono::seconds(next_ * std::max<std::int64_t>(900, 100 * static_cast<std::int64_t>(length_)));
  for (const TypedEvent& e : regimes_[regime].simulate(length_, random_)) {
    const Time time = start + Time{static_cast<std::int64_t>(e.time * 1e9)};
    Packet packet = Packet::of<Record>(time, Object{{"seq", name},
                                                    {"t", static_cast<double>(time.count()) / 1e9},
                                                    {"type", static_cast<std::int64_t>(e.type)},
                                                    {"regime", static_cast<std::int64_t>(regime)}});
    packet.key = Key(name);
    out.emit(std::move(packet));
  }
  return ++next_ < count_;
}

void HawkesSource::save(Archive& state) const {
  state.set("next", next_);
  state.set("rng", random_.state());
}

void HawkesSource::load(const Archive& state) {
  next_ = state.get<std::int64_t>("next");
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
}

}  // namespace stream::events
