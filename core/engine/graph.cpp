#include "engine/graph.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "engine/received.hpp"
#include "engine/signals.hpp"
#include "stream/log.hpp"

namespace stream {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);

std::size_t threads_of(const RunOptions& options) {
  return options.threads > 0 ? static_cast<std::size_t>(options.threads)
                             : std::max(1u, std::thread::hardware_concurrency());
}

/// One arena for each number of threads, for ever: oneTBB 2021.8 loses about 5 KB with every arena that is
/// destroyed, which a process that runs thousands of graphs would notice.
tbb::task_arena& arena_of(int threads) {
  static std::mutex mutex;
  static auto* const arenas = new std::map<int, tbb::task_arena>;
  const std::scoped_lock lock(mutex);
  return arenas->try_emplace(threads, threads).first->second;
}

}  // namespace

Graph::Graph(const Plan& plan, Registry& registry, const RunOptions& options)
    : plan_(plan),
      options_(options),
      parallelism_(tbb::global_control::max_allowed_parallelism, threads_of(options)),
      arena_(arena_of(static_cast<int>(threads_of(options)))) {
  run_.threads = static_cast<int>(threads_of(options));
  run_.realtime = options.realtime;
  run_.checkpointing = !options.checkpoint.empty();
  received_ = received_by_node(options_.received, plan_);
  std::optional<Checkpoint> checkpoint;
  if (options_.resume && !options_.checkpoint.empty())
    checkpoint = read_checkpoint(options_.checkpoint, plan_, received_);
  if (checkpoint) {
    resumed_ = true;
    options_.seed = checkpoint->seed;  // the run that is continued decides
    if (checkpoint->finished) {
      done_ = true;
      require_made(received_, checkpoint->delivered);
      return;
    }
  }
  arena_.execute([&] {
    graph_ = std::make_unique<tbb::flow::graph>();
    build(registry);
    connect();
  });
  if (checkpoint) {
    for (std::size_t i = 0; i < stages_.size(); ++i) stages_[i]->load(*checkpoint->stages.at(i));
  }
  skip_delivered();
  if (run_.checkpointing && !checkpoint) begin_checkpoints();
}

/// Before anything is read or written: whoever resumes finds out where stdout stood, never takes what an
/// earlier run left for this one's, and an operator that cannot be saved says so at once.
void Graph::begin_checkpoints() {
  Checkpoint first{plan_.digest(), options_.seed, false, delivered(), {}};
  for (std::size_t i = 0; i < stages_.size(); ++i) first.stages[i] = stages_[i]->snapshot();
  if (const auto error = run_.error()) throw *error;
  retire_checkpoints(options_.checkpoint);
  write_checkpoint(options_.checkpoint, plan_, first, options_.keep);
}

Graph::~Graph() {
  // Messages refer to stages; the graph has none left once it has been waited for.
  if (graph_) arena_.execute([&] { graph_->wait_for_all(); });
}

void Graph::build(Registry& registry) {
  for (const auto& planned : plan_.nodes) {
    Context context{planned.id, plan_.dir, options_.cache_dir, options_.device, options_.seed};
    try {
      nodes_.push_back(std::make_unique<Node>(planned, registry, std::move(context), run_));
    } catch (const Error& e) {
      throw e.within("node '" + planned.id + "'");
    } catch (const std::exception& e) {
      throw failed("node '" + planned.id + "': " + e.what());
    }
  }
  stage_of_.resize(nodes_.size());
  for (const auto& chain : plan_.chains) {
    std::vector<Node*> members;
    for (const std::size_t n : chain) {
      stage_of_[n] = stages_.size();
      members.push_back(nodes_[n].get());
    }
    const bool source = members.front()->source() != nullptr;
    stages_.push_back(
        std::make_unique<Stage>(stages_.size(), std::move(members), run_, source ? nullptr : graph_.get()));
  }
}

void Graph::skip_delivered() {
  for (const auto& [id, bytes] : received_) {
    Delivery* const delivery = nodes_[plan_.find(id)]->delivery();
    if (delivery == nullptr)
      throw Error(ExitCode::kUsage, "--received " + id + "=" + std::to_string(bytes) +
                                        ": only for outputs that cannot be taken back, as pipes; a file is "
                                        "cut when the run is resumed");
    delivery->skip_delivered(bytes);
  }
}

/// Only while no packets flow.
Delivered Graph::delivered() const {
  Delivered all;
  for (const auto& node : nodes_) {
    if (node->delivery() != nullptr) all[node->planned().id] = node->delivery()->delivered().value_or(0);
  }
  return all;
}

void Graph::connect() {
  for (const auto& edge : plan_.edges) {
    Node &from = *nodes_[edge.from_node], &to = *nodes_[edge.to_node];
    Stage& stage = *stages_[stage_of_[edge.to_node]];
    if (stage_of_[edge.from_node] == stage_of_[edge.to_node]) {
      from.fuse(edge.from_port, to, edge.to_port);
      continue;
    }
    const std::size_t lane = stage.add_lane(edge.to_port);
    edges_.push_back(std::make_unique<Edge>(stage, lane, edge.live));
    stage.set_edge(lane, edges_.back().get());
    from.connect(edge.from_port, *edges_.back());
  }
  // What lies behind each stage: for credits and for who must be told of silence. Edges go forward in plan
  // order.
  const std::size_t count = stages_.size();
  std::vector<std::set<std::size_t>> reach(count);
  std::vector<std::vector<std::size_t>> inputs(count);
  std::vector<std::pair<std::size_t, const Edge*>> outgoing;
  std::size_t next = 0;
  for (const auto& edge : plan_.edges) {
    const std::size_t a = stage_of_[edge.from_node], b = stage_of_[edge.to_node];
    if (a == b) continue;
    inputs[b].push_back(a);
    outgoing.emplace_back(a, edges_[next++].get());
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t b = 0; b < count; ++b) {
      for (const std::size_t a : inputs[b]) {
        const std::size_t before = reach[a].size();
        reach[a].insert(b);
        reach[a].insert(reach[b].begin(), reach[b].end());
        grown = grown || reach[a].size() != before;
      }
    }
  }
  for (const auto& edge : edges_) {
    const auto index = static_cast<std::size_t>(
        std::find_if(stages_.begin(), stages_.end(), [&](const auto& s) { return s.get() == &edge->to(); }) -
        stages_.begin());
    std::set<std::size_t> behind = reach[index];
    behind.insert(index);
    edge->feeds_merge =
        std::any_of(behind.begin(), behind.end(), [&](std::size_t s) { return inputs[s].size() > 1; });
  }
  credits_.resize(count);
  for (std::size_t s = 0; s < count; ++s) {
    credits_[s] = {{}, plan_.max_packets, plan_.max_bytes};
    for (const auto& [from, edge] : outgoing) {
      if (from == s || reach[s].count(from) != 0) credits_[s].edges.push_back(edge);
    }
  }
  for (const auto& tap : options_.taps) {
    const auto dot = tap.edge.rfind('.');
    std::size_t node = plan_.find(tap.edge), port = 0;
    if (node == Plan::npos && dot != std::string::npos) {
      node = plan_.find(tap.edge.substr(0, dot));
      const std::string name = tap.edge.substr(dot + 1);
      if (node != Plan::npos) {
        const auto& outputs = plan_.nodes[node].op->spec.outputs();
        port = static_cast<std::size_t>(
            std::find_if(outputs.begin(), outputs.end(), [&](const Port& p) { return p.name == name; }) -
            outputs.begin());
        if (port == outputs.size() && name != "errors") node = Plan::npos;
      }
    }
    if (node == Plan::npos) {
      std::vector<std::string> ids;
      for (const auto& n : plan_.nodes) ids.push_back(n.id);
      throw Error(ExitCode::kUsage,
                  "--tap " + tap.edge + ": no such node or port" + did_you_mean(tap.edge, ids));
    }
    nodes_[node]->tap(port, tap.count);
  }
}

RunResult Graph::run(const Observer& observer) {
  if (!graph_) {
    RunResult result;
    result.resumed = result.already_finished = true;
    return result;
  }
  run_.started = last_checkpoint_ = last_activity_at_ = steady_now();
  std::vector<std::thread> sources;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (stages_[i]->head().source() == nullptr) continue;
    run_.running_sources.fetch_add(1);
    graph_->reserve_wait();
    sources.emplace_back([this, i] {
      stages_[i]->run_source(credits_[i]);
      run_.running_sources.fetch_sub(1);
      run_.wake();
      graph_->release_wait();
    });
  }
  std::thread supervisor([&] { supervise(observer); });
  // The calling thread is one of the arena's.
  arena_.execute([&] { graph_->wait_for_all(); });
  for (auto& source : sources) source.join();
  done_ = true;
  run_.wake();
  supervisor.join();
  RunResult outcome = result();
  if (observer) observer(outcome.metrics, true);
  return outcome;
}

void Graph::supervise(const Observer& observer) {
  while (!done_) {
    run_.wait(kTick, [&] { return done_.load(); });
    if (done_) break;
    const std::int64_t now = steady_now();
    const bool checkpointing = !options_.checkpoint.empty();
    const auto stop_kind = checkpointing ? RunState::Stop::kSuspend : RunState::Stop::kFinish;
    if (const int number = SignalGuard::received(); options_.handle_signals && number != 0 && signal_ == 0) {
      signal_ = number;
      stop_sources(stop_kind);
    }
    if (options_.max_time && now - run_.started >= options_.max_time->count() && !run_.stopping())
      stop_sources(stop_kind);
    if (run_.stop() == RunState::Stop::kFinish) stop_sources(RunState::Stop::kFinish);
    try {
      if (checkpoint_pending_ && !finish_checkpoint()) wake_for_checkpoint();
      if (run_.stop() == RunState::Stop::kSuspend && !run_.suspended && !checkpoint_pending_) {
        start_checkpoint();  // the last one
        while (!done_ && run_.stop() == RunState::Stop::kSuspend && !finish_checkpoint()) {
          run_.wait(std::chrono::milliseconds(5), [] { return false; });
        }
        if (run_.stop() == RunState::Stop::kSuspend) run_.suspended = true;
        run_.wake();
      } else if (checkpointing && !checkpoint_pending_ && !run_.stopping() &&
                 now - last_checkpoint_ >= options_.every.count()) {
        start_checkpoint();
      }
    } catch (const Error& e) {
      checkpoint_pending_ = false;
      run_.fail(e);
    }
    run_.publish.fetch_add(1, std::memory_order_relaxed);
    if (observer) observer(metrics(), false);
    watch_for_stall();
  }
}

void Graph::stop_sources(RunState::Stop how) {
  run_.request_stop(how);
  for (const auto& node : nodes_) {
    if (node->source() != nullptr) node->source()->interrupt();
  }
}

/// A source that waits for its input cannot answer; it is woken until it has.
void Graph::wake_for_checkpoint() {
  for (const auto& stage : stages_) {
    if (stage->head().source() != nullptr && !stage->ended() && stage->answered() < run_.barrier.load())
      stage->head().source()->interrupt();
  }
}

void Graph::start_checkpoint() {
  checkpoint_pending_ = true;
  last_checkpoint_ = steady_now();
  run_.barrier.fetch_add(1);
  run_.wake();
}

/// Writes the checkpoint that was asked for last, once every stage has answered. Errors leave the older ones
/// as they are.
bool Graph::finish_checkpoint() {
  Checkpoint checkpoint{plan_.digest(), options_.seed, false, {}, {}};
  if (!run_.collect(run_.barrier.load(), stages_.size(), checkpoint.stages)) return false;
  checkpoint_pending_ = false;
  for (const auto& node : nodes_) {
    if (node->sink() != nullptr) node->sink()->sync();
  }
  if (run_.error() || run_.closed_pipe) return true;  // what failed has no sound state to go back to
  checkpoint.delivered = delivered_in(checkpoint);
  write_checkpoint(options_.checkpoint, plan_, checkpoint, options_.keep);
  ++checkpoints_;
  return true;
}

void Graph::watch_for_stall() {
  const std::int64_t now = steady_now();
  const std::uint64_t activity = run_.activity.load();
  std::size_t queued = 0;
  for (const auto& stage : stages_) queued += stage->queued();
  if (activity != last_activity_ || queued == 0) {
    last_activity_ = activity;
    last_activity_at_ = now;
    stall_told_ = false;
    return;
  }
  if (stall_told_ || now - last_activity_at_ < options_.stall_after.count()) return;
  stall_told_ = true;
  std::string who;
  for (const auto& stage : stages_) {
    if (stage->queued() == 0) continue;
    const std::string held = stage->waiting_for();
    who += "; node '" + stage->head().planned().id + "' has " + std::to_string(stage->queued()) +
           " packets before it" +
           (held.empty() ? ", is busy with one" : " (" + held + " until its other inputs reach their time)");
  }
  log_warning(
      "", "no progress for " + std::to_string(static_cast<int>(seconds(options_.stall_after))) + " s" + who);
}

RunMetrics Graph::metrics() const {
  RunMetrics m;
  m.wall_seconds = static_cast<double>(steady_now() - run_.started) * 1e-9;
  m.checkpoints = checkpoints_;
  m.latency_p50 = run_.latency.quantile(0.5);
  m.latency_p99 = run_.latency.quantile(0.99);
  m.latency_max = run_.latency.max();
  double slowest = -1, fraction = 2;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    NodeMetrics n = nodes_[i]->metrics();
    const Stage& stage = *stages_[stage_of_[i]];
    if (&stage.head() == nodes_[i].get() && nodes_[i]->source() == nullptr) n.queued = stage.queued();
    m.nodes.push_back(std::move(n));
    if (nodes_[i]->sink() != nullptr) {
      const double reached = seconds(nodes_[i]->reached());
      slowest = slowest < 0 ? reached : std::min(slowest, reached);
    }
    if (nodes_[i]->source() != nullptr) fraction = std::min(fraction, nodes_[i]->fraction());
    for (const auto& port : plan_.nodes[i].op->spec.outputs()) {
      if (port.type == PayloadType::kAudio || port.type == PayloadType::kFrame) m.realtime_meaningful = true;
    }
  }
  m.stream_seconds = std::max(0.0, slowest);
  m.fraction = fraction > 1 ? -1 : fraction;
  return m;
}

RunResult Graph::result() const {
  RunResult result;
  result.resumed = resumed_;
  result.metrics = metrics();
  if (const auto error = run_.error()) {
    result.exit_code = static_cast<int>(error->code());
    result.error = error->what();
    return result;
  }
  if (signal_ != 0) result.exit_code = 128 + signal_;
  const bool whole = run_.stop() == RunState::Stop::kNo;
  if (!whole) return result;
  try {
    require_made(received_, delivered());
    if (!options_.checkpoint.empty()) {
      for (const auto& node : nodes_) {
        if (node->sink() != nullptr) node->sink()->sync();
      }
      // A finished run has nothing to continue: that it has finished is all that a resume asks.
      Checkpoint last{plan_.digest(), options_.seed, true, delivered(), {}};
      for (std::size_t i = 0; i < stages_.size(); ++i) last.stages[i] = std::make_shared<Archive>();
      write_checkpoint(options_.checkpoint, plan_, last, options_.keep);
      result.metrics.checkpoints = checkpoints_ + 1;
    }
  } catch (const Error& e) {
    result.exit_code = static_cast<int>(e.code());
    result.error = e.what();
  }
  return result;
}

}  // namespace stream
