/// The harness must catch what it is there for: one operator for each way to break a law.
#include <gmock/gmock.h>

#include "laws.hpp"
#include "pairs.hpp"

namespace stream {
namespace {

using laws::LawBroken;

std::vector<Packet> words() {
  std::vector<Packet> packets;
  for (int i = 0; i < 10; ++i)
    packets.push_back(Packet::of<Text>(Time{i * 1000}, "word " + std::to_string(i * i)));
  return packets;
}

/// Numbers its packets, and forgets the number in checkpoints unless told to keep it.
template <bool kSaves>
class Count : public Operator {
 public:
  void process(Packet in, Output& out) override { out.emit(in.with<Text>(std::to_string(count_++))); }
  void save(Archive& state) const override {
    if (kSaves) state.set("count", count_);
  }
  void load(const Archive& state) override {
    if (kSaves) count_ = state.get<std::int64_t>("count");
  }

 private:
  std::int64_t count_ = 0;
};

/// Emits each packet unchanged, two packets later.
class Late : public Operator {
 public:
  void process(Packet in, Output& out) override {
    if (held_.size() == 2) {
      out.emit(std::move(held_.front()));
      held_.erase(held_.begin());
    }
    held_.push_back(std::move(in));
  }
  void finish(Output& out) override {
    for (Packet& packet : held_) out.emit(std::move(packet));
  }

 private:
  std::vector<Packet> held_;
};

class Hoard : public Operator {
 public:
  void process(Packet in, Output&) override { kept_.push_back(std::move(in)); }
  void save(Archive& state) const override { state.set("kept", std::span<const Packet>(kept_)); }
  void load(const Archive& state) override { kept_ = state.packets("kept"); }

 private:
  std::vector<Packet> kept_;
};

template <typename Op>
laws::Subject subject(Duration lookahead = {}) {
  return {[] { return std::make_unique<Op>(); }, Contract{.lookahead = lookahead}};
}

TEST(BrokenLaws, ForgottenStateIsCaught) {
  EXPECT_THROW(laws::resuming_is_exact(subject<Count<false>>(), words()), LawBroken);
  EXPECT_NO_THROW(laws::resuming_is_exact(subject<Count<true>>(), words()));
}

TEST(BrokenLaws, UndeclaredLookaheadIsCaught) {
  EXPECT_THROW(
      laws::only_declared_lookahead_matters(subject<Pairs>(), words(), Packet::of<Text>(Time{}, "other")),
      LawBroken);
  EXPECT_THROW(laws::output_is_punctual(subject<Late>(), words()), LawBroken);
  EXPECT_NO_THROW(laws::only_declared_lookahead_matters(subject<Pairs>(Duration{1000}), words(),
                                                        Packet::of<Text>(Time{}, "other")));
  EXPECT_NO_THROW(laws::output_is_punctual(subject<Late>(Duration{1000}), words()));
}

TEST(BrokenLaws, GrowingStateIsCaught) {
  EXPECT_THROW(laws::state_is_bounded(subject<Hoard>(), words()), LawBroken);
  EXPECT_NO_THROW(laws::state_is_bounded(subject<Count<true>>(), words()));
}

TEST(BrokenLaws, DependenceOnPacketsIsCaught) {
  auto other = words();
  other.pop_back();
  EXPECT_THROW(laws::chunking_does_not_matter(subject<Count<true>>(), {words(), other}), LawBroken);
}

}  // namespace
}  // namespace stream
