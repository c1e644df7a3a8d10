/// A million users, each with a state of its own in a recommender and in a point process: what a user takes
/// against what the operator says, and what is left in memory when nine of ten are on disk.

#include <array>
#include <fstream>
#include <stdexcept>

#include "compare.hpp"
#include "stream/random.hpp"

namespace stream::bench {
namespace {

using testing::ScratchFolder;

constexpr std::size_t kUsers = 1'000'000, kInMemory = 100'000;
constexpr int kRounds = 2;  ///< events of a user: one that makes the state, one that finds it again

struct System {
  std::string name, use, dialect, model, parameters;
  /// A line of the log: the user, the time in nanoseconds.
  std::string (*event)(std::size_t user, std::int64_t time, Random& random);
  std::int64_t round;  ///< nanoseconds between a user's events
};

std::string seconds(std::int64_t nanoseconds) {
  std::string fraction = std::to_string(1'000'000'000 + nanoseconds % 1'000'000'000);
  return std::to_string(nanoseconds / 1'000'000'000) + "." + fraction.substr(1);
}

const std::array kSystems{
    // The second event begins a session, so that a list is made from what the first has left.
    System{"PISA", "recommenders.pisa", "plain", "models/pisa-listening.h5", "k = 1\nwhy = false\n",
           [](std::size_t user, std::int64_t time, Random& random) {
             return "{\"user\":" + std::to_string(user) + ",\"item\":\"t" +
                    std::to_string(1 + random.below(200)) + "\",\"ts\":" + seconds(time) + "}\n";
           },
           4'000'000'000'000},
    System{"PromptTPP", "events.prompt_tpp", "events", "models/prompt-tpp-regimes.h5", "forecast = false\n",
           [](std::size_t user, std::int64_t time, Random& random) {
             return "{\"seq\":" + std::to_string(user) + ",\"t\":" + seconds(time) +
                    ",\"type\":" + std::to_string(random.below(6)) + "}\n";
           },
           1'000'000'000}};

/// The recipe over a log in which `users` come in scattered order, once a round.
std::string recipe_for(const System& system, const ScratchFolder& folder, std::size_t users) {
  const std::string name = system.name + "-" + std::to_string(users);
  const std::string log = (folder / (name + ".jsonl")).string();
  std::string recipe = (folder / (name + ".toml")).string();
  std::ofstream out(log);
  Random random(1);
  for (int r = 0; r < kRounds; ++r)
    for (std::size_t i = 0; i < users; ++i)
      out << system.event(i * 7919 % users, r * system.round + static_cast<std::int64_t>(i) * 1000, random);
  if (!out.flush()) throw std::runtime_error("no room for a log of a million users");
  testing::write_contents(recipe, "[nodes.log]\nuse = \"events.read\"\npath = \"" + log + "\"\ndialect = \"" +
                                      system.dialect + "\"\n[nodes.system]\nuse = \"" + system.use +
                                      "\"\nfrom = \"log.out\"\nmodel = \"" + system.model + "\"\n" +
                                      system.parameters +
                                      "[nodes.out]\nuse = \"jsonl.write\"\nfrom = \"system.out\"\n");
  return recipe;
}

/// What the node says that its state takes, from the metrics that a run has left.
double state_bytes(const std::string& metrics) {
  const std::string text = testing::contents(metrics);
  std::size_t at = text.find("node_state_bytes{");
  while (at != std::string::npos) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    if (line.find("\"system\"") != std::string::npos) return std::stod(line.substr(line.find('}') + 1));
    at = text.find("node_state_bytes{", at + 1);
  }
  throw std::runtime_error("the metrics have no node_state_bytes of the node 'system'");
}

std::vector<Row> users_of(const System& system) {
  const ScratchFolder folder;
  const std::string whole = (folder / "whole").string(), part = (folder / "part").string(),
                    metrics = (folder / "metrics").string();
  const auto run = [&](const std::string& recipe, const std::string& output, bool bounded) {
    std::vector<std::string> argv{stream_program(), "run", recipe, "--threads", "1", "--metrics", metrics};
    if (bounded)
      argv.insert(argv.end(), {"--cache", (folder / "cache").string(), "--set",
                               "system.keys_in_memory=" + std::to_string(kInMemory)});
    return run_or_throw({.argv = std::move(argv), .input = "", .output_file = output});
  };
  // The program and the model, and one user.
  const double without = static_cast<double>(run(recipe_for(system, folder, 1), part, false).peak_bytes);
  const std::string recipe = recipe_for(system, folder, kUsers);
  const auto all = run(recipe, whole, false);
  const double declared = state_bytes(metrics) / kUsers;
  const double resident = (static_cast<double>(all.peak_bytes) - without) / kUsers;
  const auto few = run(recipe, part, true);
  if (testing::contents(whole) != testing::contents(part))
    throw std::runtime_error(system.name + " answers otherwise when users' states were on disk");
  const auto per_event = [](const testing::Outcome& o) { return 1e6 * o.cpu_seconds / (kUsers * kRounds); };
  const auto plain = [](std::string what, std::string peer, double ours, double theirs, std::string unit,
                        double bar) {
    return Row{std::move(what), std::move(peer), ours, theirs, std::move(unit), ours / theirs, bar, 0};
  };
  return {plain("resident bytes for each of a million users, " + system.name, "state as declared", resident,
                declared, "B", 1.5),
          plain("resident bytes of a million users, file pages included, 100 000 of them in memory, " +
                    system.name,
                "all in memory, equal answers", static_cast<double>(few.peak_bytes) - without,
                static_cast<double>(all.peak_bytes) - without, "B", 0.25),
          plain("event of a million users, 100 000 of them in memory, " + system.name, "all in memory",
                per_event(few), per_event(all), "us", 4)};
}

}  // namespace

std::vector<Benchmark> user_benchmarks() {
  return {{"million-users", "a million users' states in a recommender and in a point process", [] {
             std::vector<Row> rows;
             for (const System& system : kSystems)
               for (Row& row : users_of(system)) rows.push_back(std::move(row));
             return rows;
           }}};
}

}  // namespace stream::bench
