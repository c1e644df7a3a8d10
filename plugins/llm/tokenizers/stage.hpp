/// How text becomes token ids: a chain of stages, each of which receives text piece by piece and hands on
/// what no later text can change. What a stage emits depends on the text alone, never on how it was cut.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/tokenizer.hpp"
#include "stream/archive.hpp"

namespace stream::llm {

/// Text that must be seen whole before its tokens are known (a word, a run of blanks) is cut here, in bytes
/// or UTF-16 units, when it does not end: only so is memory bounded on a stream without a single boundary.
inline constexpr std::size_t kLongestPiece = std::size_t{1} << 20;

class Stage {
 public:
  virtual ~Stage() = default;
  /// More of the present piece: whole characters of valid UTF-8.
  virtual void text(std::string_view utf8) = 0;
  /// The present piece ends. Nothing happens when it is empty.
  virtual void end() = 0;
  /// An id that is settled already, between two pieces.
  virtual void token(TokenId id) = 0;
  /// The whole text has ended, after `end`: hands on what still waits, and begins anew.
  virtual void finish() = 0;
  /// What is held back.
  virtual void save(Archive& group) const = 0;
  virtual void load(const Archive& group) = 0;
};

/// One that hands on to another.
class InnerStage : public Stage {
 public:
  explicit InnerStage(std::unique_ptr<Stage> next) : next_(std::move(next)) {}
  void token(TokenId id) override { next_->token(id); }
  void finish() override { next_->finish(); }
  void save(Archive& group) const override { next_->save(group.group("next")); }
  void load(const Archive& group) override { next_->load(group.group("next")); }

 protected:
  Stage& next() { return *next_; }

 private:
  std::unique_ptr<Stage> next_;
};

/// Makes a stage that hands on to `next`.
using StageMaker = std::function<std::unique_ptr<Stage>(std::unique_ptr<Stage> next)>;

}  // namespace stream::llm
