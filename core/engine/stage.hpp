/// A chain of fused nodes that share one flow-graph node: merges what comes in by event time, runs the chain,
/// aligns checkpoint barriers.
#pragma once

#include <tbb/flow_graph.h>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/node.hpp"

namespace stream {

class Stage {
 public:
  /// `graph` is null for a stage that begins with a source: that one runs on its own thread.
  Stage(std::size_t index, std::vector<Node*> chain, RunState& run, tbb::flow::graph* graph);

  /// One edge into the head, in the order of the plan's edges. Returns its lane.
  std::size_t add_lane(std::size_t port);
  void set_edge(std::size_t lane, Edge* edge) { lanes_[lane].edge = edge; }

  /// Hands a batch over; from any thread.
  void post(std::size_t lane, Batch batch);

  /// A source stage's thread: reads until the end or a stop. `limits`: the edges downstream, whose content
  /// counts against the credits.
  struct Credits {
    std::vector<const Edge*> edges;
    std::size_t packets, bytes;
  };
  void run_source(const Credits& credits);

  void load(const Archive& from);
  /// The state of the chain and of what waits before it. By the stage's thread, or before the run.
  std::shared_ptr<Archive> snapshot();
  Node& head() const { return *chain_.front(); }
  const std::vector<Node*>& chain() const { return chain_; }
  std::size_t queued() const;
  bool ended() const { return ended_.load(std::memory_order_relaxed); }
  /// For a source: the newest checkpoint that it has given its state to.
  std::uint64_t answered() const { return answered_.load(std::memory_order_relaxed); }
  /// "waits for input on 'x', 12 packets held from 'y'" for the stall report; empty when it is idle.
  std::string waiting_for() const;

 private:
  struct Lane {
    std::size_t port = 0;
    Edge* edge = nullptr;
    std::deque<Packet> queue;
    Time clock = kTimeMin;
    bool ended = false, at_barrier = false;
    std::vector<Batch> behind_barrier;  ///< what arrived after the barrier, until it stands on every lane
    Counter held;                       ///< queue's size, for others to read
  };
  struct Message {
    std::size_t lane;
    Batch batch;
  };
  /// Messages wait in inbox_, where several can be taken at once; the flow graph only counts them.
  using Body =
      tbb::flow::function_node<tbb::flow::continue_msg, tbb::flow::continue_msg, tbb::flow::queueing>;

  void receive();
  std::vector<Message> take_messages();
  std::size_t packets_at_once() const;
  void take(Lane& lane, Batch& batch);
  void drain();
  Lane* next_lane();
  void process(Lane& lane);
  void process_by_key();
  void align();
  void publish(bool always);
  void end();
  void flush_sinks();
  void wait_for_credits(const Credits& credits);

  std::size_t index_;
  std::vector<Node*> chain_;
  RunState& run_;
  std::deque<Lane> lanes_;
  std::mutex inbox_mutex_;
  std::deque<Message> inbox_;
  std::uint64_t barrier_ = 0, published_ = 0;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<bool> ended_{false};
  bool resumed_ended_ = false, arrival_order_ = false;
  std::unique_ptr<Body> body_;
};

}  // namespace stream
