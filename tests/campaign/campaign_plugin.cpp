/// Plugin "campaign": operators with every kind of state that a checkpoint must carry.
#include <deque>
#include <thread>

#include "stream/plugin.hpp"

namespace stream {
namespace {

/// Makes a run last, without a stage of its own: what is fused stays fused.
class Slow final : public Operator {
 public:
  static Spec spec() {
    return Spec{"campaign.slow", "Sleep for each packet."}
        .input<Payload>("in")
        .output<Payload>("out")
        .param("microseconds", 100, "time to sleep")
        .contract({.order = Order::kStateless});
  }
  explicit Slow(const Params& p) : time_(p.get<std::int64_t>("microseconds")) {}
  void process(Packet in, Output& out) override {
    std::this_thread::sleep_for(time_);
    out.emit(std::move(in));
  }

 private:
  std::chrono::microseconds time_;
};

/// One state for each key.
class KeyedTotal final : public Operator {
 public:
  static Spec spec() {
    return Spec{"campaign.keyed_total", "Add up 'n', one sum for each key."}
        .input<Record>("in")
        .output<Record>("out")
        .contract({.order = Order::kStateful, .keyed = true});
  }
  explicit KeyedTotal(const Params&) {}
  void process(Packet in, Output& out) override {
    total_ += in.as<Record>().at("n").as_integer();
    out.emit(in.with<Record>(Object{{"key", in.key.str()}, {"total", total_}}));
  }
  void finish(Output& out) override { out.emit(Packet::of<Record>(kTimeMax, Object{{"last", total_}})); }
  void save(Archive& state) const override { state.set("total", total_); }
  void load(const Archive& state) override { total_ = state.get<std::int64_t>("total"); }

 private:
  std::int64_t total_ = 0;
};

/// Two inputs, merged by time, in a stage of its own.
class Join final : public Operator {
 public:
  static Spec spec() {
    return Spec{"campaign.join", "Say which input each record came by, and how many came before."}
        .input<Record>("left")
        .input<Record>("right")
        .output<Record>("out")
        .contract({.order = Order::kStateful, .cost = Cost::kHeavy});
  }
  explicit Join(const Params&) {}
  void process(std::size_t port, Packet in, Output& out) override {
    Object o = in.as<Record>().object();
    o.set("port", static_cast<std::int64_t>(port)).set("before", count_++);
    out.emit(in.with<Record>(std::move(o)));
  }
  void save(Archive& state) const override { state.set("count", count_); }
  void load(const Archive& state) override { count_ = state.get<std::int64_t>("count"); }

 private:
  std::int64_t count_ = 0;
};

/// Holds packets, a tensor and a random generator.
class Shuffle final : public Operator {
 public:
  static Spec spec() {
    return Spec{"campaign.shuffle", "Pass on the lines so far in random order, one for each that comes."}
        .input<Text>("in")
        .output<Text>("out")
        .contract({.order = Order::kStateful, .cost = Cost::kHeavy});
  }
  explicit Shuffle(const Params& p) : random_(p.random()), drawn_(kHeld) {}
  void process(Packet in, Output& out) override {
    held_.push_back(in);
    if (held_.size() <= kHeld) return;
    const std::size_t pick = random_.below(held_.size());
    drawn_[pick % kHeld] += 1;
    Packet chosen = held_[pick];
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(pick));
    chosen.time = in.time;
    out.emit(std::move(chosen));
  }
  void finish(Output& out) override {
    for (auto& packet : held_) {
      packet.time = kTimeMax;
      out.emit(packet);
    }
    std::string counts = "drawn";
    for (const float n : drawn_) counts += " " + std::to_string(static_cast<int>(n));
    out.emit(Packet::of<Text>(kTimeMax, Buffer::own(std::move(counts))));
  }
  void save(Archive& state) const override {
    state.set("held", std::vector<Packet>(held_.begin(), held_.end()));
    state.set("random", random_.state());
    state.set("drawn", drawn_);
  }
  void load(const Archive& state) override {
    const auto held = state.packets("held");
    held_.assign(held.begin(), held.end());
    random_.restore(state.get<std::vector<std::int64_t>>("random"));
    drawn_ = state.get<std::vector<float>>("drawn");
  }

 private:
  static constexpr std::size_t kHeld = 16;
  std::deque<Packet> held_;
  Random random_;
  std::vector<float> drawn_;  ///< how often each place was drawn
};

}  // namespace
}  // namespace stream

STREAM_PLUGIN("campaign", stream::Slow, stream::KeyedTotal, stream::Join, stream::Shuffle);
