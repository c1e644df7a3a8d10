/// Operators with inputs: what comes out of their ports, or, of a sink, what is in its file.
#include <algorithm>
#include <filesystem>

#include "check/examination.hpp"

namespace stream::laws {
namespace {

/// Copies of the operator that run beside each other in one graph.
constexpr std::size_t kCopies = 2;

class OperatorExamination final : public Examination {
 public:
  OperatorExamination(ProcessRunner& runner, const Setup& setup, const CheckOptions& options)
      : Examination(setup.operation, options, runner.spec().contract()),
        runner_(runner),
        spec_(runner.spec()),
        model_(spec_, contract_, setup.params) {
    report_.kind = spec_.sink() ? "sink" : "operator";
    model_.learn(runner);
    if (!options.input.empty()) record(options.input);
    model_.set_extent(heavy() ? 14 : 60, heavy() ? 40 : 200);
    if (spec_.sink() && path_param(spec_) != nullptr) {
      const Value* given = setup.params.find(path_param(spec_)->name);
      const std::string ending =
          given != nullptr ? std::filesystem::path(given->as_string()).extension().string() : "";
      output_ = (std::filesystem::path(setup.scratch) / ("output" + ending)).string();
    }
    add_laws();
  }

 private:
  void add_laws() {
    add("repeat", "the same stream again, in another process",
        [this](Trial& t) { return try_repeat(runner_, *t.reference); });
    if (spec_.sink()) {
      add_absent("causality", "a sink emits nothing");
    } else {
      add("causality", "input after t + lookahead replaced or left out", [this](Trial& t) {
        Random random(t.seed);
        return try_causality(runner_, *t.reference, random, needed_);
      });
    }
    const bool silent = spec_.sink() && output_.empty();
    if (silent) {
      add_absent("chunking", "nothing that it writes can be compared");
    } else {
      add("chunking",
          chunks() ? "cut at random, at every boundary, in ones; asked in between"
                   : "asked for its state in between; packets in other memory",
          [this](Trial& t) {
            Random random(t.seed);
            return try_chunking(runner_, *t.reference, random);
          });
    }
    if (const std::string why = unsavable(); !why.empty()) {
      add_absent("resume", "it says so itself: " + why);
    } else {
      add("resume", "stopped at random packets, resumed in another process", [this](Trial& t) {
        Random random(t.seed);
        return try_resume(runner_, *t.reference, random);
      });
    }
    if (contract_.order == Order::kArrival && spec_.inputs().size() > 1)
      add_absent("threads", "declares order = arrival, so its output may depend on scheduling");
    else
      add(
          "threads",
          contract_.keyed ? "graphs of 1, 2, 8 threads with delays; keys apart and together"
                          : "graphs of 1, 2, 8 threads with random delays",
          [this](Trial& t) { return ask_threads(t); }, heavy() ? 4 : 40);
    add(
        "memory", "streams again and again, doubling", [this](Trial& t) { return ask_memory(t); }, 3);
    add(
        "robustness", "odd values, wrong types, far times, nothing at all",
        [this](Trial& t) { return ask_robustness(t); }, 0, true);
  }

  /// Why the operator refuses to be saved, which ends a run that wants checkpoints; empty when it does not.
  std::string unsavable() {
    Scenario nothing;
    nothing.stop = 0;
    nothing.output = output_;
    const auto fault = runner_.run(nothing, Where::kUsual).fault;
    const bool refuses = fault && fault->phase == Phase::kSave && fault->kind == Fault::Kind::kError;
    return refuses ? fault->message : "";
  }

  bool chunks() const {
    return spec_.inputs().size() == 1 &&
           std::any_of(spec_.inputs().begin(), spec_.inputs().end(), [](const Port& p) {
             return p.type == PayloadType::kAudio || p.type == PayloadType::kBytes;
           });
  }

  /// Packets of a file, through the reader that its name asks for.
  void record(const std::string& path) {
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    Object params{{"path", std::filesystem::absolute(path).string()}};
    std::string reader = "bytes.read";
    const auto takes = [&](PayloadType type) {
      return std::any_of(spec_.inputs().begin(), spec_.inputs().end(),
                         [&](const Port& p) { return p.type == type; });
    };
    if (ending == ".wav" || ending == ".flac" || ending == ".ogg" || ending == ".oga") {
      reader = "audio.read";
      if (const auto only = model_.audio_needed())
        params.set("rate", only->first).set("channels", only->second);
    } else if (ending == ".jsonl" || ending == ".ndjson") {
      reader = "jsonl.read";
    } else if (!takes(PayloadType::kBytes) || ending == ".txt") {
      reader = "text.read";
    }
    model_.record(runner_.read_file(reader, params, kMostRecorded));
  }

  Shape shape_of(std::uint64_t seed) override { return make_shape(seed, model_.extent()); }
  Shape smaller(std::uint64_t seed, const std::function<bool(const Shape&)>& fails,
                const std::function<bool()>& more) override {
    return shrink_shape(seed, model_.extent(), fails, more);
  }

  Trial prepare(const Shape& shape, std::uint64_t seed) override {
    Trial trial;
    trial.seed = seed;
    trial.offered = model_.realise(shape);
    Scenario all;
    all.inputs = trial.offered;
    all.output = output_;
    all.skip_errors = true;
    trial.skipped = runner_.run(all, Where::kUsual);
    trial.refused = trial.skipped.refused;
    emitted_ += trial.skipped.emitted.size();
    for (const Fault& fault : trial.refused) tell_foreign(fault, "a packet");
    if (trial.skipped.fault && trial.skipped.fault->fatal()) {
      trial.fatal =
          Breach{"it did not survive an ordinary stream", "the packets as they are", {}, trial.skipped.fault};
      return trial;
    }
    Reference& reference = trial.reference.emplace(Reference{{}, {}, contract_, samples()});
    for (std::size_t i = 0; i < trial.offered.size(); ++i) {
      const bool refused = std::any_of(trial.refused.begin(), trial.refused.end(),
                                       [&](const Fault& fault) { return fault.step == i; });
      if (!refused) reference.scenario.inputs.push_back(trial.offered[i]);
    }
    reference.scenario.output = output_;
    reference.outcome =
        trial.refused.empty() ? trial.skipped : runner_.run(reference.scenario, Where::kUsual);
    return trial;
  }

  std::vector<std::string> shown(const Trial& trial) const override {
    std::vector<std::string> lines;
    const Inputs& inputs = trial.reference ? trial.reference->scenario.inputs : trial.offered;
    for (const Input& input : inputs) {
      std::string line = short_json(input.packet);
      if (spec_.inputs().size() > 1) line = spec_.inputs()[input.port].name + " " + line;
      lines.push_back(std::move(line));
    }
    return lines;
  }
  std::size_t size_of(const Trial& trial) const override { return trial.offered.size(); }

  // --- law 4

  std::optional<Breach> ask_threads(Trial& trial) {
    const Reference& reference = *trial.reference;
    if (contract_.keyed) {
      if (auto breach = keys_apart(reference)) return breach;
    }
    if (reference.outcome.fault) return {};  // the graph would end with it, wherever it stood then
    for (const int threads : {1, 2, 8}) {
      const std::uint64_t delays = threads == 1 ? 0 : trial.seed * 16 + static_cast<std::uint64_t>(threads);
      const GraphOutcome outcome = runner_.run_graph(reference.scenario, threads, delays, kCopies);
      const std::string tried = "a graph of " + std::to_string(kCopies) + " copies, " +
                                std::to_string(threads) +
                                (threads == 1 ? " thread" : " threads, with delays");
      if (outcome.fault)
        return Breach{outcome.fault->fatal() ? "it did not survive in a graph" : "the graph ended the run",
                      tried,
                      {},
                      outcome.fault};
      for (std::size_t copy = 0; copy < kCopies; ++copy) {
        Outcome got;
        if (copy < outcome.emitted.size()) got.emitted = outcome.emitted[copy];
        if (copy < outcome.written.size()) got.written = outcome.written[copy];
        if (auto breach = compared(reference.outcome, got, Equality::kPackets,
                                   "the output in a graph differs from that of the operator alone",
                                   tried + ", copy " + std::to_string(copy)))
          return breach;
      }
    }
    return {};
  }

  /// What a key's packets give must not depend on those of other keys around them.
  std::optional<Breach> keys_apart(const Reference& reference) {
    std::vector<std::string> keys;
    for (const Input& input : reference.scenario.inputs) {
      const std::string key(input.packet.key.str());
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    for (const std::string& key : keys) {
      const auto of_key = [&](const Packet& packet) { return packet.key.str() == key; };
      Scenario alone = reference.scenario;
      std::erase_if(alone.inputs, [&](const Input& input) { return !of_key(input.packet); });
      Outcome expected = runner_.run(alone, Where::kUsual), together = reference.outcome;
      // The instance without a key finishes too, though it saw nothing.
      std::erase_if(expected.emitted, [&](const Emission& e) { return !of_key(e.packet); });
      std::erase_if(together.emitted, [&](const Emission& e) { return !of_key(e.packet); });
      if (auto breach = compared(expected, together, Equality::kPackets,
                                 "the output for one key depends on packets of other keys",
                                 "the packets of key \"" + key + "\" alone, and among those of other keys"))
        return breach;
    }
    return {};
  }

  // --- law 5

  std::optional<Breach> ask_memory(Trial& trial) {
    if (trial.reference->scenario.inputs.size() < 4) {  // too little to grow by
      pass_over();
      return {};
    }
    std::string said;
    auto breach = heavy() ? try_memory(runner_, *trial.reference, 4096, 4, said)
                          : try_memory(runner_, *trial.reference, 1 << 16, 2, said);
    note("memory", said);
    return breach;
  }

  // --- robustness

  std::optional<Breach> ask_robustness(Trial& trial) {
    if (trial.fatal) return trial.fatal;
    const Reference& reference = *trial.reference;
    if (!trial.refused.empty() && repeats()) {
      const Fault& first = trial.refused.front();
      if (auto breach = compared(reference.outcome, trial.skipped, Equality::kPackets,
                                 "a packet that was refused left a trace in what came after it",
                                 "packet " + std::to_string(first.step) + " refused (" + first.message +
                                     "), and without that packet"))
        return breach;
    }
    const std::size_t count = StreamModel::hostile_count() * std::max<std::size_t>(1, spec_.inputs().size());
    const std::size_t each = std::max<std::size_t>(2, (count + trials() - 1) / trials());
    for (std::size_t i = 0; i < each; ++i) {
      if (auto breach = survive(reference, (trial.seed * each + i) % count, trial.seed)) return breach;
    }
    return {};
  }

  std::optional<Breach> survive(const Reference& reference, std::size_t which, std::uint64_t seed) {
    const std::size_t ports = std::max<std::size_t>(1, spec_.inputs().size());
    const std::size_t port = which % ports, number = which / ports;
    const Inputs& inputs = reference.scenario.inputs;
    const bool far = number + 3 >= StreamModel::hostile_count();
    std::size_t at = far ? inputs.size() : Random(seed).below(inputs.size() + 1);
    Packet beside;
    if (!inputs.empty()) beside = inputs[std::min(at, inputs.size() - 1)].packet;
    std::string name;
    const Packet packet = model_.hostile(port, number, beside, name);
    if (name.empty()) return {};
    Scenario scenario = reference.scenario;
    scenario.skip_errors = true;
    scenario.inputs.insert(scenario.inputs.begin() + static_cast<std::ptrdiff_t>(at), {port, packet});
    const Outcome outcome = runner_.run(scenario, Where::kUsual);
    const std::string tried =
        name + (at < inputs.size() ? " put in before packet " + std::to_string(at) : " put in at the end");
    if (outcome.fault && outcome.fault->fatal())
      return Breach{"it did not survive " + name, tried, {}, outcome.fault};
    if (outcome.refused.empty() || outcome.refused.front().step != at) return {};
    tell_foreign(outcome.refused.front(), name);
    if (!repeats()) return {};
    return compared(reference.outcome, outcome, Equality::kPackets,
                    "a packet that was refused left a trace in what came after it",
                    tried + " (refused: " + outcome.refused.front().message + ")");
  }

  void tell_foreign(const Fault& fault, const std::string& packet) {
    if (fault.kind != Fault::Kind::kForeign || told_foreign_) return;
    told_foreign_ = true;
    note("robustness",
         "refuses " + packet + " with an exception that is no stream::Error (" + fault.message + ")");
  }

  void conclude() override {
    if (spec_.sink() || law("causality").report.verdict != Verdict::kHeld) return;
    const Duration declared = contract_.lookahead;
    if (declared == kUnbounded || declared == Duration{0}) return;
    if (emitted_ == 0) {
      note("causality", "nothing came out of any stream: give a file of real input with --input");
      return;
    }
    // Streams show a lookahead only as fine as their packets lie.
    if (needed_ + declared / 4 < declared)
      note("causality", "declares a lookahead of " + to_string(declared) +
                            ", of which no stream needed more than " + to_string(needed_));
  }

  static constexpr std::size_t kMostRecorded = 3000;
  ProcessRunner& runner_;
  const Spec spec_;
  StreamModel model_;
  std::string output_;
  Duration needed_{0};
  std::size_t emitted_ = 0;
  bool told_foreign_ = false;
};

}  // namespace

SubjectReport examine_operator(ProcessRunner& runner, const Setup& setup, const CheckOptions& options,
                               const Watcher& watcher) {
  return OperatorExamination(runner, setup, options).run(watcher);
}

}  // namespace stream::laws
