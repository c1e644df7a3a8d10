#include "engine/stage.hpp"

#include <algorithm>

#include "stream/log.hpp"

namespace stream {

Stage::Stage(std::size_t index, std::vector<Node*> chain, RunState& run, tbb::flow::graph* graph)
    : index_(index), chain_(std::move(chain)), run_(run) {
  arrival_order_ = head().contract().order == Order::kArrival;
  if (graph != nullptr) {
    body_ = std::make_unique<Body>(*graph, tbb::flow::serial, [this](tbb::flow::continue_msg message) {
      receive();
      return message;
    });
  }
}

std::size_t Stage::add_lane(std::size_t port) {
  lanes_.emplace_back().port = port;
  return lanes_.size() - 1;
}

void Stage::post(std::size_t lane, Batch batch) {
  run_.messages.fetch_add(1);
  {
    const std::scoped_lock lock(inbox_mutex_);
    inbox_.push_back({lane, std::move(batch)});
  }
  body_->try_put({});
}

/// Keys that are computed side by side want several packets to choose from: as many as keep the threads busy
/// though keys differ in work, and few enough that the first does not wait long for the last.
std::size_t Stage::packets_at_once() const {
  constexpr std::size_t kForEachThread = 16;
  return head().parallel() ? kForEachThread * static_cast<std::size_t>(run_.threads) : 1;
}

/// The next message, and more for a node that can do with many packets. None when an earlier call took it.
std::vector<Stage::Message> Stage::take_messages() {
  const std::size_t most = packets_at_once();
  std::vector<Message> taken;
  const std::scoped_lock lock(inbox_mutex_);
  std::size_t packets = 0;
  while (!inbox_.empty() && (taken.empty() || packets < most)) {
    packets += inbox_.front().batch.packets.size();
    taken.push_back(std::move(inbox_.front()));
    inbox_.pop_front();
    if (most == 1) break;
  }
  return taken;
}

void Stage::receive() {
  auto messages = take_messages();
  if (messages.empty()) return;
  for (auto& [lane_index, batch] : messages) {
    Lane& lane = lanes_[lane_index];
    if (lane.at_barrier)
      lane.behind_barrier.push_back(std::move(batch));
    else
      take(lane, batch);
  }
  drain();
  align();
  head().flush_edges();
  publish(false);
  run_.messages.fetch_sub(static_cast<std::int64_t>(messages.size()));
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

void Stage::process_by_key() {
  const std::size_t most = packets_at_once();
  while (Lane* lane = next_lane()) {
    std::vector<Node::Arrival> arrivals;
    std::vector<std::pair<Lane*, std::size_t>> taken;  // and their bytes
    bool several = false;
    for (; lane != nullptr && arrivals.size() < most; lane = next_lane()) {
      arrivals.push_back({lane->port, std::move(lane->queue.front())});
      lane->queue.pop_front();
      lane->held.set(lane->queue.size());
      const Packet& packet = arrivals.back().packet;
      taken.emplace_back(lane, packet.payload ? packet.payload->bytes() : 0);
      several = several || !(packet.key == arrivals.front().packet.key);
    }
    if (several) {
      head().accept_by_key(std::move(arrivals));
    } else {
      for (auto& [port, packet] : arrivals) head().accept(port, std::move(packet));
    }
    for (const auto& [from, bytes] : taken) {
      if (!from->edge->live()) from->edge->release(1, bytes);
    }
  }
}

void Stage::drain() {
  if (ended_) return;
  if (head().parallel())
    process_by_key();
  else
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
  flush_sinks();
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
  for (Node* node : chain_) node->publish(always);
}

void Stage::end() {
  // A stage that had ended when the checkpoint was taken has said its last words already.
  if (!resumed_ended_) head().finish();
  head().flush_edges();
  publish(true);
  ended_ = true;
  if (run_.checkpointing) {
    flush_sinks();
    auto state = snapshot();
    state->set("ended", true);
    run_.answer(index_, 0, std::move(state), true);
  }
  for (Node* node : chain_) node->end_edges();
}

/// What a checkpoint says has been written must have left this process.
void Stage::flush_sinks() {
  for (Node* node : chain_) node->flush_sink();
}

std::shared_ptr<Archive> Stage::snapshot() {
  auto state = std::make_shared<Archive>();
  state->set("ended", false);
  for (Node* node : chain_) {
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

void Stage::wait_for_credits(const Credits& credits) {
  const auto free = [&] {
    if (run_.stopping() || run_.barrier.load() > answered()) return true;
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
  bool more = !resumed_ended_;
  while (more) {
    wait_for_credits(credits);
    const std::uint64_t wanted = run_.barrier.load();
    if (wanted > answered()) {
      answered_ = wanted;
      head().flush_edges();
      flush_sinks();
      run_.answer(index_, wanted, snapshot(), false);
      for (Node* node : chain_) node->pass_barrier(wanted);
      continue;
    }
    if (run_.stop() == RunState::Stop::kSuspend) {
      // The last checkpoint holds everything; what has passed its barrier is all there will be.
      if (run_.suspended) return;
      run_.wait(std::chrono::milliseconds(20), [&] {
        return run_.suspended || run_.barrier.load() > answered() || run_.stop() != RunState::Stop::kSuspend;
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
