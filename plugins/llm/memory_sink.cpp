#include "llm/memory_sink.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {
namespace {
constexpr std::int64_t kBlock = 256;
}

SinkMemory::SinkMemory(const ModelConfig& config, const Rope& rope, Options options)
    : turns_(rope),
      options_(options),
      by_distance_(config.scores_by_distance()),
      sinks_(config, options.sinks),
      recent_(config, options.recent),
      block_(config, 1) {
  if (!by_distance_ && options_.keys == Keys::kTurned) options_.keys = Keys::kRaw;
  if (options_.sinks < 0 || options_.recent < 1)
    throw bad_recipe("a memory of " + std::to_string(options_.sinks) + " sinks and " +
                     std::to_string(options_.recent) + " recent tokens, expected at least 0 and 1");
  if (capacity() > config.context)
    throw bad_recipe(
        "a memory of " + std::to_string(options_.sinks) + " sinks and " + std::to_string(options_.recent) +
        " recent tokens is larger than the model's context of " + std::to_string(config.context));
}

std::int64_t SinkMemory::admit(std::int64_t wanted) {
  // A block either fits or slides; then every query sees one slot less than the query before.
  if (slots() < capacity()) return std::min(wanted, capacity() - slots());
  // Its keys stand where the first query sees them, which is wrong for the others if places matter.
  return by_distance_ ? std::min({wanted, options_.recent, kBlock}) : 1;
}

void SinkMemory::append(std::int64_t layer, std::int64_t tokens, const float*, const float* keys,
                        const float* values) {
  if (tokens > block_.capacity()) block_.grow(tokens);
  Turns* const turns = options_.keys == Keys::kRaw ? nullptr : &turns_;
  for (std::int64_t t = 0; t < tokens; ++t) block_.put(layer, t, keys, values, t, turns, next_ + t);
}

void SinkMemory::segments(std::int64_t layer, std::int64_t tokens, std::vector<Segment>& out) {
  const bool raw = options_.keys == Keys::kRaw, full = slots() == capacity();
  const bool stream = options_.keys == Keys::kStreamPositions;
  const std::int64_t n = slots();
  if (sinks_used_ > 0)
    out.push_back({.keys = sinks_.key(layer, 0, 0),
                   .values = sinks_.value(layer, 0, 0),
                   .head_stride = sinks_.head_stride(),
                   .count = sinks_used_,
                   .rotated = !raw,
                   .query_position = stream ? next_ : n,
                   .query_step = full && !stream ? 0 : 1});
  const auto recent = [&](std::int64_t index, std::int64_t count) {
    if (count == 0) return;
    out.push_back({.keys = recent_.key(layer, 0, ring(index)),
                   .values = recent_.value(layer, 0, ring(index)),
                   .head_stride = recent_.head_stride(),
                   .count = count,
                   .rotated = !raw,
                   .key_position = raw ? sinks_used_ + index : next_ - recent_used_ + index,
                   .query_position = raw ? n : next_,
                   .from = full ? -index : 0,
                   .from_step = full ? 1 : 0});
  };
  const std::int64_t until_end = std::min(recent_used_, options_.recent - oldest_);
  recent(0, until_end);
  recent(until_end, recent_used_ - until_end);
  out.push_back({.keys = block_.key(layer, 0, 0),
                 .values = block_.value(layer, 0, 0),
                 .head_stride = block_.head_stride(),
                 .count = tokens,
                 .rotated = !raw,
                 .key_position = raw ? n : next_,
                 .query_position = raw ? n : next_,
                 .until = 1,
                 .until_step = 1});
}

void SinkMemory::commit(std::int64_t tokens) {
  for (std::int64_t t = 0; t < tokens; ++t) {
    if (sinks_used_ < options_.sinks) {
      sinks_.copy(sinks_used_++, block_, t);
    } else if (recent_used_ < options_.recent) {
      recent_.copy(ring(recent_used_++), block_, t);
    } else {
      recent_.copy(oldest_, block_, t);
      oldest_ = (oldest_ + 1) % options_.recent;
    }
  }
  next_ += tokens;
}

void SinkMemory::reserve(std::int64_t coming) {
  if (slots() + coming <= capacity()) return;
  const std::int64_t keep = std::clamp<std::int64_t>(options_.recent - coming, 0, recent_used_);
  oldest_ = ring(recent_used_ - keep);
  recent_used_ = keep;
}

void SinkMemory::evict(std::int64_t from, std::int64_t to) {
  if (from < sinks_used_ || from > to || to > slots())
    throw failed("slots " + std::to_string(from) + " to " + std::to_string(to) +
                 " cannot be forgotten: there are " + std::to_string(slots()) + ", of which the first " +
                 std::to_string(sinks_used_) + " are sinks");
  const std::int64_t first = from - sinks_used_, gap = to - from;
  // What is older than the gap moves up to close it, and so do its positions.
  for (std::int64_t i = first; i-- > 0;) {
    const std::int64_t slot = ring(i + gap);
    recent_.copy(slot, recent_, ring(i));
    if (options_.keys != Keys::kTurned) continue;
    for (std::int64_t l = 0; l < recent_.layers(); ++l)
      for (std::int64_t h = 0; h < recent_.heads(); ++h) turns_.rotate(recent_.key(l, h, slot), gap);
  }
  oldest_ = ring(gap);
  recent_used_ -= gap;
}

const float* SinkMemory::key(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
  return slot < sinks_used_ ? sinks_.key(layer, head, slot)
                            : recent_.key(layer, head, ring(slot - sinks_used_));
}

const float* SinkMemory::value(std::int64_t layer, std::int64_t head, std::int64_t slot) const {
  return slot < sinks_used_ ? sinks_.value(layer, head, slot)
                            : recent_.value(layer, head, ring(slot - sinks_used_));
}

void SinkMemory::save(Archive& group) const {
  group.set("policy", "sink");
  group.set("keys", static_cast<int>(options_.keys));
  group.set("sinks_used", sinks_used_);
  group.set("recent_used", recent_used_);
  group.set("oldest", oldest_);
  group.set("next", next_);
  if (sinks_used_ > 0) sinks_.save(group, "sinks", 0, sinks_used_);
  if (recent_used_ > 0) recent_.save(group, "recent", oldest_, recent_used_);
}

void SinkMemory::load(const Archive& group) {
  if (group.get<std::string>("policy") != "sink" || group.get<int>("keys") != static_cast<int>(options_.keys))
    throw bad_data("the saved memory is of another policy");
  sinks_used_ = group.get<std::int64_t>("sinks_used");
  recent_used_ = group.get<std::int64_t>("recent_used");
  next_ = group.get<std::int64_t>("next");
  oldest_ = group.get<std::int64_t>("oldest");
  if (oldest_ < 0 || oldest_ >= options_.recent) throw bad_data("the saved memory does not fit this one");
  if (sinks_used_ != 0) sinks_.load(group, "sinks", 0, sinks_used_);
  if (recent_used_ != 0) recent_.load(group, "recent", oldest_, recent_used_);
}

}  // namespace stream::llm
