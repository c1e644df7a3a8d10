/// The instances of a keyed operator by key: those in memory, and, when their number is bounded, the states
/// of the others on disk.
///
/// A table with open addressing finds a key: a slot, and the instance that it names, are two cache lines.
/// What was used least recently leaves when there are too many, an eighth of them at a time, and is made
/// again from its state when its key comes back: whether it was away does not show.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/key_spill.hpp"
#include "stream/operator.hpp"

namespace stream {

class KeyTable {
 public:
  struct Options {
    std::size_t in_memory = 0;  ///< most instances between packets; 0: any number
    std::string folder;         ///< of the states of the others; empty: that of temporary files
  };
  using Make = std::function<std::unique_ptr<Operator>()>;
  KeyTable(Make make, Options options);
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  /// The instance of a key, made or brought back when it is not in memory. Valid until `keep_limit`. Throws
  /// what making or loading throws, with nothing changed.
  Operator& at(std::string_view key);
  bool too_many() const { return options_.in_memory != 0 && resident_ > options_.in_memory; }
  /// Sends away what is too much. Throws Error(kCannotWrite).
  void keep_limit() {
    if (too_many()) send_away(resident_ - options_.in_memory + options_.in_memory / 8);
  }
  /// Every key in the order of names, one after the other in memory. `forget`: what is not in memory need not
  /// keep the state that `f` leaves it with, and an eighth of the limit is read ahead.
  void each(const std::function<void(const std::string& key, Operator&)>& f, bool forget);

  void save(Archive& into) const;
  /// Into an empty table.
  void load(const Archive& from);
  /// As the instances in memory state it.
  std::size_t state_bytes() const;
  /// Keys in all, and those of them in memory.
  std::size_t size() const { return size_; }
  std::size_t resident() const { return resident_; }

 private:
  /// On one cache line, with names that are short enough to have no memory of their own.
  struct alignas(64) Instance {
    std::string key;
    std::unique_ptr<Operator> op;  ///< none: the place is free
    std::uint64_t used = 0;        ///< when last: counts calls
  };
  /// `where`: 0 for an empty slot, the address of an instance, or, with the lowest bit set, a place on disk.
  struct Slot {
    std::uint64_t hash = 0, where = 0;
  };
  static constexpr std::uint64_t kOnDisk = 1;
  static std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>()(key); }
  static std::uint64_t on_disk(KeySpill::Place place) {
    return (std::uint64_t{place.segment} << 32 | std::uint64_t{place.row} << 1) | kOnDisk;
  }
  static KeySpill::Place place_of(std::uint64_t where) {
    return {static_cast<std::uint32_t>(where >> 32), static_cast<std::uint32_t>(where & 0xffffffffu) >> 1};
  }
  Slot& find(std::string_view key, std::uint64_t hash);
  std::string_view key_in(const Slot& slot) const;
  std::unique_ptr<Operator> revived(std::string_view key, const Archive& state) const;
  Instance& put_in_memory(std::string_view key, std::unique_ptr<Operator> op);
  Operator& bring(Slot& slot, std::string_view key, std::uint64_t hash);
  void send_away(std::size_t count);
  void grow();

  Make make_;
  Options options_;
  KeySpill spill_;
  std::vector<Slot> slots_;  ///< a power of two of them, at most half of them taken
  std::size_t size_ = 0, resident_ = 0;
  std::uint64_t calls_ = 0;
  std::deque<Instance> instances_;
  std::vector<Instance*> free_;
};

}  // namespace stream
