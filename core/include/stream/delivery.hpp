/// Output that cannot be taken back, and what its reader has of it.
#pragma once

#include <cstdint>
#include <optional>

namespace stream {

/// What a sink offers beside Sink when it can write to pipes. A checkpoint notes what was delivered, so that
/// a resume can go back to where the reader is, and not write again what it has.
class Delivery {
 public:
  virtual ~Delivery();
  /// Bytes handed to a pipe or terminal so far. Nothing for a file, which `load` cuts.
  virtual std::optional<std::uint64_t> delivered() const = 0;
  /// The reader has the first `bytes` bytes of the whole output already: they are not written again. Called
  /// before the first packet, after `load`, and only where `delivered` gives something.
  virtual void skip_delivered(std::uint64_t bytes) = 0;
};

}  // namespace stream
