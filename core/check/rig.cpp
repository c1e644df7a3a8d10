#include "check/rig.hpp"

#include <cxxabi.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <set>

#include "stream/testing.hpp"

namespace stream::laws {

Runner::~Runner() = default;

const char* name_of(Phase phase) {
  constexpr const char* kNames[] = {
      "construction", "load",     "process", "read", "finish", "save", "state_bytes and progress",
      "destruction",  "the graph"};
  return kNames[static_cast<std::size_t>(phase)];
}

namespace {

std::string type_name(const std::type_info& type) {
  int status = 0;
  char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : type.name();
  std::free(readable);  // NOLINT: malloc'd by the ABI
  return name;
}

/// One operator with an instance for each key, and what it emits.
class Rig final : public Output {
 public:
  Rig(const Subject& subject, Progress& progress) : subject_(subject), progress_(progress) {
    progress.at(Phase::kMake, 0);
    op_ = subject.make();
    source_ = dynamic_cast<Source*>(op_.get());
    sink_ = dynamic_cast<Sink*>(op_.get());
  }
  ~Rig() override { progress_.at(Phase::kDestroy, step); }

  void process(const Input& input) {
    progress_.at(Phase::kProcess, step);
    Packet packet = input.packet;
    Operator* op = op_.get();
    if (subject_.contract.keyed) {
      key_ = packet.key;
      op = &instance(key_);
    }
    if (subject_.inputs == 1)
      op->process(std::move(packet), *this);
    else
      op->process(input.port, std::move(packet), *this);
  }
  bool read() {
    progress_.at(Phase::kRead, step);
    return source_->read(*this);
  }
  void finish() {
    progress_.at(Phase::kFinish, step);
    key_ = {};
    op_->finish(*this);
    for (auto& [name, op] : instances_) {
      key_ = Key(name);
      op->finish(*this);
    }
    flush();
  }
  void flush() {
    if (sink_ != nullptr) sink_->flush();
  }
  Archive save() {
    flush();
    progress_.at(Phase::kSave, step);
    Archive state;
    state.put("state", std::make_shared<Archive>(testing::saved(*op_)));
    std::size_t index = 0;
    for (const auto& [name, op] : instances_) {
      Archive& group = state.group("keys").group(std::to_string(index++));
      group.set("key", name);
      group.put("state", std::make_shared<Archive>(testing::saved(*op)));
    }
    return state;
  }
  void load(const Archive& state) {
    progress_.at(Phase::kLoad, 0);
    op_->load(state.group("state"));
    if (!state.has("keys")) return;
    const Archive& keys = state.group("keys");
    for (std::size_t i = 0; keys.has(std::to_string(i)); ++i) {
      const Archive& group = keys.group(std::to_string(i));
      instance(Key(group.get<std::string>("key"))).load(group.group("state"));
    }
  }
  std::size_t state_bytes() const {
    progress_.at(Phase::kAsk, step);
    std::size_t bytes = op_->state_bytes();
    for (const auto& [name, op] : instances_) bytes += op->state_bytes();
    return bytes;
  }
  void probe() {
    save();
    state_bytes();
    [[maybe_unused]] const std::string words = op_->progress();
    if (source_ == nullptr) return;
    [[maybe_unused]] const double fraction = source_->fraction();
    source_->interrupt();  // as for a checkpoint: the next read may bring nothing, but loses nothing
  }
  bool is_source() const { return source_ != nullptr; }
  bool unused(std::size_t) const override { return false; }

  std::size_t step = 0;
  bool keep = true;  ///< false: what is emitted is dropped
  std::vector<Emission> emitted;

 protected:
  void put(std::size_t port, Packet&& packet) override {
    if (port >= subject_.outputs) {
      throw std::logic_error("emitted on port " + std::to_string(port) + " of " +
                             std::to_string(subject_.outputs));
    }
    if (!keep) return;
    if (subject_.contract.keyed && packet.key.empty()) packet.key = key_;
    packet.sequence = 0;
    packet.arrival = 0;
    emitted.push_back({port, step, std::move(packet)});
  }
  void mark(std::size_t, Time) override {}

 private:
  Operator& instance(const Key& key) {
    if (key.empty()) return *op_;
    auto& made = instances_[std::string(key.str())];
    if (!made) made = subject_.make();
    return *made;
  }

  const Subject& subject_;
  Progress& progress_;
  std::unique_ptr<Operator> op_;
  std::map<std::string, std::unique_ptr<Operator>, std::less<>> instances_;
  Source* source_ = nullptr;
  Sink* sink_ = nullptr;
  Key key_;
};

void read_all(Rig& rig, const Scenario& scenario, const std::set<std::size_t>& probes, Outcome& outcome) {
  for (;; ++rig.step) {
    if (probes.count(rig.step) != 0) rig.probe();
    if (rig.step == scenario.stop) {
      outcome.reads = rig.step;
      outcome.state = rig.save();
      return;
    }
    if (!rig.read()) break;
  }
  outcome.reads = rig.step;
  // A stop after the end is one that finds nothing more to read.
  if (scenario.stop != kToTheEnd)
    outcome.state = rig.save();
  else
    rig.finish();
}

void process_all(Rig& rig, const Scenario& scenario, const std::set<std::size_t>& probes, Outcome& outcome) {
  const std::size_t end = std::min(scenario.stop, scenario.inputs.size());
  const auto one = [&](std::size_t index) {
    rig.step = index;
    if (probes.count(index) != 0) rig.probe();
    rig.process(scenario.inputs[index]);
  };
  for (std::size_t i = 0; i < end; ++i) one(i);
  rig.step = end;
  if (probes.count(end) != 0) rig.probe();
  if (scenario.stop == kToTheEnd) return rig.finish();
  outcome.state = rig.save();
  const std::size_t kept = rig.emitted.size();
  for (std::size_t i = end; i < std::min(scenario.inputs.size(), end + scenario.lost); ++i) one(i);
  if (scenario.lost > 0) rig.flush();
  rig.emitted.resize(kept);
}

void process_skipping(Rig& rig, const Scenario& scenario, const Progress& progress, Outcome& outcome) {
  for (const Input& input : scenario.inputs) {
    const std::size_t before = rig.emitted.size();
    try {
      rig.process(input);
    } catch (...) {
      outcome.refused.push_back(fault_in_flight(progress));
      rig.emitted.resize(before);
      if (outcome.refused.back().fatal()) throw;
    }
    ++rig.step;
  }
  rig.finish();
}

}  // namespace

Fault fault_in_flight(const Progress& progress) {
  Fault fault;
  fault.phase = static_cast<Phase>(progress.phase.load());
  fault.step = progress.step.load();
  try {
    throw;
  } catch (const Error& e) {
    fault.message = e.what();
  } catch (const std::bad_alloc&) {
    fault.message = "not enough memory";
  } catch (const std::exception& e) {
    fault.kind = Fault::Kind::kForeign;
    fault.message = type_name(typeid(e)) + ": " + e.what();
  } catch (...) {
    fault.kind = Fault::Kind::kUnknown;
    fault.message = "threw something that is no exception";
  }
  return fault;
}

Outcome play(const Subject& subject, const Scenario& scenario, Progress& progress) {
  Outcome outcome;
  std::unique_ptr<Rig> rig;
  try {
    rig = std::make_unique<Rig>(subject, progress);
    if (scenario.state) rig->load(*scenario.state);
    const std::set<std::size_t> probes(scenario.probes.begin(), scenario.probes.end());
    if (rig->is_source())
      read_all(*rig, scenario, probes, outcome);
    else if (scenario.skip_errors)
      process_skipping(*rig, scenario, progress, outcome);
    else
      process_all(*rig, scenario, probes, outcome);
  } catch (...) {
    outcome.fault = fault_in_flight(progress);
  }
  if (rig) outcome.emitted = std::move(rig->emitted);
  return outcome;
}

std::uint64_t resident_bytes() {
  unsigned long long total = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%llu %llu", &total, &resident) != 2) resident = 0;  // NOLINT(cert-err34-c)
    std::fclose(file);
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

namespace {

std::uint64_t heap_bytes() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Measures after each doubling; tells when it is enough.
class Doubling {
 public:
  Doubling(Rig& rig, Measures& into, std::uint64_t packets, double seconds)
      : rig_(rig), into_(into), packets_(packets), end_(now() + seconds), last_(wall() + 4 * seconds) {}
  void ask() { largest_stated_ = std::max<std::uint64_t>(largest_stated_, rig_.state_bytes()); }
  /// Between two measures the state is looked at some times: what a checkpoint holds of a block that is being
  /// filled is now little and now much, and only the most says what it may grow to.
  void look(std::uint64_t done) {
    constexpr std::uint64_t kLooks = 16;
    if (done % std::max<std::uint64_t>(1, next_ / (2 * kLooks)) != 0) return;
    ask();
    largest_saved_ = std::max(largest_saved_, saved_bytes());
  }
  /// After so many packets, `unit` of which make the first measure.
  bool enough(std::uint64_t done, std::uint64_t unit) {
    if (next_ == 0) next_ = unit;
    if (done < next_) return false;
    ask();
    into_.points.push_back(
        {done, largest_stated_, std::max(largest_saved_, saved_bytes()), heap_bytes(), resident_bytes()});
    largest_stated_ = largest_saved_ = 0;
    next_ *= 2;
    return next_ > packets_ || late();
  }
  bool late() const { return now() > end_ || wall() > last_; }

 private:
  std::uint64_t saved_bytes() {
    try {
      return rig_.save().bytes();
    } catch (const Error&) {
      return 0;  // it cannot be saved: the law on resuming says so
    }
  }
  /// Seconds that this process has computed, which a busy machine does not shorten.
  static double now() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
  static double wall() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  Rig& rig_;
  Measures& into_;
  std::uint64_t packets_, next_ = 0, largest_stated_ = 0, largest_saved_ = 0;
  double end_, last_;
};

void grow_by_rounds(Rig& rig, const Inputs& inputs, Doubling& doubling) {
  if (inputs.empty()) return;
  Time first = kTimeMax, last = kTimeMin;
  for (const Input& input : inputs) {
    first = std::min(first, input.packet.time);
    last = std::max(last, input.packet.time + input.packet.duration);
  }
  const Duration period = std::max(last - first, Duration{1});
  std::uint64_t done = 0;
  for (std::int64_t round = 0; !doubling.late(); ++round) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Input input = inputs[i];
      input.packet.time += period * round;
      rig.step = i;
      rig.process(input);
      ++done;
      if (i % 64 == 0) doubling.ask();
    }
    if (doubling.enough(done, inputs.size())) return;
  }
}

}  // namespace

Measures play_growing(const Subject& subject, const Scenario& scenario, std::uint64_t packets, double seconds,
                      Progress& progress) {
  Measures measures;
  std::unique_ptr<Rig> rig;
  try {
    rig = std::make_unique<Rig>(subject, progress);
    rig->keep = false;
    Doubling doubling(*rig, measures, packets, seconds);
    if (rig->is_source()) {
      constexpr std::uint64_t kFirst = 4;
      while (rig->read() && !doubling.enough(++rig->step, kFirst) && !doubling.late())
        doubling.look(rig->step);
    } else {
      grow_by_rounds(*rig, scenario.inputs, doubling);
    }
  } catch (...) {
    measures.fault = fault_in_flight(progress);
  }
  return measures;
}

Outcome LocalRunner::run(const Scenario& scenario, Where) { return play(subject_, scenario, progress_); }

Measures LocalRunner::measure(const Scenario& scenario, std::uint64_t packets, double seconds) {
  return play_growing(subject_, scenario, packets, seconds, progress_);
}

}  // namespace stream::laws
