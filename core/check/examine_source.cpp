/// Sources: readers of a path, which are given files and pipes of made-up content, and generators, which are
/// read as they are.
#include <algorithm>
#include <filesystem>

#include "check/content.hpp"
#include "check/examination.hpp"
#include "stream/file.hpp"

namespace stream::laws {
namespace {

/// Each costs a change of threads or two.
constexpr std::size_t kMostPieces = 300;
constexpr std::size_t kLargestLivePiece = 4000;
constexpr std::uint64_t kLargestInput = std::uint64_t{16} << 20;

class SourceExamination final : public Examination {
 public:
  SourceExamination(ProcessRunner& runner, const Setup& setup, const CheckOptions& options)
      : Examination(setup.operation, options, runner.spec().contract()),
        runner_(runner),
        setup_(setup),
        spec_(runner.spec()) {
    report_.kind = "source";
    type_ = spec_.outputs().empty() ? PayloadType::kAny : spec_.outputs().front().type;
    reads_path_ = path_param(spec_) != nullptr;
    if (!options.input.empty()) {
      given_ = Feed{read_file(options.input, kLargestInput),
                    std::filesystem::path(options.input).extension().string()};
    } else if (reads_path_ && !content_for(type_, Shape{})) {
      throw Error(ExitCode::kUsage, setup.operation + ": no plain format of " + stream::name_of(type_) +
                                        " packets is known to make up: give a file with --input");
    }
    add_laws();
  }

 private:
  void add_laws() {
    add(
        "repeat", "the same input again, in another process",
        [this](Trial& t) { return try_repeat(runner_, *t.reference); }, generator_trials());
    add("causality", "a source has no input; times must not go back", [](Trial& t) {
      Duration ignored{0};
      return check_punctual(*t.reference, ignored);
    });
    if (reads_path_)
      add("chunking", "a file, and pipes that bring it in pieces, even single bytes",
          [this](Trial& t) { return ask_chunking(t); });
    else
      add_absent("chunking", "it reads nothing that could be cut");
    add(
        "resume", "stopped after random reads, resumed in another process",
        [this](Trial& t) {
          Random random(t.seed);
          return try_resume(runner_, *t.reference, random);
        },
        generator_trials());
    if (reads_path_)  // a generator may not end
      add(
          "threads", "graphs of 1, 2, 8 threads with random delays",
          [this](Trial& t) { return ask_threads(t); }, heavy() ? 4 : 40);
    else
      add_absent("threads", "a source runs on a thread of its own, and this one reads nothing");
    add(
        "memory", reads_path_ ? "a longer input, from a file and slowly through a pipe" : "a longer stream",
        [this](Trial& t) { return ask_memory(t); }, 2);
    if (reads_path_)
      add(
          "robustness", "input cut, damaged or missing; reads interrupted",
          [this](Trial& t) { return ask_robustness(t); }, 0, true);
    else
      add_absent("robustness", "it takes nothing that could be wrong but its parameters");
  }
  /// One reading of a generator is like another.
  std::size_t generator_trials() const { return reads_path_ ? 0 : 3; }

  Extent extent() const { return Extent{1, 1, heavy() ? 14 : 60, 0}; }
  Shape shape_of(std::uint64_t seed) override { return make_shape(seed, extent()); }
  Shape smaller(std::uint64_t seed, const std::function<bool(const Shape&)>& fails,
                const std::function<bool()>& more) override {
    if (given_ || !reads_path_) return {};
    return shrink_shape(seed, extent(), fails, more);
  }

  Trial prepare(const Shape& shape, std::uint64_t seed) override {
    Trial trial;
    trial.seed = seed;
    Reference& reference = trial.reference.emplace(Reference{{}, {}, contract_, samples()});
    if (reads_path_)
      reference.scenario.feed = given_ ? *given_ : content_for(type_, shape);
    else
      reference.scenario.stop = heavy() ? 4 : 32;
    reference.outcome = runner_.run(reference.scenario, Where::kUsual);
    const auto& fault = reference.outcome.fault;
    if (fault && fault->phase == Phase::kMake && !fault->fatal())
      throw bad_recipe(setup_.operation + ": " + fault->message);
    if (fault && fault->fatal()) {
      trial.fatal = Breach{"it did not survive an ordinary input", "the input as it is", {}, fault};
      trial.reference.reset();
      return trial;
    }
    if (fault && reads_path_) {
      ++refused_;
      refusal_ = fault->message;
    }
    last_shape_ = shape;
    return trial;
  }

  std::vector<std::string> shown(const Trial& trial) const override {
    if (!reads_path_) return {"(it reads nothing)"};
    if (!trial.reference) return {};
    const std::string& bytes = trial.reference->scenario.feed->bytes;
    return {short_json(Packet::of<Bytes>(Time{0}, Buffer::own(std::string(bytes)))),
            short_json(Packet::of<Text>(Time{0}, bytes.substr(0, 400)))};
  }
  std::size_t size_of(const Trial& trial) const override {
    if (!trial.reference) return 0;
    return trial.reference->scenario.feed ? trial.reference->scenario.feed->bytes.size()
                                          : trial.reference->outcome.emitted.size();
  }
  const char* unit() const override { return reads_path_ ? "bytes" : "packets"; }

  std::optional<Breach> ask_chunking(Trial& trial) {
    const Reference& reference = *trial.reference;
    const std::size_t size = reference.scenario.feed->bytes.size();
    Scenario asked = reference.scenario;
    for (std::size_t i = 0; i < 32; ++i) asked.probes.push_back(i * 2);
    Outcome undisturbed = runner_.run(asked, Where::kUsual);
    if (auto breach = compared(reference.outcome, undisturbed, Equality::kPackets,
                               "being asked for its state and interrupted between reads changed the output",
                               "save, fraction and interrupt called between reads"))
      if (!breach->fault || breach->fault->fatal() || breach->fault->phase != Phase::kSave) return breach;
    for (const std::size_t most : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, std::size_t{100000}}) {
      if (size / most > kMostPieces) continue;
      Scenario piped = reference.scenario;
      piped.feed->most = most;
      piped.feed->seed = trial.seed;
      Outcome outcome = runner_.run(piped, Where::kUsual);
      if (auto breach =
              compared(reference.outcome, outcome, Equality::kPackets,
                       "a pipe of the same bytes gave another output than the file",
                       most == 1 ? "through a pipe, one byte at a time"
                                 : "through a pipe, in pieces of 1 to " + std::to_string(most) + " bytes"))
        return breach;
    }
    return {};
  }

  std::optional<Breach> ask_threads(Trial& trial) {
    const Reference& reference = *trial.reference;
    if (reference.outcome.fault) return {};
    for (const int threads : {1, 2, 8}) {
      const std::uint64_t delays = threads == 1 ? 0 : trial.seed * 16 + static_cast<std::uint64_t>(threads);
      const GraphOutcome outcome = runner_.run_graph(reference.scenario, threads, delays, 2);
      const std::string tried = "a graph of two copies, " + std::to_string(threads) + " threads";
      if (outcome.fault) return Breach{"the graph ended the run", tried, {}, outcome.fault};
      for (const auto& emitted : outcome.emitted) {
        Outcome got;
        got.emitted = emitted;
        if (auto breach = compared(reference.outcome, got, Equality::kPackets,
                                   "the output in a graph differs from that of the source alone", tried))
          return breach;
      }
    }
    return {};
  }

  std::optional<Breach> ask_memory(Trial& trial) {
    Reference longer = *trial.reference;
    constexpr std::size_t kTimes = 400, kMost = 8 << 20;
    if (reads_path_ && !given_) {
      const std::size_t size = std::max<std::size_t>(1, longer.scenario.feed->bytes.size());
      longer.scenario.feed =
          longer_content_for(type_, last_shape_, std::clamp<std::size_t>(kMost / size, 1, kTimes));
    }
    std::string said;
    const std::uint64_t packets = heavy() ? 64 : 1 << 14;
    const double seconds = heavy() ? 6 : 3;
    auto breach = try_memory(runner_, longer, packets, seconds, said);
    if (!breach && reads_path_) {
      // A live input comes in pieces smaller than any block.
      longer.scenario.feed->most = kLargestLivePiece;
      longer.scenario.feed->seed = trial.seed;
      longer.scenario.feed->slow = true;
      breach = try_memory(runner_, longer, packets, seconds, said, Judged::kProcess);
      if (breach) breach->tried = "a pipe that brings it in pieces, each when the one before was read";
    }
    note("memory", said);
    return breach;
  }

  std::optional<Breach> ask_robustness(Trial& trial) {
    if (trial.fatal) return trial.fatal;
    Random random(trial.seed);
    Scenario scenario = trial.reference->scenario;
    std::string how;
    scenario.feed = damaged(*scenario.feed, random, how);
    if (random.below(2) == 0) scenario.feed->most = 100;
    const Outcome outcome = runner_.run(scenario, Where::kUsual);
    if (outcome.fault && outcome.fault->fatal())
      return Breach{"it did not survive damaged input", "the input " + how, {}, outcome.fault};
    if (outcome.fault && outcome.fault->kind == Fault::Kind::kForeign)
      note("robustness", "refuses input " + how + " with an exception that is no stream::Error (" +
                             outcome.fault->message + ")");
    if (trial.seed != options_.seed) return {};
    if (auto fault = runner_.interrupt(*trial.reference->scenario.feed); fault && fault->fatal())
      return Breach{"interrupt() did not bring a blocked read back", "a pipe that stays open", {}, fault};
    return {};
  }

  void conclude() override {
    if (refused_ > 0 && refused_ * 2 >= report_.trials)
      report_.notes.push_back(std::to_string(refused_) + " of the inputs were refused (" + refusal_ +
                              "): give a file of real input with --input");
  }

  ProcessRunner& runner_;
  const Setup setup_;
  const Spec spec_;
  PayloadType type_;
  bool reads_path_ = false;
  std::optional<Feed> given_;
  Shape last_shape_;
  std::size_t refused_ = 0;
  std::string refusal_;
};

}  // namespace

SubjectReport examine_source(ProcessRunner& runner, const Setup& setup, const CheckOptions& options,
                             const Watcher& watcher) {
  return SourceExamination(runner, setup, options).run(watcher);
}

}  // namespace stream::laws
