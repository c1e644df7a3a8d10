/// Learners on event streams: bandits and dictionaries, inside the operator and through the program.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "bandits/bandits_single_pass.hpp"
#include "bandits/recovering_policies.hpp"
#include "compare.hpp"
#include "signals/dictionary_learner.hpp"
#include "signals/planted.hpp"

namespace stream::bench {
namespace {

using testing::Program;
using testing::ScratchFolder;

template <typename F>
double seconds_of(F&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// One measured rate against a stated one: the ratio is stated / measured, which may be 1 at the most.
Row rate(std::string what, std::string unit, double stated, const std::vector<double>& measured) {
  std::vector<double> ratios;
  for (const double m : measured) ratios.push_back(stated / m);
  Row row{std::move(what), "stated", median(measured), stated, std::move(unit), median(ratios), 1.0, 0};
  std::vector<double> sorted = ratios;
  std::sort(sorted.begin(), sorted.end());
  row.spread = (sorted[sorted.size() * 3 / 4] - sorted[sorted.size() / 4]) / 2 / row.ratio;
  return row;
}

constexpr int kRepeats = 5;

/// Arrivals and answers of a log-tower that is asked all the time.
double single_pass_rate() {
  constexpr std::uint64_t kArms = 400'000;
  bandits::SinglePass pass({kArms, 4'000'000'000'000}, {.algorithm = "log-tower"});
  std::uint64_t events = 0;
  Random random(1);
  const double seconds = seconds_of([&] {
    for (std::uint64_t i = 0; i < kArms; ++i) {
      auto step = pass.arrive({std::to_string(i)});
      ++events;
      while (step.kind == bandits::SinglePass::Step::Kind::kPull) {
        step = pass.answer(pass.arms().at(step.place).id, step.pulls, random.uniform());
        ++events;
      }
      pass.take_dropped();
    }
  });
  return static_cast<double>(events) / seconds;
}

/// Pulls and rewards of the recovering learner, planning included.
double recovering_rate() {
  constexpr std::size_t kArms = 30, kSlots = 5;
  bandits::CalendarLearner learner({kArms, 16, kSlots, 4096, {.periods = 400'000}});
  std::uint64_t events = 0;
  Random random(2);
  const double seconds = seconds_of([&] {
    for (std::int64_t t = 0; t < 400'000; ++t) {
      ++events;
      for (const std::size_t arm : learner.pulls(t)) learner.observe(arm, random.uniform()), ++events;
    }
  });
  return static_cast<double>(events) / seconds;
}

/// A dialogue as lines of JSON: of every arm the announcement and its answers, one reward a line.
std::string dialogue(std::size_t events) {
  bandits::SinglePass pass({1'000'000, 100'000'000}, {.algorithm = "uniform"});
  std::string text;
  Random random(3);
  std::size_t lines = 0;
  for (int i = 0; lines < events; ++i) {
    const std::string id = "\"ad-" + std::to_string(i) + '"';
    auto step = pass.arrive({id});
    text += "{\"arm\": " + id + "}\n";
    ++lines;
    for (std::uint64_t n = step.pulls; n > 0; --n, ++lines) {
      const int reward = random.uniform() < 0.3 ? 1 : 0;
      text += "{\"arm\": " + id + ", \"reward\": " + std::to_string(reward) + "}\n";
      step = pass.answer(id, 1, reward);
    }
  }
  return text;
}

std::string single_pass_recipe() {
  return "[nodes.in]\nuse = \"jsonl.read\"\n[nodes.choice]\nuse = \"bandits.single_pass\"\nfrom = \"in\"\n"
         "arms = 1000000\ntrials = 100000000\nalgorithm = \"uniform\"\n[nodes.out]\nuse = "
         "\"jsonl.write\"\nfrom = "
         "\"choice\"\n";
}

std::vector<Row> bandits() {
  std::vector<double> single, recovering;
  for (int i = 0; i < kRepeats; ++i)
    single.push_back(single_pass_rate()), recovering.push_back(recovering_rate());
  std::vector<Row> rows{rate("single-pass events inside the operator", "1/s", 5e6, single),
                        rate("recovering events inside the operator", "1/s", 5e6, recovering)};
  const ScratchFolder scratch;
  const std::string input = (scratch / "events.jsonl").string(), recipe = (scratch / "choice.toml").string();
  constexpr std::size_t kEvents = 1'000'000;
  testing::write_contents(input, dialogue(kEvents));
  testing::write_contents(recipe, single_pass_recipe());
  std::vector<double> lines;
  for (int i = 0; i < kRepeats; ++i) {
    const auto outcome =
        run_or_throw({.argv = {"taskset", "-c", "0", stream_program(), "run", recipe, "--threads", "1"},
                      .input = "",
                      .input_file = input,
                      .output_file = (scratch / "out.jsonl").string()});
    lines.push_back(static_cast<double>(kEvents) / outcome.wall_seconds);
  }
  rows.push_back(rate("bandit events as JSON lines on stdin, one core", "1/s", 3e5, lines));
  return rows;
}

/// Vowpal Wabbit's command line, where PATH or STREAM_VW names one; learning from contextual-bandit lines of
/// two actions without features: the least that it can be asked.
std::vector<Row> vowpal_wabbit() {
  const char* const named = std::getenv("STREAM_VW");
  const std::string vw = named ? named : "vw";
  const bool python = vw.ends_with("python") || vw.ends_with("python3");
  // Debian 12 has no package of it.
  const auto there = testing::run(
      {.argv = {"sh", "-c", python ? vw + " -c 'import vowpalwabbit'" : "command -v " + vw}, .input = ""});
  if (there.exit_code != 0) {
    std::fprintf(
        stderr,
        "bench-peers: vw: skipped: '%s' is not there; STREAM_VW may name a program, or a Python with "
        "the package vowpalwabbit\n",
        vw.c_str());
    return {};
  }
  const ScratchFolder scratch;
  const std::string events = (scratch / "events.jsonl").string(), recipe = (scratch / "choice.toml").string();
  const std::string lines = (scratch / "events.vw").string();
  constexpr std::size_t kEvents = 2'000'000;
  testing::write_contents(events, dialogue(kEvents));
  testing::write_contents(recipe, single_pass_recipe());
  std::string text;
  for (std::size_t i = 0; i < kEvents; ++i)
    text += std::to_string(1 + i % 2) + (i % 3 == 0 ? ":1" : ":0") + ":0.5 | a\n";
  testing::write_contents(lines, text);
  // The Python package has no command of its own: its module takes the same arguments.
  const std::vector<std::string> probe =
      python ? std::vector<std::string>{vw, "-c",
                                        "import sys\nfrom vowpalwabbit import Workspace\n"
                                        "w = Workspace(' '.join(sys.argv[1:]))\nw.finish()"}
             : std::vector<std::string>{vw};
  const auto peer = [&] {
    Program program{.argv = probe, .input = ""};
    for (const char* argument : {"--cb_explore", "2", "--quiet", "-d"}) program.argv.emplace_back(argument);
    program.argv.push_back(lines);
    return static_cast<double>(kEvents) / run_or_throw(std::move(program)).wall_seconds;
  };
  const auto ours = [&] {
    return static_cast<double>(kEvents) /
           run_or_throw({.argv = {stream_program(), "run", recipe, "--threads", "1"},
                         .input = "",
                         .input_file = events,
                         .output_file = (scratch / "out.jsonl").string()})
               .wall_seconds;
  };
  // Seconds for each event on both sides: smaller is faster.
  const Comparison c = compare(
      kRepeats, [&] { return 1e6 / ours(); }, [&] { return 1e6 / peer(); });
  return {row("a bandit event as a line of JSON", "Vowpal Wabbit, a line of its text", "us", c, 1.0)};
}

/// Vectors of 64 that the learner takes each second, and whether the millionth takes longer than the first.
std::vector<Row> dictionary() {
  constexpr std::size_t kSize = 64, kPool = 8192, kChunk = 200'000, kAll = 10'000'000;
  Random random(4);
  const signals::Planted planted(kSize, 0.2, 0.01, random);
  std::vector<std::vector<double>> pool(kPool, std::vector<double>(kSize));
  for (auto& y : pool) planted.draw(random, y);
  signals::DictionaryLearner learner({.size = kSize, .batch = 64, .polar_every = 8},
                                     signals::Matrix::random_orthogonal(kSize, random));
  std::vector<double> rates;
  std::size_t next = 0;
  while (next < kAll) {
    const double seconds = seconds_of([&] {
      for (std::size_t i = 0; i < kChunk; ++i) learner.learn(pool[next++ % kPool]);
    });
    rates.push_back(static_cast<double>(kChunk) / seconds);
  }
  std::vector<Row> rows{rate("dictionary of 64, vectors learnt", "1/s", 2e5, rates)};
  const std::size_t tenth = rates.size() / 10;
  const double early = median({rates.begin(), rates.begin() + static_cast<std::ptrdiff_t>(tenth)}),
               late = median({rates.end() - static_cast<std::ptrdiff_t>(tenth), rates.end()});
  rows.push_back({"time for a vector, the last million of ten", "the first million", 1e6 / late, 1e6 / early,
                  "us", early / late, 1.25, rows[0].spread});
  return rows;
}

/// The median event of bench-recommend-pisa, which prints it first, and how much its search finds.
std::vector<Row> recommendations() {
  const auto printed = [](std::vector<std::string> argv) {
    return run_or_throw({.argv = std::move(argv), .input = "", .environment = {"OMP_NUM_THREADS=1"}}).out;
  };
  const auto ours = [&] {
    return std::stod(printed({STREAM_BINARY_DIR "/bin/bench-recommend-pisa", "400"}));
  };
  const Comparison python = compare(3, ours, [&] {
    return std::stod(
        printed({"/usr/bin/python3", STREAM_SOURCE_DIR "/tests/bench/recommend_pisa.py", "200"}));
  });
  const std::string out = printed({STREAM_BINARY_DIR "/bin/bench-recommend-pisa", "10"});
  const double recall = std::stod(out.substr(out.find(' ')));
  return {row("a list of 100 000 items after an event", "Python and PyTorch", "us", python, 1.0 / 10),
          {"a list of 100 000 items after an event", "stated", python.ours, 1000, "us", python.ours / 1000,
           1.0, 0},
          {"recall@10 of the search", "stated", recall, 0.95, "", 0.95 / recall, 1.0, 0}};
}

}  // namespace

std::vector<Benchmark> event_benchmarks() {
  return {{"bandits", "bandit events inside the operator and as JSON lines", bandits},
          {"vw", "bandit events against Vowpal Wabbit (STREAM_VW: vw, or a Python that has vowpalwabbit)",
           vowpal_wabbit},
          {"dictionary", "vectors a second, and over ten million", dictionary},
          {"recommend", "PISA's list of 100 000 items after one event", recommendations}};
}

}  // namespace stream::bench
