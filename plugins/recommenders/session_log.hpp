/// Sittings of users, and which items go together in them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "events/event_gate.hpp"

namespace stream::recommenders {

/// Slots of a session: of more distinct items the first are taken.
inline constexpr std::size_t kSlots = 10;

struct Session {
  double time = 0;                  ///< of its first event, in seconds
  std::vector<std::int32_t> items;  ///< distinct, 1 to kSlots of them, numbered from 1
  std::vector<float> spreading;     ///< of each item: filled in by Cooccurrence::fill
};

/// The catalogue: items by number and name.
class Catalogue {
 public:
  /// Numbers count from 1; a name that is there already keeps its number.
  std::int32_t add(const std::string& name);
  /// 0 when there is no such item.
  std::int32_t number(const std::string& name) const;
  const std::string& name(std::int32_t number) const { return names_[static_cast<std::size_t>(number - 1)]; }
  std::size_t size() const { return names_.size(); }
  void save(Archive& group) const;
  /// Throws Error(kBadData) when names repeat.
  void load(const Archive& group);

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::int32_t> numbers_;
};

struct SessionLog {
  Catalogue catalogue;
  std::vector<std::string> users;
  std::vector<std::vector<Session>> sessions;  ///< of each user, in order of time
};

/// A new session begins after `idle` seconds without an event, or where the member "session" changes. Items
/// with fewer than `least_plays` events and then users with fewer than `least_sessions` sessions are left
/// out. Events are in order of time.
SessionLog sessions_of(std::span<const events::Event> events, double idle, std::size_t least_plays,
                       std::size_t least_sessions);

/// How often two items occur in one session: C = D^-1/2 A D^-1/2 of A_ij = number of sessions with both, hop
/// 1 of the spreading of "Transformers Meet ACT-R" (arXiv 2408.16578).
class Cooccurrence {
 public:
  Cooccurrence() = default;
  /// Of the first `upto[user]` sessions of each user.
  Cooccurrence(const SessionLog& log, std::span<const std::size_t> upto);
  double at(std::int32_t a, std::int32_t b) const;
  /// SPR_i = sum over the other items j of the session of C_ij.
  void fill(Session& session) const;
  void fill(SessionLog& log) const;
  /// y = C x for x, y of catalogue size + 1 rows of `columns`: for decompositions.
  void multiply(std::span<const double> x, std::span<double> y, std::size_t columns) const;
  void save(Archive& group) const;
  /// Throws Error(kBadData) unless it is of `items` items.
  void load(const Archive& group, std::size_t items);

 private:
  std::vector<std::int64_t> starts_;  ///< of each item's row; item 0 has none
  std::vector<std::int32_t> columns_;
  std::vector<float> values_;
};

}  // namespace stream::recommenders
