/// A plugin of operators that are wrong, each in one way that `stream check` must find and name; and of some
/// that only look suspicious.
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <thread>

#include "pairs.hpp"
#include "stream/file.hpp"
#include "stream/plugin.hpp"

namespace stream {
namespace {

Spec text_to_text(const std::string& name, const std::string& summary, Contract contract = {}) {
  return Spec{name, summary}.input<Text>("in").output<Text>("out").contract(std::move(contract));
}

Packet with_number(const Packet& in, std::int64_t number) {
  return in.with<Text>(std::to_string(number) + " " + std::string(in.as<Text>().str()));
}

/// Emits the packet with the number in front, and counts it: only when it is a text.
template <typename Counter>
void emit_numbered(const Packet& in, Counter& count, Output& out) {
  out.emit(with_number(in, count));
  ++count;
}

class PeeksAhead final : public Pairs {
 public:
  static Spec spec() { return text_to_text("broken.peeks_ahead", "Use the next packet, declare nothing."); }
};

class DeclaresTooLittle final : public Pairs {
 public:
  static Spec spec() {
    return text_to_text("broken.declares_too_little", "Use the next packet, however late it is.",
                        {.lookahead = Duration{1000}});
  }
};

class GoesBack final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.goes_back", "Stamp every third packet too early.",
                        {.lookahead = std::chrono::hours(1)});
  }
  void process(Packet in, Output& out) override {
    if (++count_ % 3 == 0) in.time -= Duration{1};
    out.emit(std::move(in));
  }
  void save(Archive& state) const override { state.set("count", count_); }
  void load(const Archive& state) override { count_ = state.get<std::int64_t>("count"); }

 private:
  std::int64_t count_ = 0;
};

/// Scales each packet to its own peak: what a packet is decides what a sample becomes.
class DependsOnChunks final : public Operator {
 public:
  static Spec spec() {
    return Spec{"broken.depends_on_chunks", "Bring each packet to full scale."}
        .input<Audio>("in")
        .output<Audio>("out")
        .contract({.order = Order::kStateless});
  }
  void process(Packet in, Output& out) override {
    const auto& audio = in.as<Audio>();
    std::vector<float> samples(audio.samples().begin(), audio.samples().end());
    float peak = 0;
    for (const float x : samples) peak = std::max(peak, std::abs(x));
    if (peak > 0) {
      for (float& x : samples) x /= peak;
    }
    out.emit(in.with<Audio>(std::move(samples), audio.channels(), audio.rate()));
  }
};

/// A running sum that every `save` begins anew.
class SaveDisturbs final : public Operator {
 public:
  static Spec spec() { return text_to_text("broken.save_disturbs", "Count, from the last save on."); }
  void process(Packet in, Output& out) override { emit_numbered(in, count_, out); }
  void save(Archive& state) const override {
    state.set("count", count_);
    count_ = 0;
  }
  void load(const Archive& state) override { count_ = state.get<std::int64_t>("count"); }

 private:
  mutable std::int64_t count_ = 0;
};

class ForgetsField final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.forgets_field", "Count packets and bytes, save the packets.");
  }
  void process(Packet in, Output& out) override {
    out.emit(with_number(in, packets_ * 1000000 + bytes_));
    ++packets_;
    bytes_ += static_cast<std::int64_t>(in.payload->bytes());
  }
  void save(Archive& state) const override { state.set("packets", packets_); }
  void load(const Archive& state) override { packets_ = state.get<std::int64_t>("packets"); }

 private:
  std::int64_t packets_ = 0, bytes_ = 0;
};

class CannotLoad final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.cannot_load", "Save under one name, load under another.");
  }
  void process(Packet in, Output& out) override { emit_numbered(in, count_, out); }
  void save(Archive& state) const override { state.set("count", count_); }
  void load(const Archive& state) override { count_ = state.get<std::int64_t>("number"); }

 private:
  std::int64_t count_ = 0;
};

class GlobalCounter final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.global_counter", "Number packets, all instances together.");
  }
  void process(Packet in, Output& out) override { emit_numbered(in, count(), out); }

 private:
  static std::atomic<std::int64_t>& count() {
    static std::atomic<std::int64_t> counter{0};
    return counter;
  }
};

/// Reverses a text through a buffer that all instances share. Atomic, so that only the logic is wrong.
class Races final : public Operator {
 public:
  static Spec spec() { return text_to_text("broken.races", "Reverse texts.", {.order = Order::kStateless}); }
  void process(Packet in, Output& out) override {
    static std::array<std::atomic<char>, 256> shared{};
    const auto text = in.as<Text>().str().substr(0, 256);
    for (std::size_t i = 0; i < text.size(); ++i) shared[i] = text[text.size() - 1 - i];
    std::this_thread::sleep_for(std::chrono::microseconds(20));
    std::string reversed;
    for (std::size_t i = 0; i < text.size(); ++i) reversed += shared[i];
    out.emit(in.with<Text>(std::move(reversed)));
  }
};

/// Counts for each key, in one place for all of them.
class MixesKeys final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.mixes_keys", "Number the packets of each key.", {.keyed = true});
  }
  MixesKeys() : shared_(current()) {}
  void process(Packet in, Output& out) override { emit_numbered(in, *shared_, out); }
  void save(Archive& state) const override { state.set("count", *shared_); }
  void load(const Archive& state) override { *shared_ = state.get<std::int64_t>("count"); }

 private:
  static std::shared_ptr<std::int64_t> current() {
    static std::weak_ptr<std::int64_t> last;
    auto found = last.lock();
    if (!found) last = found = std::make_shared<std::int64_t>(0);
    return found;
  }
  std::shared_ptr<std::int64_t> shared_;
};

class Unseeded final : public Operator {
 public:
  static Spec spec() { return text_to_text("broken.unseeded", "Number packets at random."); }
  void process(Packet in, Output& out) override {
    out.emit(with_number(in, static_cast<std::int64_t>(std::random_device{}())));
  }
};

class Grows final : public Operator {
 public:
  static Spec spec() { return text_to_text("broken.grows", "Remember every packet, declare none."); }
  void process(Packet in, Output& out) override {
    kept_.push_back(in);
    out.emit(std::move(in));
  }
  void save(Archive& state) const override { state.set("kept", std::span<const Packet>(kept_)); }
  void load(const Archive& state) override { kept_ = state.packets("kept"); }

 private:
  std::vector<Packet> kept_;
};

/// Keeps what it has no use for, and does not say so: output and checkpoints are right.
class Leaks final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.leaks", "Remember every packet in secret.", {.order = Order::kStateless});
  }
  void process(Packet in, Output& out) override {
    kept_.push_back(in);
    out.emit(std::move(in));
  }

 private:
  std::vector<Packet> kept_;
};

class Squares final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.squares", "Declare linear state, hold more with each packet.",
                        {.state = Growth::kLinear, .grows_with = "packets"});
  }
  void process(Packet in, Output& out) override {
    count_ += 1;
    held_ += count_;
    out.emit(std::move(in));
  }
  std::size_t state_bytes() const override { return held_; }
  void save(Archive& state) const override { state.set("count", static_cast<std::int64_t>(count_)); }
  void load(const Archive& state) override {
    count_ = static_cast<std::size_t>(state.get<std::int64_t>("count"));
  }

 private:
  std::size_t count_ = 0, held_ = 0;
};

class Crashes final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.crashes", "Look at the first byte of an empty text.",
                        {.order = Order::kStateless});
  }
  void process(Packet in, Output& out) override {
    if (in.as<Text>().str().empty()) std::raise(SIGSEGV);
    out.emit(std::move(in));
  }
};

class Hangs final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.hangs", "Wait for a byte that an empty text never brings.",
                        {.order = Order::kStateless});
  }
  void process(Packet in, Output& out) override {
    while (in.as<Text>().str().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    out.emit(std::move(in));
  }
};

/// Believes a number in a record and takes that much memory.
class Floods final : public Operator {
 public:
  static Spec spec() {
    return Spec{"broken.floods", "Allocate what a record asks for."}
        .input<Record>("in")
        .output<Record>("out")
        .contract({.order = Order::kStateless});
  }
  void process(Packet in, Output& out) override {
    const Value* value = in.as<Record>().find("n");
    std::vector<std::string> blocks;
    for (std::int64_t i = 0; value != nullptr && value->is_integer() && value->as_integer() < 0 && i < 100000;
         ++i)
      blocks.emplace_back(std::size_t{1} << 20, 'x');
    out.emit(std::move(in));
  }
};

class Exits final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.exits", "Give up on the whole process.", {.order = Order::kStateless});
  }
  void process(Packet in, Output& out) override {
    if (!in.is(PayloadType::kText)) ::_exit(3);
    out.emit(std::move(in));
  }
};

class ThrowsAnything final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("broken.throws_anything", "Throw a number.", {.order = Order::kStateless});
  }
  void process(Packet in, Output& out) override {
    if (!in.is(PayloadType::kText)) throw 7;  // NOLINT: that is the fault
    out.emit(std::move(in));
  }
};

/// Counts a packet before it finds out that it cannot take it.
class RefusesLate final : public Operator {
 public:
  static Spec spec() { return text_to_text("broken.refuses_late", "Number packets, refused ones too."); }
  void process(Packet in, Output& out) override {
    ++count_;
    out.emit(with_number(in, count_));
  }
  void save(Archive& state) const override { state.set("count", count_); }
  void load(const Archive& state) override { count_ = state.get<std::int64_t>("count"); }

 private:
  std::int64_t count_ = 0;
};

class ForgetfulSource final : public Source {
 public:
  static Spec spec() {
    return Spec{"broken.forgetful_source", "Bytes of a file, numbered from 0 after every resume."}
        .output<Text>("out")
        .path("path", "-", "file to read");
  }
  explicit ForgetfulSource(const Params& p) : input_(p.input_path("path")) {}
  bool read(Output& out) override {
    std::array<std::byte, 16> block{};
    const auto result = input_.read(block);
    if (result.status == InputFile::Status::kEnd) return false;
    for (std::size_t i = 0; i < result.size; ++i)
      out.emit(Packet::of<Text>(Time{static_cast<std::int64_t>(input_.offset() - result.size + i)},
                                std::to_string(number_++)));
    return true;
  }
  void interrupt() override { input_.interrupt(); }
  void save(Archive& state) const override { state.set("offset", input_.offset()); }
  void load(const Archive& state) override { input_.skip_to(state.get<std::uint64_t>("offset")); }

 private:
  InputFile input_;
  std::int64_t number_ = 0;
};

/// Keeps all it has read until a read fills its block: never, when the input comes slowly.
class HoardsSlowInput final : public Source {
 public:
  static Spec spec() {
    return Spec{"broken.hoards_slow_input", "The length of what was read."}.output<Text>("out").path(
        "path", "-", "file to read");
  }
  explicit HoardsSlowInput(const Params& p) : input_(p.input_path("path")) {}
  bool read(Output& out) override {
    constexpr std::size_t kBlock = 32 << 10;
    hoard_.resize(filled_ + kBlock);
    const auto result = input_.read(std::as_writable_bytes(std::span(hoard_).subspan(filled_)));
    if (result.status == InputFile::Status::kEnd) return false;
    filled_ = result.size == kBlock ? 0 : filled_ + result.size;
    for (const std::uint64_t until = input_.offset() / kUnit; number_ < until; ++number_)
      out.emit(Packet::of<Text>(Time{static_cast<std::int64_t>(number_)}, "a unit"));
    return true;
  }
  void interrupt() override { input_.interrupt(); }
  void save(Archive& state) const override {
    state.set("offset", input_.offset());
    state.set("number", number_);
  }
  void load(const Archive& state) override {
    input_.skip_to(state.get<std::uint64_t>("offset"));
    number_ = state.get<std::uint64_t>("number");
  }

 private:
  static constexpr std::uint64_t kUnit = 16;
  InputFile input_;
  std::vector<char> hoard_;
  std::size_t filled_ = 0;
  std::uint64_t number_ = 0;
};

/// One packet for each read: what a read brings decides what a packet is.
class ReadsAreLines final : public Source {
 public:
  static Spec spec() {
    return Spec{"broken.reads_are_lines", "One text for each read."}.output<Text>("out").path("path", "-",
                                                                                              "file to read");
  }
  explicit ReadsAreLines(const Params& p) : input_(p.input_path("path")) {}
  bool read(Output& out) override {
    std::array<std::byte, 64> block{};
    const auto result = input_.read(block);
    if (result.status == InputFile::Status::kEnd) return false;
    out.emit(Packet::of<Text>(Time{number_++}, std::to_string(result.size)));
    return true;
  }
  void interrupt() override { input_.interrupt(); }
  void save(Archive& state) const override {
    state.set("offset", input_.offset());
    state.set("number", number_);
  }
  void load(const Archive& state) override {
    input_.skip_to(state.get<std::uint64_t>("offset"));
    number_ = state.get<std::int64_t>("number");
  }

 private:
  InputFile input_;
  std::int64_t number_ = 0;
};

/// Appends after a resume, whatever was written behind the checkpoint.
class KeepsTail final : public Sink {
 public:
  static Spec spec() {
    return Spec{"broken.keeps_tail", "Write texts, never take any back."}.input<Text>("in").path(
        "path", "-", "file to write");
  }
  explicit KeepsTail(const Params& p)
      : path_(p.get<std::string>("path")), file_(std::make_unique<OutputFile>(path_)) {}
  void process(Packet in, Output&) override { file_->write(in.as<Text>().str()); }
  void flush() override { file_->flush(); }
  void sync() override {}
  void save(Archive&) const override {}
  void load(const Archive&) override { file_->resume_at(read_file(path_).size()); }

 private:
  std::string path_;
  std::unique_ptr<OutputFile> file_;
};

// --- suspicious, but right

class DeclaresTooMuch final : public Operator {
 public:
  static Spec spec() {
    return text_to_text("right.declares_too_much", "Pass packets on at once, declare a second.",
                        {.lookahead = std::chrono::seconds(1), .order = Order::kStateless});
  }
  void process(Packet in, Output& out) override { out.emit(std::move(in)); }
};

/// Sums of 100 samples, whatever packets they come in: re-blocks, holds a remainder, saves it.
class Blocks final : public Operator {
 public:
  static Spec spec() {
    return Spec{"right.blocks", "The sum of every hundred samples."}
        .input<Audio>("in")
        .output<Record>("out")
        .contract({.lookahead = std::chrono::milliseconds(25)});
  }
  void process(Packet in, Output& out) override {
    const auto& audio = in.as<Audio>();
    if (audio.rate() != 8000 || audio.channels() != 1) throw bad_data("expected 8000 Hz mono");
    if (!started_ || in.time > start_ + duration_of(samples_, 8000) + Duration{2}) {
      started_ = true;
      start_ = in.time;
      samples_ = 0;
      sum_ = 0;
    }
    for (const float x : audio.samples()) {
      if (!(std::abs(x) <= 1e6f)) continue;
      sum_ += static_cast<double>(x);
      if (++samples_ % 100 != 0) continue;
      out.emit(Packet::of<Record>(start_ + duration_of(samples_ - 100, 8000), Object{{"sum", sum_}}));
      sum_ = 0;
    }
  }
  void save(Archive& state) const override {
    state.set("started", started_);
    state.set("start", start_);
    state.set("samples", samples_);
    state.set("sum", sum_);
  }
  void load(const Archive& state) override {
    started_ = state.get<bool>("started");
    start_ = state.get<Duration>("start");
    samples_ = state.get<std::int64_t>("samples");
    sum_ = state.get<double>("sum");
  }
  std::size_t state_bytes() const override { return 25; }

 private:
  bool started_ = false;
  Time start_{0};
  std::int64_t samples_ = 0;
  double sum_ = 0;
};

/// Fills a window of 5000 packets: constant in the end, though it grows for long.
class Window final : public Operator {
 public:
  static Spec spec() { return text_to_text("right.window", "Count the bytes of the last 5000 packets."); }
  void process(Packet in, Output& out) override {
    const auto bytes = static_cast<std::int64_t>(in.as<Text>().bytes());
    if (sizes_.size() < 5000)
      sizes_.push_back(bytes);
    else
      sum_ -= std::exchange(sizes_[next_], bytes);
    next_ = (next_ + 1) % 5000;
    sum_ += bytes;
    out.emit(with_number(in, sum_));
  }
  void save(Archive& state) const override {
    state.set("sizes", sizes_);
    state.set("next", static_cast<std::int64_t>(next_));
    state.set("sum", sum_);
  }
  void load(const Archive& state) override {
    sizes_ = state.get<std::vector<std::int64_t>>("sizes");
    next_ = static_cast<std::size_t>(state.get<std::int64_t>("next"));
    sum_ = state.get<std::int64_t>("sum");
  }
  std::size_t state_bytes() const override { return sizes_.size() * sizeof(std::int64_t) + 16; }

 private:
  std::vector<std::int64_t> sizes_;
  std::size_t next_ = 0;
  std::int64_t sum_ = 0;
};

/// Sums a member that the spec does not name: the check must find out what it wants.
class NeedsMembers final : public Operator {
 public:
  static Spec spec() {
    return Spec{"right.needs_members", "Sum prices of named things."}.input<Record>("in").output<Record>(
        "out");
  }
  void process(Packet in, Output& out) override {
    const auto& record = in.as<Record>();
    const std::string name = record.at("name").as_string();
    const double price = record.at("price").as_double();
    if (!(price > -1e9 && price < 1e9)) throw bad_data("a price beyond all bounds");
    sum_ += price;
    out.emit(in.with<Record>(Object{{"name", name}, {"sum", sum_}}));
  }
  void save(Archive& state) const override { state.set("sum", sum_); }
  void load(const Archive& state) override { sum_ = state.get<double>("sum"); }

 private:
  double sum_ = 0;
};

}  // namespace
}  // namespace stream

STREAM_PLUGIN("broken", stream::PeeksAhead, stream::DeclaresTooLittle, stream::GoesBack,
              stream::DependsOnChunks, stream::SaveDisturbs, stream::ForgetsField, stream::CannotLoad,
              stream::GlobalCounter, stream::Races, stream::MixesKeys, stream::Unseeded, stream::Grows,
              stream::Leaks, stream::Squares, stream::Crashes, stream::Hangs, stream::Floods, stream::Exits,
              stream::ThrowsAnything, stream::RefusesLate, stream::ForgetfulSource, stream::HoardsSlowInput,
              stream::ReadsAreLines, stream::KeepsTail, stream::DeclaresTooMuch, stream::Blocks,
              stream::Window, stream::NeedsMembers);
