/// What travels between stages: packets in order, the clock behind them, and at most one mark at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/packet.hpp"

namespace stream {

struct Batch {
  std::vector<Packet> packets;
  Time clock = kTimeMin;      ///< nothing earlier than this comes after the packets
  std::uint64_t barrier = 0;  ///< a checkpoint's number; its barrier stands behind the packets. 0: none
  bool end = false;           ///< the edge carries nothing more
};

/// Enough packets that one hand-over between threads (about a microsecond) is small beside them.
inline constexpr std::size_t kBatchPackets = 64;
inline constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

}  // namespace stream
