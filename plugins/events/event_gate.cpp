#include "events/event_gate.hpp"

#include <algorithm>

#include "stream/random.hpp"
#include "stream/spec.hpp"

namespace stream::events {

namespace {
std::uint64_t identity(const Event& event) {
  // A byte that is no UTF-8 stands between, so that "a" + "bc" is another than "ab" + "c".
  std::uint64_t hash = stable_hash(event.key);
  hash = stable_hash("\xff", hash);
  hash = stable_hash(event.item, hash);
  return stable_hash(std::to_string(event.time.count()), stable_hash("\xff", hash));
}
}  // namespace

void EventGate::take(Event event) {
  if (newest_ != kTimeMin && event.time < reached_)
    throw EventFault("late", "the event is " + to_string(reached_ - event.time) +
                                 " older than one that was passed on already (tolerance " +
                                 to_string(options_.tolerance) + ")");
  if (newest_ != kTimeMin && options_.jump > Duration::zero() && event.time - newest_ > options_.jump) {
    const bool confirmed = candidate_ != kTimeMin && event.time >= candidate_ - options_.tolerance &&
                           event.time - candidate_ <= options_.jump;
    if (!confirmed) {
      candidate_ = event.time;
      throw EventFault("clock-jump", "the clock jumps by " + to_string(event.time - newest_) +
                                         ", which no other event has confirmed");
    }
  }
  const std::uint64_t hash = identity(event);
  if (known_.contains(hash))
    throw EventFault("duplicate", "there was an event of '" + event.key + "' with the same time and item");
  candidate_ = kTimeMin;
  remember(event.time, hash);
  newest_ = std::max(newest_, event.time);
  const auto at = std::pair(event.time, event.line);
  held_.emplace(at, std::move(event));
}

void EventGate::remember(Time time, std::uint64_t hash) {
  known_.insert(hash);
  remembered_.emplace_back(time, hash);
  const Time oldest = std::max(newest_, time) - options_.tolerance;
  while (!remembered_.empty() && (remembered_.front().first < oldest || remembered_.size() > options_.held)) {
    known_.erase(remembered_.front().second);
    remembered_.pop_front();
  }
}

void EventGate::release(std::vector<Event>& out) {
  while (!held_.empty()) {
    const auto first = held_.begin();
    if (first->first.first > newest_ - options_.tolerance && held_.size() <= options_.held) break;
    reached_ = std::max(reached_, first->first.first);
    out.push_back(std::move(first->second));
    held_.erase(first);
  }
  if (newest_ != kTimeMin) reached_ = std::max(reached_, newest_ - options_.tolerance);
}

void EventGate::flush(std::vector<Event>& out) {
  for (auto& [at, event] : held_) {
    reached_ = std::max(reached_, at.first);
    out.push_back(std::move(event));
  }
  held_.clear();
}

void EventGate::save(Archive& group) const {
  group.set("newest", newest_);
  group.set("reached", reached_);
  group.set("candidate", candidate_);
  std::vector<std::int64_t> times, lines, hashes, hash_times;
  for (const auto& [time, hash] : remembered_)
    hash_times.push_back(time.count()), hashes.push_back(static_cast<std::int64_t>(hash));
  std::vector<Packet> packets;
  for (const auto& [at, event] : held_) {
    times.push_back(event.time.count()), lines.push_back(event.line);
    packets.push_back(Packet::of<Record>(
        event.time, Object{{"key", event.key}, {"item", event.item}, {"members", event.members}}));
  }
  group.set("times", times);
  group.set("lines", lines);
  group.set("held", std::span<const Packet>(packets));
  group.set("hashes", hashes);
  group.set("hash_times", hash_times);
}

void EventGate::load(const Archive& group) {
  newest_ = group.get<Duration>("newest");
  reached_ = group.get<Duration>("reached");
  candidate_ = group.get<Duration>("candidate");
  const auto times = group.get<std::vector<std::int64_t>>("times"),
             lines = group.get<std::vector<std::int64_t>>("lines"),
             hashes = group.get<std::vector<std::int64_t>>("hashes"),
             hash_times = group.get<std::vector<std::int64_t>>("hash_times");
  const auto packets = group.packets("held");
  if (times.size() != packets.size() || lines.size() != times.size() || hashes.size() != hash_times.size())
    throw bad_data("the checkpoint's held events do not belong together");
  held_.clear(), remembered_.clear(), known_.clear();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto& record = packets[i].as<Record>();
    Event event{Time{times[i]}, record.at("key").as_string(), record.at("item").as_string(), lines[i],
                record.at("members").as_object()};
    held_.emplace(std::pair(event.time, event.line), std::move(event));
  }
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    remembered_.emplace_back(Time{hash_times[i]}, static_cast<std::uint64_t>(hashes[i]));
    known_.insert(static_cast<std::uint64_t>(hashes[i]));
  }
}

std::size_t EventGate::bytes() const {
  std::size_t sum = remembered_.size() * 32;
  for (const auto& [at, event] : held_) sum += sizeof event + event.key.size() + event.item.size();
  return sum;
}

}  // namespace stream::events
