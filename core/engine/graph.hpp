/// A plan instantiated in oneTBB, and one run of it.
#pragma once

#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <memory>
#include <thread>
#include <vector>

#include "engine/checkpoint.hpp"
#include "engine/stage.hpp"

namespace stream {

class Graph {
 public:
  /// Makes every operator. Throws what their constructors throw, with the node's name in front.
  Graph(const Plan& plan, Registry& registry, const RunOptions& options);
  ~Graph();
  RunResult run(const Observer& observer);

 private:
  void build(Registry& registry);
  void connect();
  void supervise(const Observer& observer);
  void skip_delivered();
  Delivered delivered() const;
  void begin_checkpoints();
  void start_checkpoint();
  bool finish_checkpoint();
  void stop_sources(RunState::Stop how);
  void wake_for_checkpoint();
  void watch_for_stall();
  RunMetrics metrics() const;
  RunResult result() const;

  const Plan& plan_;
  RunOptions options_;
  RunState run_;
  tbb::global_control parallelism_;
  tbb::task_arena& arena_;
  std::unique_ptr<tbb::flow::graph> graph_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<std::unique_ptr<Edge>> edges_;
  std::vector<std::size_t> stage_of_;    ///< by node
  std::vector<Stage::Credits> credits_;  ///< by stage; filled for those that begin with a source
  std::atomic<bool> done_{false};
  bool resumed_ = false, checkpoint_pending_ = false;
  std::uint64_t checkpoints_ = 0;
  std::int64_t last_checkpoint_ = 0, last_activity_at_ = 0;
  std::uint64_t last_activity_ = 0;
  bool stall_told_ = false;
  int signal_ = 0;
  Delivered received_;  ///< by readers of pipes, before this run
};

}  // namespace stream
