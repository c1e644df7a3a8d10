#include "engine/stage.hpp"

#include <algorithm>

#include "stream/log.hpp"

namespace stream {

Stage::Stage(std::size_t index, std::vector<Node*> chain, RunState& run, tbb::flow::graph* graph)
    : index_(index), chain_(std::move(chain)), run_(run) {
  arrival_order_ = head().contract().order == Order::kArrival;
  if (graph != nullptr) {
    body_ = std::make_unique<Body>(*graph, tbb::flow::serial, [this](const Message& message) {
      receive(message);
      return tbb::flow::continue_msg{};
    });
  }
}

std::size_t Stage::add_lane(std::size_t port) {
  lanes_.emplace_back().port = port;
  return lanes_.size() - 1;
}

void Stage::post(std::size_t lane, Batch batch) {
  run_.messages.fetch_add(1);
  body_->try_put(Message{lane, std::make_shared<Batch>(std::move(batch))});
}

void Stage::receive(const Message& message) {
  Lane& lane = lanes_[message.lane];
  if (lane.at_barrier)
    lane.behind_barrier.push_back(std::move(*message.batch));
  else
    take(lane, *message.batch);
  drain();
  align();
  head().flush_edges();
  publish(false);
  run_.messages.fetch_sub(1);
  run_.activity.fetch_add(1, std::memory_order_relaxed);
  run_.wake_sources();
}

void Stage::take(Lane& lane, Batch& batch) {
  if (lane.edge->live()) {
    if (auto newest = lane.edge->take_newest()) lane.queue.push_back(std::move(*newest));
  }
  for (auto& packet : batch.packets) lane.queue.push_back(std::move(packet));
  lane.held.set(lane.queue.size());
  lane.clock = std::max(lane.clock, batch.clock);
  if (batch.end) lane.ended = true;
  if (batch.barrier != 0) {
    lane.at_barrier = true;
    barrier_ = batch.barrier;
  }
}

/// The lane whose first packet comes next in event time, or null when that cannot be told yet: some lane that
/// is empty may still bring an earlier one.
Stage::Lane* Stage::next_lane() {
  Lane* best = nullptr;
  for (auto& lane : lanes_) {
    if (lane.queue.empty()) continue;
    if (arrival_order_) return &lane;
    if (best == nullptr || lane.queue.front().time < best->queue.front().time) best = &lane;
  }
  if (best == nullptr) return nullptr;
  const Time time = best->queue.front().time;
  bool before_best = true;
  for (auto& lane : lanes_) {
    if (&lane == best) {
      before_best = false;
      continue;
    }
    if (!lane.queue.empty() || lane.ended) continue;
    // At equal times the earlier lane goes first, so only it can still hold the packet back.
    if (before_best ? lane.clock <= time : lane.clock < time) return nullptr;
  }
  return best;
}

void Stage::process(Lane& lane) {
  Packet packet = std::move(lane.queue.front());
  lane.queue.pop_front();
  const std::size_t bytes = packet.payload ? packet.payload->bytes() : 0;
  head().accept(lane.port, std::move(packet));
  if (!lane.edge->live()) lane.edge->release(1, bytes);
  lane.held.set(lane.queue.size());
}

void Stage::drain() {
  if (ended_) return;
  while (Lane* lane = next_lane()) process(*lane);
  Time clock = kTimeMax;
  bool all_ended = true;
  for (const auto& lane : lanes_) {
    if (lane.ended && lane.queue.empty()) continue;
    all_ended = false;
    clock = std::min(clock, lane.queue.empty() ? lane.clock : lane.queue.front().time);
  }
  if (all_ended)
    end();
  else if (clock > kTimeMin)
    head().advance_input(clock);
}

void Stage::align() {
  if (barrier_ == 0 || ended_) return;
  for (const auto& lane : lanes_) {
    if (!lane.at_barrier && !lane.ended) return;
  }
  run_.answer(index_, barrier_, snapshot(), false);
  for (Node* node : chain_) {
    node->flush_edges();
    node->pass_barrier(barrier_);
  }
  barrier_ = 0;
  for (auto& lane : lanes_) {
    lane.at_barrier = false;
    auto waiting = std::exchange(lane.behind_barrier, {});
    for (auto& batch : waiting) take(lane, batch);
  }
  drain();
}

/// Asks the operators what only this thread may ask, when somebody wants to know.
void Stage::publish(bool always) {
  const std::uint64_t wanted = run_.publish.load(std::memory_order_relaxed);
  if (!always && wanted == published_) return;
  published_ = wanted;
  for (Node* node : chain_) node->publish();
}

void Stage::end() {
  head().finish();
  head().flush_edges();
  publish(true);
  ended_ = true;
  if (run_.checkpointing) {
    auto state = snapshot();
    state->set("ended", true);
    run_.answer(index_, 0, std::move(state), true);
  }
  for (Node* node : chain_) node->end_edges();
}

std::shared_ptr<Archive> Stage::snapshot() {
  auto state = std::make_shared<Archive>();
  state->set("ended", false);
  for (Node* node : chain_) {
    node->flush_sink();
    try {
      node->save(state->group("nodes").group(node->planned().id));
    } catch (const Error& e) {
      run_.fail(e.within("node '" + node->planned().id + "'"));
    } catch (const std::exception& e) {
      run_.fail(failed("node '" + node->planned().id + "': " + e.what()));
    }
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const Lane& lane = lanes_[i];
    Archive& g = state->group("lanes").group(std::to_string(i));
    g.set("clock", lane.clock);
    g.set("ended", lane.ended);
    g.set("packets", std::vector<Packet>(lane.queue.begin(), lane.queue.end()));
  }
  return state;
}

void Stage::load(const Archive& from) {
  for (Node* node : chain_) node->load(from.group("nodes").group(node->planned().id));
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    const Archive& g = from.group("lanes").group(std::to_string(i));
    lane.clock = g.get<Duration>("clock");
    for (auto& packet : g.packets("packets")) {
      if (!lane.edge->live()) lane.edge->hold(1, packet.payload ? packet.payload->bytes() : 0);
      lane.queue.push_back(std::move(packet));
    }
    lane.held.set(lane.queue.size());
  }
  resumed_ended_ = from.get<bool>("ended");
}

// --- sources

void Stage::wait_for_credits(const Credits& credits, std::uint64_t answered) {
  const auto free = [&] {
    if (run_.stopping() || run_.barrier.load() > answered) return true;
    std::size_t packets = 0, bytes = 0;
    for (const Edge* edge : credits.edges) packets += edge->held_packets(), bytes += edge->held_bytes();
    if (packets < credits.packets && bytes < credits.bytes) return true;
    // Nothing moves and every source is held back: a merge waits for what only they can bring.
    return run_.messages.load() == 0 && run_.waiting_sources.load() >= run_.running_sources.load();
  };
  if (free()) return;
  run_.waiting_sources.fetch_add(1);
  while (!free()) run_.wait(std::chrono::milliseconds(20), free);
  run_.waiting_sources.fetch_sub(1);
}

void Stage::run_source(const Credits& credits) {
  std::uint64_t answered = 0;
  bool more = !resumed_ended_;
  while (more) {
    wait_for_credits(credits, answered);
    const std::uint64_t wanted = run_.barrier.load();
    if (wanted > answered) {
      answered = wanted;
      head().flush_edges();
      run_.answer(index_, wanted, snapshot(), false);
      for (Node* node : chain_) node->pass_barrier(wanted);
      continue;
    }
    if (run_.stop() == RunState::Stop::kSuspend) {
      // The last checkpoint holds everything; what has passed its barrier is all there will be.
      if (run_.suspended) return;
      run_.wait(std::chrono::milliseconds(20), [&] {
        return run_.suspended || run_.barrier.load() > answered || run_.stop() != RunState::Stop::kSuspend;
      });
      continue;
    }
    if (run_.stop() == RunState::Stop::kFinish) break;
    more = head().read();
    head().flush_edges();
    publish(false);
    run_.activity.fetch_add(1, std::memory_order_relaxed);
  }
  end();
}

std::size_t Stage::queued() const {
  std::size_t total = 0;
  for (const auto& lane : lanes_) total += lane.edge->held_packets();
  return total;
}

std::string Stage::waiting_for() const {
  std::string text;
  for (const auto& lane : lanes_) {
    if (lane.held.get() == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(lane.held.get()) + " packets held on input '" +
            head().planned().op->spec.inputs()[lane.port].name + "'";
  }
  return text;
}

}  // namespace stream
