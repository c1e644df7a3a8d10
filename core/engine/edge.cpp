#include "engine/edge.hpp"

#include "engine/stage.hpp"

namespace stream {

void Edge::push(Packet&& packet) {
  if (packet.payload) filling_bytes_ += packet.payload->bytes();
  filling_.packets.push_back(std::move(packet));
  if (filling_.packets.size() >= kBatchPackets || filling_bytes_ >= kBatchBytes) {
    filling_.clock = filling_.packets.back().time;
    send();
  }
}

void Edge::flush(Time clock) {
  if (filling_.packets.empty() && !(feeds_merge && clock > told_)) return;
  filling_.clock = clock;
  send();
}

void Edge::barrier(std::uint64_t number, Time clock) {
  filling_.clock = clock;
  filling_.barrier = number;
  send();
}

void Edge::end() {
  filling_.clock = kTimeMax;
  filling_.end = true;
  send();
}

void Edge::send() {
  told_ = std::max(told_, filling_.clock);
  if (live_ && !filling_.packets.empty()) {
    // Only the newest matters. One message at a time announces it, so a slow consumer finds one, not a queue.
    bool announced = false;
    {
      const std::scoped_lock lock(newest_mutex_);
      announced = newest_.has_value();
      dropped_.fetch_add(filling_.packets.size() - 1 + (announced ? 1 : 0), std::memory_order_relaxed);
      newest_ = std::move(filling_.packets.back());
    }
    filling_.packets.clear();
    if (!announced) to_.post(lane_, Batch{{}, filling_.clock, 0, false});
    if (filling_.barrier == 0 && !filling_.end) {
      filling_ = {};
      filling_bytes_ = 0;
      return;
    }
  }
  hold(filling_.packets.size(), filling_bytes_);
  Batch full = std::exchange(filling_, {});
  filling_bytes_ = 0;
  to_.post(lane_, std::move(full));
}

std::optional<Packet> Edge::take_newest() {
  const std::scoped_lock lock(newest_mutex_);
  return std::exchange(newest_, std::nullopt);
}

}  // namespace stream
