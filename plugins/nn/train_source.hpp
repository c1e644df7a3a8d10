/// What sources that train in epochs have in common: a line for each epoch, and the model at the end.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "stream/operator.hpp"

namespace stream::nn {

template <typename Trainer>
class TrainSource : public Source {
 public:
  bool read(Output& out) final {
    if (trainer_.finished()) {
      if (written_) return false;
      Object last = finish();
      written_ = true;
      out.emit(Packet::of<Record>(Time{trainer_.steps() + 1}, std::move(last)));
      return true;
    }
    const std::int64_t before = trainer_.epoch();
    trainer_.step();
    if (trainer_.epoch() != before)
      out.emit(Packet::of<Record>(Time{trainer_.steps()}, Object{{"epoch", trainer_.epoch()},
                                                                 {"step", trainer_.steps()},
                                                                 {"loss", trainer_.loss()},
                                                                 {"validation", trainer_.validation()}}));
    return true;
  }
  double fraction() const final { return trainer_.fraction(); }
  void save(Archive& state) const final {
    trainer_.save(state);
    state.set("written", written_);
  }
  void load(const Archive& state) final {
    trainer_.load(state);
    written_ = state.get<bool>("written");
  }
  std::size_t state_bytes() const final { return trainer_.state_bytes(); }
  std::string progress() const final {
    char text[96];
    std::snprintf(text, sizeof text, "epoch %lld, loss %.4f, %s %.4f",
                  static_cast<long long>(trainer_.epoch()), trainer_.loss(), validated_,
                  std::max(0.0, trainer_.validation()));
    return text;
  }

 protected:
  /// `validated`: what the trainer's validation measures, in a word; the others are the trainer's arguments.
  template <typename... Args>
  explicit TrainSource(const char* validated, Args&&... args)
      : trainer_(std::forward<Args>(args)...), validated_(validated) {}
  /// Writes the model; returns the last record, with what the test says.
  virtual Object finish() const = 0;
  const Trainer& trainer() const { return trainer_; }

 private:
  Trainer trainer_;
  const char* validated_;
  bool written_ = false;
};

}  // namespace stream::nn
