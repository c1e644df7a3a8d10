#include "engine/key_table.hpp"

#include <algorithm>
#include <span>

#include "stream/error.hpp"

namespace stream {
namespace {

constexpr std::size_t kFirstSlots = 16;

void add(StatePacker& to, const std::string& key, const Operator& op) {
  Archive state;
  op.save(state);
  to.add(key, state);
}

}  // namespace

KeyTable::KeyTable(Make make, Options options)
    : make_(std::move(make)),
      options_(std::move(options)),
      spill_(options_.folder, [this](std::string_view key, KeySpill::Place to) {
        find(key, hash_of(key)).where = on_disk(to);
      }) {}

std::string_view KeyTable::key_in(const Slot& slot) const {
  if ((slot.where & kOnDisk) != 0) return spill_.key(place_of(slot.where));
  return reinterpret_cast<const Instance*>(slot.where)->key;  // NOLINT(performance-no-int-to-ptr)
}

/// The key's slot, or the empty one where it belongs.
KeyTable::Slot& KeyTable::find(std::string_view key, std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.where == 0 || (slot.hash == hash && key_in(slot) == key)) return slot;
  }
}

Operator& KeyTable::at(std::string_view key) {
  if (2 * size_ >= slots_.size()) grow();
  const std::uint64_t hash = hash_of(key);
  Slot& slot = find(key, hash);
  if (slot.where == 0 || (slot.where & kOnDisk) != 0) [[unlikely]]
    return bring(slot, key, hash);
  auto* instance = reinterpret_cast<Instance*>(slot.where);  // NOLINT(performance-no-int-to-ptr)
  instance->used = ++calls_;
  return *instance->op;
}

std::unique_ptr<Operator> KeyTable::revived(std::string_view key, const Archive& state) const {
  std::unique_ptr<Operator> op = make_();
  try {
    op->load(state);
  } catch (const Error& e) {
    throw e.within("the state of key '" + std::string(key) + "'");
  }
  return op;
}

Operator& KeyTable::bring(Slot& slot, std::string_view key, std::uint64_t hash) {
  if (slot.where != 0) {
    const KeySpill::Place place = place_of(slot.where);
    // The slot names the key that its place holds: first the instance, then the place may go.
    slot.where = reinterpret_cast<std::uint64_t>(&put_in_memory(key, revived(key, spill_.state(place))));
    spill_.erase(place);
  } else {
    slot = {hash, reinterpret_cast<std::uint64_t>(&put_in_memory(key, make_()))};
    ++size_;
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return *reinterpret_cast<Instance*>(slot.where)->op;
}

KeyTable::Instance& KeyTable::put_in_memory(std::string_view key, std::unique_ptr<Operator> op) {
  if (free_.empty()) free_.push_back(&instances_.emplace_back());
  Instance& instance = *free_.back();
  instance.key = key;
  free_.pop_back();
  instance.op = std::move(op);
  instance.used = ++calls_;
  ++resident_;
  return instance;
}

void KeyTable::grow() {
  std::vector<Slot> before(std::max(kFirstSlots, 2 * slots_.size()));
  before.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : before) {
    if (slot.where == 0) continue;
    std::size_t i = slot.hash & mask;
    while (slots_[i].where != 0) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

void KeyTable::send_away(std::size_t count) {
  std::vector<Instance*> oldest;
  oldest.reserve(resident_);
  for (Instance& instance : instances_)
    if (instance.op) oldest.push_back(&instance);
  count = std::min(count, oldest.size());
  std::nth_element(oldest.begin(), oldest.begin() + static_cast<std::ptrdiff_t>(count) - 1, oldest.end(),
                   [](const Instance* a, const Instance* b) { return a->used < b->used; });
  StatePacker states;
  for (std::size_t i = 0; i < count; i += KeySpill::kMost) {
    const std::size_t end = std::min(count, i + KeySpill::kMost);
    for (std::size_t j = i; j < end; ++j) add(states, oldest[j]->key, *oldest[j]->op);
    spill_.write(states);  // the slots name the disk from here on
    for (std::size_t j = i; j < end; ++j) {
      oldest[j]->op.reset();
      free_.push_back(oldest[j]);
      --resident_;
    }
  }
}

void KeyTable::each(const std::function<void(const std::string& key, Operator&)>& f, bool forget) {
  std::vector<std::string> names;
  names.reserve(size_);
  for (const Slot& slot : slots_)
    if (slot.where != 0) names.emplace_back(key_in(slot));
  std::sort(names.begin(), names.end());
  if (!forget) {
    for (const std::string& name : names) {
      f(name, at(name));
      keep_limit();
    }
    return;
  }
  // Names say nothing of where states lie, so some are read ahead in the order of the disk. Nobody comes or
  // goes meanwhile.
  keep_limit();
  const std::size_t ahead = std::max<std::size_t>(options_.in_memory / 8, 64);
  for (std::size_t begin = 0; begin < names.size(); begin += ahead) {
    const auto some = std::span(names).subspan(begin, std::min(ahead, names.size() - begin));
    std::vector<std::unique_ptr<Operator>> away(some.size());
    std::vector<KeySpill::Place> places;
    std::vector<std::size_t> whose;
    for (std::size_t i = 0; i < some.size(); ++i) {
      const Slot& slot = find(some[i], hash_of(some[i]));
      if ((slot.where & kOnDisk) != 0) places.push_back(place_of(slot.where)), whose.push_back(i);
    }
    spill_.states(places, [&](std::size_t i, const Archive& state) {
      away[whose[i]] = revived(some[whose[i]], state);
    });
    for (std::size_t i = 0; i < some.size(); ++i) {
      f(some[i], away[i] ? *away[i] : at(some[i]));
      away[i].reset();
    }
  }
}

void KeyTable::save(Archive& into) const {
  std::vector<const Instance*> sorted;
  sorted.reserve(resident_);
  for (const Instance& instance : instances_)
    if (instance.op) sorted.push_back(&instance);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  std::size_t index = 0;
  StatePacker states;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    add(states, sorted[i]->key, *sorted[i]->op);
    if (states.size() == KeySpill::kMost || i + 1 == sorted.size())
      into.put(std::to_string(index++), std::make_shared<Archive>(states.take()));
  }
  // Pages of the spill's files: they are copied from there into the checkpoint's, never into memory.
  spill_.each([&](const Archive& packed, const std::vector<std::uint8_t>& alive) {
    auto group = std::make_shared<Archive>(packed);
    if (std::find(alive.begin(), alive.end(), 0) != alive.end()) group->set("alive", alive);
    into.put(std::to_string(index++), std::move(group));
  });
}

void KeyTable::load(const Archive& from) {
  const auto put = [&](std::string_view key, const Archive& state) {
    at(key).load(state);
    keep_limit();
  };
  for (std::size_t i = 0; from.has(std::to_string(i)); ++i) {
    const Archive& group = from.group(std::to_string(i));
    if (group.has("key")) {  // checkpoints of version 1 hold each key in a group of its own
      put(group.get<std::string>("key"), group.group("state"));
      continue;
    }
    const PackedStates states(group);
    const auto alive =
        group.has("alive") ? group.get<std::vector<std::uint8_t>>("alive") : std::vector<std::uint8_t>();
    if (!alive.empty() && alive.size() != states.size()) throw bad_data("the keys' states are incomplete");
    for (std::size_t row = 0; row < states.size(); ++row)
      if (alive.empty() || alive[row] != 0) put(states.key(row), states.state(row));
  }
}

std::size_t KeyTable::state_bytes() const {
  std::size_t bytes = 0;
  for (const Instance& instance : instances_)
    if (instance.op) bytes += instance.op->state_bytes();
  return bytes;
}

}  // namespace stream
