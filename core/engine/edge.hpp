/// One edge between two stages, seen from the stage that fills it.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "engine/batch.hpp"

namespace stream {

class Stage;

class Edge {
 public:
  Edge(Stage& to, std::size_t lane, bool live) : to_(to), lane_(lane), live_(live) {}

  /// Queues a packet and sends when a batch is full. Called by the producing stage only.
  void push(Packet&& packet);
  /// Sends what is queued, and the clock when a merge downstream waits for it.
  void flush(Time clock);
  void barrier(std::uint64_t number, Time clock);
  void end();

  /// For the consumer: the newest packet of a live edge.
  std::optional<Packet> take_newest();
  /// For the consumer: packets that a checkpoint had on this edge.
  void hold(std::size_t packets, std::size_t bytes) {
    held_packets_.fetch_add(packets, std::memory_order_relaxed);
    held_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  /// For the consumer: packets of this edge that it has dealt with.
  void release(std::size_t packets, std::size_t bytes) {
    held_packets_.fetch_sub(packets, std::memory_order_relaxed);
    held_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  std::size_t held_packets() const { return held_packets_.load(std::memory_order_relaxed); }
  std::size_t held_bytes() const { return held_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  Stage& to() const { return to_; }
  bool live() const { return live_; }
  bool feeds_merge = false;  ///< a node with several inputs lies downstream: silence must be told

 private:
  void send();
  Stage& to_;
  std::size_t lane_;
  bool live_;
  Batch filling_;
  std::size_t filling_bytes_ = 0;
  Time told_ = kTimeMin;
  std::atomic<std::size_t> held_packets_{0}, held_bytes_{0};
  std::mutex newest_mutex_;
  std::optional<Packet> newest_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace stream
