/// Learners that learn from every event: the kernels of plugins/rl against libtorch's modules and a loop in
/// Python, CartPole inside the graph, and a million learners by key. All times are processor time, which is
/// what one core has to give; the rest of the machine may be busy.
#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "clock.hpp"
#include "compare.hpp"
#include "environments/cartpole.hpp"
#include "rl/controller.hpp"
#include "rl/rl_predict.hpp"
#include "stream/testing.hpp"

namespace stream::bench {
namespace {

using testing::ScratchFolder;

/// Microseconds of an update of stream Q, network 5 -> 32 -> 32 -> 2: what rl_loop.py and rl_torch.cpp do.
double kernel_update(long updates) {
  Random random(1);
  rl::TraceLearner learner({.inputs = 5, .hidden = {32, 32}, .outputs = 2}, {}, 0.9, random);
  std::vector<std::vector<double>> samples(1024, std::vector<double>(5));
  for (auto& sample : samples)
    for (double& x : sample) x = random.normal();
  const double start = thread_seconds();
  for (long t = 0; t < updates; ++t) {
    const auto& x = samples[static_cast<std::size_t>(t % 1023)];
    const auto after = learner.peek(samples[static_cast<std::size_t>(t % 1023 + 1)]);
    const double target = 1 + 0.99 * std::max(after[0], after[1]);
    const auto action = static_cast<std::size_t>(t % 2);
    const double weight[] = {action == 0 ? 1.0 : 0.0, action == 1 ? 1.0 : 0.0};
    const double q = learner.forward(x)[action];
    learner.learn(weight, target - q, 0.99 * 0.8, t % 50 == 49);
  }
  return 1e6 * (thread_seconds() - start) / static_cast<double>(updates);
}

double printed(std::vector<std::string> argv) {
  return std::stod(
      run_or_throw({.argv = std::move(argv), .input = "", .environment = {"OMP_NUM_THREADS=1"}}).out);
}

std::vector<Row> updates() {
  const auto ours = [] { return kernel_update(200'000); };
  const Comparison modules = compare(7, ours, [] {
    return printed({STREAM_BINARY_DIR "/bin/bench-rl-torch", "3000"});
  });
  const Comparison loop = compare(5, ours, [] {
    return printed({"/usr/bin/python3", STREAM_SOURCE_DIR "/tests/bench/rl_loop.py", "2000"});
  });
  return {row("update of stream Q, 32 wide", "libtorch modules", "us", modules, 1.0 / 10),
          row("update of stream Q, 32 wide", "Python and PyTorch", "us", loop, 1.0 / 30)};
}

/// Microseconds of a step of CartPole: environment, choice, update.
double cartpole_step(std::vector<std::size_t> hidden) {
  constexpr int kSteps = 500'000;
  rl::Settings settings;
  settings.hidden = std::move(hidden), settings.time_limit = 500;
  CartPole world{Params(CartPole::spec(), {})};
  rl::Controller q(rl::Algorithm::kQ, settings, 4, {.choices = 2}, Random(1));
  Random seeds(2);
  const double start = thread_seconds();
  for (int t = 0; t < kSteps; ++t) {
    if (!q.acting()) q.begin(world.reset(seeds()));
    const Transition seen = world.step(q.action());
    q.step(seen.reward, seen.observation, seen.over());
  }
  return 1e6 * (thread_seconds() - start) / kSteps;
}

std::vector<Row> cartpole() {
  constexpr double kAllowed = 5;  // us: 200 000 steps a second
  const auto allowed = [] { return kAllowed; };
  std::vector<Row> rows;
  rows.push_back(row("step of CartPole, stream Q, 32", "200 000 a second", "us",
                     compare(
                         9, [] { return cartpole_step({32}); }, allowed),
                     1));
  rows.push_back(row("step of CartPole, stream Q, 32, 32", "200 000 a second", "us",
                     compare(
                         9,
                         [] {
                           return cartpole_step({32, 32});
                         },
                         allowed),
                     1));
  const auto program = [] {
    const auto spent = [](const char* steps) {
      const std::string recipe = STREAM_SOURCE_DIR "/recipes/rl-cartpole.toml";
      return run_or_throw({.argv = {stream_program(), "run", recipe, "--set",
                                    std::string("params.steps=") + steps, "--threads", "1"},
                           .input = ""})
          .cpu_seconds;
    };
    return spent("1050000") - spent("50000");
  };
  rows.push_back(row("step of CartPole, through `stream run`", "200 000 a second", "us",
                     compare(5, program, allowed), 1));
  return rows;
}

/// A recipe with rl.predict over a file of so many rounds through so many keys, scattered.
std::string key_recipe(const ScratchFolder& folder, const std::string& name, std::size_t keys, int rounds,
                       bool keyed) {
  const std::string events = (folder / (name + ".jsonl")).string();
  std::string recipe = (folder / (name + ".toml")).string();
  std::ofstream out(events);
  Random random(1);
  char line[128];
  for (int r = 0; r < rounds; ++r)
    for (std::size_t i = 0; i < keys; ++i) {
      const int size = std::snprintf(
          line, sizeof line, "{\"k\":%zu,\"x\":[%.3f,%.3f,%.3f,%.3f],\"c\":%.3f}\n", i * 7919 % keys,
          random.uniform(), random.uniform(), random.uniform(), random.uniform(), random.uniform());
      out.write(line, size);
    }
  testing::write_contents(recipe, "[nodes.in]\nuse = \"jsonl.read\"\npath = \"" + events + "\"\n" +
                                      (keyed ? "key = \"k\"\n" : "") +
                                      "[nodes.v]\nuse = \"rl.predict\"\nfrom = \"in\"\nhidden = [8]\n"
                                      "[nodes.end]\nuse = \"discard\"\nfrom = \"v\"\n");
  return recipe;
}

/// A million keys, each of them in every round; the first rounds, in which the learners are made, do not
/// count.
std::vector<Row> million_keys() {
  constexpr std::size_t kKeys = 1'000'000;
  const ScratchFolder folder;
  const std::string few = key_recipe(folder, "few", kKeys, 1, true),
                    many = key_recipe(folder, "many", kKeys, 3, true),
                    one = key_recipe(folder, "one", kKeys, 1, false);
  const auto spent = [](const std::string& recipe) {
    return run_or_throw({.argv = {stream_program(), "run", recipe, "--threads", "1"}, .input = ""});
  };
  double resident = 0;
  const Comparison c = compare(
      3,
      [&] {
        const auto all = spent(many);
        resident = static_cast<double>(all.peak_bytes) / kKeys;
        return 1e6 * (all.cpu_seconds - spent(few).cpu_seconds) / (2.0 * kKeys);
      },
      [&] { return 1e6 * spent(one).cpu_seconds / kKeys; });
  // What the operator declares for a key; the allocator, the key and the table that finds it come on top.
  const auto op = testing::make<rl::PredictOperator>(Object{{"hidden", Array{8}}});
  testing::Collector out;
  op->process(Packet::of<Record>(Time{}, Object{{"x", Array{0, 0, 0, 0}}, {"c", 0}}), out);
  const auto declared = static_cast<double>(op->state_bytes());
  return {row("event of one of a million learners by key", "one learner", "us", c, 2),
          {"resident bytes for each of a million keys", "state as declared", resident, declared, "B",
           resident / declared, 1.5, 0}};
}

/// A million keys in one round, of which a tenth may stay in memory: what that takes, in memory and in time.
std::vector<Row> spilled_keys() {
  constexpr std::size_t kKeys = 1'000'000, kInMemory = 100'000;
  const ScratchFolder folder;
  const std::string recipe = key_recipe(folder, "once", kKeys, 1, true);
  const auto run = [&](bool bounded) {
    std::vector<std::string> argv{stream_program(),           "run", recipe, "--threads", "1", "--cache",
                                  (folder / "cache").string()};
    if (bounded) argv.insert(argv.end(), {"--set", "v.keys_in_memory=" + std::to_string(kInMemory)});
    return run_or_throw({.argv = std::move(argv), .input = ""});
  };
  double few = 0, all = 0;
  const Comparison time = compare(
      3,
      [&] {
        const auto bounded = run(true);
        few = static_cast<double>(bounded.peak_bytes);
        return 1e6 * bounded.cpu_seconds / kKeys;
      },
      [&] {
        const auto whole = run(false);
        all = static_cast<double>(whole.peak_bytes);
        return 1e6 * whole.cpu_seconds / kKeys;
      });
  return {row("first event of a key, 100 000 of a million in memory", "all in memory", "us", time, 4),
          {"peak resident bytes, file pages included, 100 000 of a million keys in memory", "all in memory",
           few, all, "B", few / all, 0.25, 0}};
}

}  // namespace

std::vector<Benchmark> learner_benchmarks() {
  return {{"update", "one update of a small network: kernels, libtorch, Python", updates},
          {"cartpole", "steps of CartPole with stream Q", cartpole},
          {"keys", "a million learners by key against one", million_keys},
          {"spilled-keys", "a million learners by key, a tenth of them in memory", spilled_keys}};
}

}  // namespace stream::bench
