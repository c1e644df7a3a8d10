/// Sources of made-up texts, each a function of the seed and its number alone: it can be made without those
/// before it.
#pragma once

#include <string>

#include "stream/operator.hpp"
#include "stream/random.hpp"

namespace stream::llm {

/// Emits texts 0 to `count` - 1, stamped with their numbers in nanoseconds.
class MadeTexts : public Source {
 public:
  bool read(Output& out) final {
    if (done_ == count_) return false;
    Random random(stable_hash(std::to_string(done_), seed_));
    out.emit(Packet::of<Tensor>(Time{done_}, text(done_, random)));
    ++done_;
    return true;
  }
  double fraction() const final { return static_cast<double>(done_) / static_cast<double>(count_); }
  void save(Archive& state) const final { state.set("done", done_); }
  void load(const Archive& state) final { done_ = state.get<std::int64_t>("done"); }

 protected:
  MadeTexts(std::int64_t count, std::uint64_t seed) : count_(count), seed_(seed) {}

 private:
  virtual Tensor text(std::int64_t number, Random& random) const = 0;
  std::int64_t count_;
  std::uint64_t seed_;
  std::int64_t done_ = 0;
};

}  // namespace stream::llm
