/// A recipe as a whole: the program runs it on a file, on pipes of the same bytes, with several numbers of
/// threads, and killed and resumed; what it writes must always be the same.

#include <algorithm>
#include <filesystem>

#include "check/content.hpp"
#include "check/examination.hpp"
#include "check/fed_pipe.hpp"
#include "check/recipe_run.hpp"
#include "stream/file.hpp"

namespace stream::laws {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 28;
constexpr std::size_t kMostPieces = 1000;
constexpr std::size_t kMostKills = 30;

class RecipeExamination final : public Examination {
 public:
  RecipeExamination(const RecipeSetup& setup, const CheckOptions& options)
      : Examination(setup.title, options, Contract{}), setup_(setup) {
    report_.kind = "recipe";
    if (!setup.input.empty()) {
      given_ =
          Feed{read_file(setup.input, kLargestFile), std::filesystem::path(setup.input).extension().string()};
    } else if (!content_for(setup.reads, Shape{})) {
      throw Error(ExitCode::kUsage, setup.title + ": no plain format of " + stream::name_of(setup.reads) +
                                        " packets is known to make up: give a file with --input");
    }
    const std::string folder = std::filesystem::path(setup.scratch).string();
    output_ = folder + "/output" + setup.ending;
    checkpoint_ = folder + "/checkpoint";
    add("repeat", "the same run again", [this](Trial& t) {
      return differs(t, {}, nullptr, "the same input gave another output", "the same command again");
    });
    add_absent("causality", "it is its operators' to keep: see each of them");
    add("chunking", "a file, and stdin that brings it in pieces",
        [this](Trial& t) { return ask_chunking(t); });
    add("resume", "killed at random instants, resumed until it ends",
        [this](Trial& t) { return ask_resume(t); });
    add("threads", "--threads 1, 2 and 8", [this](Trial& t) { return ask_threads(t); });
    add_absent("memory", "it is its operators' to keep: see each of them");
    add(
        "robustness", "input cut and damaged", [this](Trial& t) { return ask_robustness(t); }, 0, true);
  }

 private:
  std::size_t trials() const override { return options_.trials.value_or(given_ ? 3 : 10); }

  std::vector<std::string> command(const std::string& input, const std::vector<std::string>& more) const {
    std::vector<std::string> words = options_.run_program;
    words.push_back(setup_.file);
    words.insert(words.end(), setup_.words.begin(), setup_.words.end());
    words.insert(words.end(), {"-i", input, "-o", output_, "--progress", "never"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::string written() const {
    return std::filesystem::exists(output_) ? read_file(output_, kLargestFile) : std::string();
  }

  /// What a run came to: its output, and how it ended when not well.
  Outcome outcome_of(const RecipeEnd& end) const {
    Outcome outcome;
    outcome.written = written();
    if (end.exit_code == 0 && end.signal == 0) return outcome;
    Fault fault;
    fault.phase = Phase::kGraph;
    fault.kind = end.timed_out     ? Fault::Kind::kHang
                 : end.signal != 0 ? Fault::Kind::kCrash
                                   : Fault::Kind::kError;
    fault.message = end.timed_out     ? "did not end in time"
                    : end.signal != 0 ? "died of signal " + std::to_string(end.signal)
                                      : "exit code " + std::to_string(end.exit_code);
    if (!end.said.empty()) fault.message += ", saying: " + end.said;
    outcome.fault = std::move(fault);
    return outcome;
  }

  Outcome once(const Feed& feed, const std::vector<std::string>& more, const Feed* piped) {
    std::filesystem::remove(output_);
    const ScratchFile file(feed.bytes, feed.ending, setup_.scratch);
    RecipeRun run{command(piped != nullptr ? "-" : file.path(), more), piped, {}, setup_.timeout};
    return outcome_of(run_recipe(run));
  }

  Shape shape_of(std::uint64_t seed) override { return make_shape(seed, Extent{1, 1, 60, 0}); }
  Shape smaller(std::uint64_t seed, const std::function<bool(const Shape&)>& fails,
                const std::function<bool()>& more) override {
    return given_ ? Shape{} : shrink_shape(seed, Extent{1, 1, 60, 0}, fails, more);
  }

  Trial prepare(const Shape& shape, std::uint64_t seed) override {
    Trial trial;
    trial.seed = seed;
    Reference& reference = trial.reference.emplace(Reference{{}, {}, contract_, samples()});
    reference.scenario.feed = given_ ? *given_ : content_for(setup_.reads, shape);
    const auto begun = std::chrono::steady_clock::now();
    reference.outcome = once(*reference.scenario.feed, {"--threads", "1"}, nullptr);
    took_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    const auto& fault = reference.outcome.fault;
    if (fault && fault->fatal()) {
      trial.fatal = Breach{"the run did not survive an ordinary input", "the input as it is", {}, fault};
      trial.reference.reset();
    } else if (fault) {
      ++refused_;
      refusal_ = fault->message;
    }
    return trial;
  }

  std::vector<std::string> shown(const Trial& trial) const override {
    if (!trial.reference) return {};
    if (given_) return {setup_.input};
    const std::string& bytes = trial.reference->scenario.feed->bytes;
    return {short_json(Packet::of<Text>(Time{0}, bytes.substr(0, 400)))};
  }
  std::size_t size_of(const Trial& trial) const override {
    return trial.reference ? trial.reference->scenario.feed->bytes.size() : 0;
  }
  const char* unit() const override { return "bytes"; }

  std::optional<Breach> differs(Trial& trial, const std::vector<std::string>& more, const Feed* piped,
                                const std::string& what, const std::string& tried) {
    const Outcome got = once(*trial.reference->scenario.feed, more, piped);
    return compared(trial.reference->outcome, got, Equality::kPackets, what, tried);
  }

  std::optional<Breach> ask_chunking(Trial& trial) {
    for (const std::size_t most : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
      Feed feed = *trial.reference->scenario.feed;
      if (feed.bytes.size() / most > kMostPieces) continue;
      feed.most = most;
      feed.seed = trial.seed;
      if (auto breach = differs(trial, {}, &feed, "stdin gave another output than a file of the same bytes",
                                "through stdin, in pieces of 1 to " + std::to_string(most) + " bytes"))
        return breach;
    }
    return {};
  }

  std::optional<Breach> ask_threads(Trial& trial) {
    for (const char* threads : {"1", "2", "8"}) {
      if (auto breach =
              differs(trial, {"--threads", threads}, nullptr, "another number of threads gave another output",
                      std::string("--threads ") + threads))
        return breach;
    }
    return {};
  }

  std::optional<Breach> ask_resume(Trial& trial) {
    if (trial.reference->outcome.fault) return {};
    Random random(trial.seed);
    const Feed& feed = *trial.reference->scenario.feed;
    const ScratchFile file(feed.bytes, feed.ending, setup_.scratch);
    std::filesystem::remove(output_);
    for (std::size_t i = 0; i < 5; ++i)
      std::filesystem::remove(checkpoint_ + (i == 0 ? "" : "." + std::to_string(i)));
    std::size_t kills = 0;
    RecipeEnd end;
    do {
      RecipeRun run{command(file.path(), {"--checkpoint", checkpoint_, "--every", "10ms", "--resume"}),
                    nullptr,
                    {},
                    setup_.timeout};
      if (kills < kMostKills && random.below(4) != 0) run.kill_after = random.uniform(0, took_ * 1.2);
      end = run_recipe(run);
      if (end.killed) ++kills;
    } while (end.killed);
    return compared(trial.reference->outcome, outcome_of(end), Equality::kPackets,
                    "the output of the resumed run differs from that of the undisturbed one",
                    "killed " + std::to_string(kills) + " times and resumed, with a checkpoint every 10 ms");
  }

  std::optional<Breach> ask_robustness(Trial& trial) {
    if (trial.fatal) return trial.fatal;
    Random random(trial.seed);
    std::string how;
    const Feed feed = damaged(*trial.reference->scenario.feed, random, how);
    const Outcome outcome = once(feed, {}, nullptr);
    if (outcome.fault && outcome.fault->fatal())
      return Breach{"the run did not survive damaged input", "the input " + how, {}, outcome.fault};
    return {};
  }

  void conclude() override {
    if (refused_ * 2 >= std::max<std::size_t>(1, report_.trials))
      report_.notes.push_back(std::to_string(refused_) + " of the inputs ended the run (" + refusal_ +
                              "): give a file of real input with --input");
  }

  const RecipeSetup setup_;
  std::string output_, checkpoint_;
  std::optional<Feed> given_;
  double took_ = 0;
  std::size_t refused_ = 0;
  std::string refusal_;
};

}  // namespace

SubjectReport examine_recipe(const RecipeSetup& setup, const CheckOptions& options, const Watcher& watcher) {
  RecipeExamination examination(setup, options);
  SubjectReport report = examination.run(watcher);
  report.contract = "its output is a function of its input";
  return report;
}

}  // namespace stream::laws
