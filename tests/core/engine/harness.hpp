/// Recipes as strings, run against small operators that live in the test.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "engine/engine.hpp"
#include "recipe/recipe.hpp"
#include "stream/file.hpp"
#include "stream/plugin.hpp"

extern "C" stream::Engine* stream_engine();

namespace stream::testing {

/// Whole numbers as records {"n": i}, at i * `step` nanoseconds.
class Numbers final : public Source {
 public:
  static Spec spec() {
    return Spec{"test.numbers", "Count."}
        .output<Record>("out")
        .param("count", 100, "how many")
        .param("step", 1, "nanoseconds from one to the next")
        .param("start", 0, "time of the first")
        .param("pause", 0, "microseconds to sleep before each")
        .param("keys", 1, "number of keys")
        .param("fail_at", -1, "throws when it comes to this number");
  }
  explicit Numbers(const Params& p)
      : count_(p.get<std::int64_t>("count")),
        step_(p.get<std::int64_t>("step")),
        start_(p.get<std::int64_t>("start")),
        pause_(p.get<std::int64_t>("pause")),
        keys_(p.get<std::int64_t>("keys")),
        fail_at_(p.get<std::int64_t>("fail_at")) {}
  bool read(Output& out) override {
    if (next_ >= count_) return false;
    if (next_ == fail_at_) throw bad_data("the input is damaged at number " + std::to_string(next_));
    if (pause_ > 0) std::this_thread::sleep_for(std::chrono::microseconds(pause_));
    Packet packet = Packet::of<Record>(Time{start_ + next_ * step_}, Object{{"n", next_}});
    if (keys_ > 1) packet.key = Key("k" + std::to_string(next_ % keys_));
    ++next_;
    out.emit(std::move(packet));
    return true;
  }
  void save(Archive& ar) const override { ar.set("next", next_); }
  void load(const Archive& ar) override { next_ = ar.get<std::int64_t>("next"); }

 private:
  std::int64_t count_, step_, start_, pause_, keys_, fail_at_, next_ = 0;
};

/// One record {"byte": b} for each byte of a file or pipe, as it comes.
class PipedBytes final : public Source {
 public:
  static Spec spec() {
    return Spec{"test.piped", "Bytes as they come."}.output<Record>("out").path("path", nullptr, "the pipe");
  }
  explicit PipedBytes(const Params& p) : in_(p.get<std::string>("path")) {}
  bool read(Output& out) override {
    std::byte byte{};
    const auto offset = static_cast<std::int64_t>(in_.offset());
    const auto [status, size] = in_.read({&byte, 1});
    if (status == InputFile::Status::kData)
      out.emit(Packet::of<Record>(Time{offset}, Object{{"byte", static_cast<std::int64_t>(byte)}}));
    return status != InputFile::Status::kEnd;
  }
  void interrupt() override { in_.interrupt(); }
  void save(Archive& ar) const override { ar.set("offset", in_.offset()); }
  void load(const Archive& ar) override { in_.skip_to(ar.get<std::uint64_t>("offset")); }

 private:
  InputFile in_;
};

/// Adds {"sum"}: the sum of all numbers so far (of its key); throws at multiples of `throw_at`.
class Sum final : public Operator {
 public:
  static Spec spec() {
    return Spec{"test.sum", "Running sum."}.input<Record>("in").output<Record>("out").param(
        "throw_at", 0, "throws at multiples of this");
  }
  explicit Sum(const Params& p) : throw_at_(p.get<std::int64_t>("throw_at")) {}
  void process(Packet in, Output& out) override {
    const std::int64_t n = in.as<Record>().at("n").as_integer();
    if (throw_at_ > 0 && n % throw_at_ == 0) throw bad_data("cannot digest " + std::to_string(n));
    sum_ += n;
    Object o = in.as<Record>().object();
    o.set("sum", sum_);
    out.emit(in.with<Record>(std::move(o)));
  }
  void finish(Output& out) override { out.emit(Packet::of<Record>(kTimeMax, Object{{"total", sum_}})); }
  void save(Archive& ar) const override { ar.set("sum", sum_); }
  void load(const Archive& ar) override { sum_ = ar.get<std::int64_t>("sum"); }

 private:
  std::int64_t sum_ = 0, throw_at_;
};

class HeavySum final : public Operator {
 public:
  static Spec spec() {
    Contract c;
    c.cost = Cost::kHeavy;
    return Spec{"test.heavy_sum", "Running sum in a stage of its own."}
        .input<Record>("in")
        .output<Record>("out")
        .contract(c);
  }
  void process(Packet in, Output& out) override {
    sum_ += in.as<Record>().at("n").as_integer();
    Object o = in.as<Record>().object();
    o.set("sum", sum_);
    out.emit(in.with<Record>(std::move(o)));
  }
  void save(Archive& ar) const override { ar.set("sum", sum_); }
  void load(const Archive& ar) override { sum_ = ar.get<std::int64_t>("sum"); }

 private:
  std::int64_t sum_ = 0;
};

class KeyedCount final : public Operator {
 public:
  static Spec spec() {
    Contract c;
    c.keyed = true;
    return Spec{"test.keyed_count", "Counts for each key."}
        .input<Record>("in")
        .output<Record>("out")
        .contract(c);
  }
  void process(Packet in, Output& out) override {
    Object o{{"key", in.key.str()}, {"count", ++count_}};
    out.emit(in.with<Record>(std::move(o)));
  }
  void save(Archive& ar) const override { ar.set("count", count_); }
  void load(const Archive& ar) override { count_ = ar.get<std::int64_t>("count"); }

 private:
  std::int64_t count_ = 0;
};

/// Heavy work for each key, of uneven length: a running sum in two emissions, nothing for every seventh
/// number, and an error for numbers that leave rest 5 when divided by `throw_at`.
class KeyedWork final : public Operator {
 public:
  static Spec spec() {
    Contract c;
    c.keyed = true;
    c.cost = Cost::kHeavy;
    return Spec{"test.keyed_work", "Sums for each key, slowly."}
        .input<Record>("in")
        .output<Record>("out")
        .output<Record>("more")
        .param("throw_at", 0, "throws at numbers that leave rest 5 by this")
        .param("meet", false, "waits for another key that is computed at the same time")
        .contract(c);
  }
  explicit KeyedWork(const Params& p)
      : throw_at_(p.get<std::int64_t>("throw_at")), meet_(p.get<bool>("meet")) {}
  void process(Packet in, Output& out) override {
    const std::int64_t n = in.as<Record>().at("n").as_integer();
    if (throw_at_ > 0 && n % throw_at_ == 5) throw bad_data("cannot digest " + std::to_string(n));
    if (meet_) meet();
    std::this_thread::sleep_for(std::chrono::microseconds(n * 7919 % 200));
    sum_ += n;
    if (n % 7 == 0) return;
    out.emit(in.with<Record>(Object{{"key", in.key.str()}, {"n", n}, {"sum", sum_}}));
    Packet keyless = in.with<Record>(Object{{"n", n}});
    keyless.key = {};
    out.emit(1, std::move(keyless));
    out.emit(in.with<Record>(Object{{"again", n}}));
  }
  void save(Archive& ar) const override { ar.set("sum", sum_); }
  void load(const Archive& ar) override { sum_ = ar.get<std::int64_t>("sum"); }

  static inline std::atomic<bool> met = false;

 private:
  /// Waits a little for a second one to be here, until that has happened once.
  static void meet() {
    static std::atomic<int> here = 0;
    ++here;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    while (!met && std::chrono::steady_clock::now() < until) {
      if (here > 1) met = true;
      std::this_thread::yield();
    }
    --here;
  }
  std::int64_t sum_ = 0, throw_at_;
  bool meet_;
};

/// Two inputs in one output, each record with the port that it came in by.
class Join final : public Operator {
 public:
  static Spec spec() {
    Contract c;
    c.cost = Cost::kHeavy;
    return Spec{"test.join", "Merge."}
        .input<Record>("left")
        .input<Record>("right")
        .output<Record>("out")
        .contract(c);
  }
  void process(std::size_t port, Packet in, Output& out) override {
    Object o = in.as<Record>().object();
    o.set("port", static_cast<std::int64_t>(port)).set("at", count_++);
    out.emit(in.with<Record>(std::move(o)));
  }
  void save(Archive& ar) const override { ar.set("count", count_); }
  void load(const Archive& ar) override { count_ = ar.get<std::int64_t>("count"); }

 private:
  std::int64_t count_ = 0;
};

/// Lets one record in `every` pass: a branch that is silent most of the time.
class Thin final : public Operator {
 public:
  static Spec spec() {
    return Spec{"test.thin", "Drop most."}.input<Record>("in").output<Record>("out").param(
        "every", 1000, "keeps one in so many");
  }
  explicit Thin(const Params& p) : every_(p.get<std::int64_t>("every")) {}
  void process(Packet in, Output& out) override {
    if (in.as<Record>().at("n").as_integer() % every_ == 0) out.emit(std::move(in));
  }

 private:
  std::int64_t every_;
};

/// Breaks its promise: emits a second early.
class Early final : public Operator {
 public:
  static Spec spec() {
    return Spec{"test.early", "Emit too early."}.input<Record>("in").output<Record>("out");
  }
  void process(Packet in, Output& out) override {
    in.time -= std::chrono::seconds(count_++ == 0 ? 0 : 1);
    out.emit(std::move(in));
  }

 private:
  int count_ = 0;
};

/// Cannot be saved.
class Unsavable final : public Operator {
 public:
  static Spec spec() {
    return Spec{"test.unsavable", "No state to show."}.input<Record>("in").output<Record>("out");
  }
  void process(Packet in, Output& out) override { out.emit(std::move(in)); }
  void save(Archive&) const override { throw bad_recipe("cannot be saved; run without --checkpoint"); }
};

/// One line of JSON for each record, into a file.
class Lines final : public Sink {
 public:
  static Spec spec() {
    Contract c;
    c.cost = Cost::kHeavy;
    return Spec{"test.lines", "Write."}
        .input<Record>("in")
        .path("path", nullptr, "the file")
        .param("pause", 0, "microseconds to sleep before each")
        .contract(c);
  }
  explicit Lines(const Params& p) : file_(p.get<std::string>("path")), pause_(p.get<std::int64_t>("pause")) {}
  void process(Packet in, Output&) override {
    if (pause_ > 0) std::this_thread::sleep_for(std::chrono::microseconds(pause_));
    file_.write(in.as<Record>().json());
    file_.write(std::string_view("\n"));
  }
  void flush() override { file_.flush(); }
  void sync() override { file_.sync(); }
  void save(Archive& ar) const override { ar.set("offset", file_.offset()); }
  void load(const Archive& ar) override { file_.resume_at(ar.get<std::uint64_t>("offset")); }

 private:
  OutputFile file_;
  std::int64_t pause_;
};

inline void add_test_operators(Registry& registry) {
  std::vector<OperatorEntry> entries;
  plugin_detail::entries<Numbers, PipedBytes, Sum, HeavySum, KeyedCount, KeyedWork, Join, Thin, Early,
                         Unsavable, Lines>(entries);
  registry.add(std::move(entries), "test");
}

/// A run of a recipe in a string; a faulty recipe throws.
inline RunResult run_recipe(const std::string& toml, RunOptions options = {}, const Observer& observer = {}) {
  Registry registry;
  add_test_operators(registry);
  Diagnostics diagnostics;
  const Plan plan = plan_recipe_text(toml, registry, {}, diagnostics);
  diagnostics.check();
  options.handle_signals = false;
  return stream_engine()->run(plan, registry, options, observer);
}

inline RunOptions with_threads(int threads) {
  RunOptions options;
  options.threads = threads;
  return options;
}

}  // namespace stream::testing
