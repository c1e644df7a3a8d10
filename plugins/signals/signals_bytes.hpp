/// Vectors from raw numbers and NumPy's arrays, and sparse codes as few bytes, as they come.
#pragma once

#include <cstring>
#include <optional>

#include "signals/code_bytes.hpp"
#include "signals/vectors.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::signals {

/// Times for what is cut from bytes: of the first packet, and as many nanoseconds more as bytes came before
/// the last one that it takes. For bytes.read that is this byte's offset. How the bytes were cut into
/// packets, and when those came, plays no part, so that nothing is promised of how far behind the input these
/// times are.
class ByteClock {
 public:
  void hear(const Packet& packet) {
    if (!base_) base_ = packet.time;
  }
  Time at(std::int64_t last_byte) const { return *base_ + Duration{last_byte}; }
  void save(Archive& state) const {
    if (base_) state.set("base", *base_);
  }
  void load(const Archive& state) {
    base_.reset();
    if (state.has("base")) base_ = state.get<Duration>("base");
  }

 private:
  std::optional<Time> base_;
};

class BytesVectors final : public Operator {
 public:
  static Spec spec();
  explicit BytesVectors(const Params& p);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return sizeof *this + held_.size(); }

 private:
  void take(const Packet& in, Output& out);
  void begin();
  std::string where() const { return "byte " + std::to_string(consumed_); }
  std::size_t given_, size_;  ///< as the parameter says; as it is known to be
  bool npy_, wide_;           ///< float64 rather than float32
  std::int64_t rows_ = -1;    ///< that the array still holds; -1: without end, or not known yet
  bool started_ = false;
  std::string held_;  ///< less than a header or a vector
  std::int64_t consumed_ = 0, count_ = 0;
  ByteClock clock_;
};

class PackOperator final : public Operator {
 public:
  static Spec spec();
  explicit PackOperator(const Params& p)
      : packer_(p.get<std::size_t>("size"), p.get<std::string>("values") == "float16") {}
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;

 private:
  Object status() const;
  CodePacker packer_;
  std::int64_t vectors_ = 0, bytes_ = 0;
};

class UnpackOperator final : public Operator {
 public:
  static Spec spec();
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override {
    unpacker_.save(state);
    clock_.save(state);
  }
  void load(const Archive& state) override {
    unpacker_.load(state);
    clock_.load(state);
  }
  std::size_t state_bytes() const override { return sizeof *this + unpacker_.bytes(); }

 private:
  CodeUnpacker unpacker_;
  ByteClock clock_;
};

}  // namespace stream::signals
