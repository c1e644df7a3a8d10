/// Copies of an operator in a graph of the engine, between sources that bring given packets and sinks that
/// collect them, all of them late at random.
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "check/fed_pipe.hpp"
#include "check/jobs.hpp"
#include "engine/engine.hpp"
#include "plan/resolve.hpp"
#include "stream/file.hpp"

namespace stream::laws {
namespace {

/// Sleeps now and then, for up to half a millisecond: enough for another thread to overtake.
class Delays {
 public:
  explicit Delays(std::uint64_t seed) : random_(seed), on_(seed != 0) {}
  void pass() {
    if (!on_) return;
    const auto draw = random_.below(16);
    if (draw == 0 && left_ > 0) {
      --left_;
      std::this_thread::sleep_for(std::chrono::microseconds(random_.below(500)));
    } else if (draw < 4) {
      std::this_thread::yield();
    }
  }

 private:
  Random random_;
  bool on_;
  int left_ = 20;
};

/// What feeds and collectors of this process' one graph share.
struct Board {
  const Inputs* inputs = nullptr;
  std::mutex mutex;
  std::vector<std::vector<Emission>> collected;  ///< by copy
};
Board& board() {
  static Board instance;
  return instance;
}

class FeedSource final : public Source {
 public:
  static Spec spec() {
    return Spec{"check.feed", "Bring the packets of one port of a check."}
        .output<Payload>("out")
        .param("port", 0, "whose packets")
        .param("delays", std::string("0"), "seed of the delays; 0: none");
  }
  explicit FeedSource(const Params& p)
      : port_(p.get<std::size_t>("port")), delays_(std::stoull(p.get<std::string>("delays"))) {}
  bool read(Output& out) override {
    const Inputs& inputs = *board().inputs;
    while (next_ < inputs.size() && inputs[next_].port != port_) ++next_;
    if (next_ == inputs.size()) return false;
    delays_.pass();
    out.emit(inputs[next_++].packet);
    return true;
  }
  void save(Archive&) const override {}

 private:
  std::size_t port_, next_ = 0;
  Delays delays_;
};

class Collect final : public Sink {
 public:
  static Spec spec() {
    Contract contract;
    contract.cost = Cost::kHeavy;  // a stage of its own
    return Spec{"check.collect", "Keep what comes out of one port of a check."}
        .input<Payload>("in")
        .param("copy", 0, "of the operator")
        .param("port", 0, "of the operator")
        .param("delays", std::string("0"), "seed of the delays; 0: none")
        .contract(contract);
  }
  explicit Collect(const Params& p)
      : copy_(p.get<std::size_t>("copy")),
        port_(p.get<std::size_t>("port")),
        delays_(std::stoull(p.get<std::string>("delays"))) {}
  void process(Packet in, Output&) override {
    delays_.pass();
    in.sequence = 0;
    in.arrival = 0;
    const std::scoped_lock lock(board().mutex);
    board().collected[copy_].push_back({port_, 0, std::move(in)});
  }
  void flush() override {}
  void sync() override {}

 private:
  std::size_t copy_, port_;
  Delays delays_;
};

/// Adds nodes to a plan that grows by hand.
class Assembly {
 public:
  explicit Assembly(Registry& registry) : registry_(registry) {}
  std::size_t node(const std::string& id, const std::string& op, Object params, bool own_stage) {
    PlannedNode node;
    node.id = id;
    node.op = registry_.find(op);
    node.params = std::move(params);
    node.contract = node.op->spec.contract();
    if (own_stage) node.contract.cost = Cost::kHeavy;
    plan_.nodes.push_back(std::move(node));
    return plan_.nodes.size() - 1;
  }
  void keep_in_memory(std::size_t node, std::size_t keys) { plan_.nodes[node].keys_in_memory = keys; }
  void edge(std::size_t from, std::size_t from_port, std::size_t to, std::size_t to_port) {
    plan_.edges.push_back({from, from_port, to, to_port});
  }
  Plan finished() {
    order_plan(plan_);
    return std::move(plan_);
  }

 private:
  Registry& registry_;
  Plan plan_;
};

}  // namespace

GraphOutcome run_graph(Workbench& bench, const GraphRun& run, const std::optional<Feed>& feed,
                       const std::string& output) {
  Registry& registry = bench.registry();
  std::vector<OperatorEntry> entries;
  plugin_detail::entries<FeedSource, Collect>(entries);
  registry.add(std::move(entries), "check");
  board().inputs = &run.inputs;
  board().collected.assign(run.copies, {});

  Assembly assembly(registry);
  std::vector<std::unique_ptr<FedPipe>> pipes;
  std::vector<std::unique_ptr<ScratchFile>> files;
  std::vector<std::string> outputs;
  std::uint64_t delays = run.seed;
  const auto seed = [&] { return std::to_string(run.seed == 0 ? 0 : ++delays); };
  const Spec& spec = bench.spec();
  for (std::size_t copy = 0; copy < run.copies; ++copy) {
    const std::string suffix = std::to_string(copy);
    std::string path;
    if (feed && copy % 2 == 0) {
      path =
          files.emplace_back(std::make_unique<ScratchFile>(feed->bytes, feed->ending, bench.setup().scratch))
              ->path();
    } else if (feed) {
      path = pipes.emplace_back(std::make_unique<FedPipe>(feed->bytes, 1000, run.seed + copy))->path();
    } else if (!output.empty()) {
      // The name's ending may say what format it is to have.
      const std::filesystem::path whole = output;
      path = outputs.emplace_back(whole.parent_path() /
                                  (whole.stem().string() + suffix + whole.extension().string()));
    }
    // The first copy shares a stage with what feeds it, the others have one of their own.
    const std::size_t op = assembly.node("operator" + suffix, spec.name(), bench.params(path), copy > 0);
    // All keys but one of the last copy are away on disk at any time: that must not show either.
    // In some of the runs, for every packet then costs a file.
    if (spec.contract().keyed && copy > 0 && copy + 1 == run.copies && run.seed % 32 == 8)
      assembly.keep_in_memory(op, 1);
    for (std::size_t port = 0; port < spec.inputs().size(); ++port) {
      const std::size_t from =
          assembly.node("feed" + suffix + "." + std::to_string(port), "check.feed",
                        Object{{"port", static_cast<std::int64_t>(port)}, {"delays", seed()}}, false);
      assembly.edge(from, 0, op, port);
    }
    for (std::size_t port = 0; port < spec.outputs().size(); ++port) {
      const std::size_t to = assembly.node("collect" + suffix + "." + std::to_string(port), "check.collect",
                                           Object{{"copy", static_cast<std::int64_t>(copy)},
                                                  {"port", static_cast<std::int64_t>(port)},
                                                  {"delays", seed()}},
                                           true);
      assembly.edge(op, port, to, 0);
    }
  }
  RunOptions options;
  options.threads = run.threads;
  options.seed = bench.setup().seed;
  options.device = bench.setup().device;
  options.handle_signals = false;
  Plan plan = assembly.finished();
  plan.dir = bench.setup().recipe_dir;
  // The node's id is part of what seeds an operator: every copy must draw the same numbers.
  for (PlannedNode& node : plan.nodes) {
    if (node.id.starts_with("operator")) node.id = spec.name();
  }
  const RunResult result = engine().run(plan, registry, options, {});

  GraphOutcome outcome;
  outcome.emitted = std::move(board().collected);
  for (const std::string& path : outputs)
    outcome.written.push_back(std::filesystem::exists(path) ? read_file(path) : std::string());
  if (result.exit_code != 0) {
    Fault fault;
    fault.phase = Phase::kGraph;
    fault.message = result.error;
    outcome.fault = std::move(fault);
  }
  return outcome;
}

}  // namespace stream::laws
