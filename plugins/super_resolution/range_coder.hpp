/// Adaptive binary range coding, as in LZMA (Martin 1979; Pavlov 2001): 11-bit probabilities that move by
/// 1/32 towards what was seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stream::super_resolution {

class Bit {
 public:
  static constexpr int kBits = 11, kRate = 5;
  std::uint32_t zero() const { return zero_; }
  void update(bool one) {
    if (one)
      zero_ -= zero_ >> kRate;
    else
      zero_ += ((1u << kBits) - zero_) >> kRate;
  }

 private:
  std::uint32_t zero_ = 1u << (kBits - 1);  ///< probability of 0, in 2^-11
};

class RangeEncoder {
 public:
  void put(bool one, Bit& bit) {
    const std::uint32_t bound = (range_ >> Bit::kBits) * bit.zero();
    if (one) {
      low_ += bound;
      range_ -= bound;
    } else {
      range_ = bound;
    }
    bit.update(one);
    while (range_ < (1u << 24)) {
      range_ <<= 8;
      shift();
    }
  }
  std::string finish() {
    for (int i = 0; i < 5; ++i) shift();
    return std::move(out_);
  }

 private:
  void shift() {
    if (low_ < 0xFF000000u || low_ > 0xFFFFFFFFu) {
      const auto carry = static_cast<unsigned char>(low_ >> 32);
      if (!first_) out_ += static_cast<char>(cache_ + carry);
      first_ = false;
      for (; pending_ > 0; --pending_) out_ += static_cast<char>(0xFF + carry);
      cache_ = static_cast<unsigned char>(low_ >> 24);
    } else {
      ++pending_;
    }
    low_ = (low_ & 0x00FFFFFF) << 8;
  }
  std::uint64_t low_ = 0;
  std::uint32_t range_ = 0xFFFFFFFF;
  std::uint64_t pending_ = 0;
  unsigned char cache_ = 0;
  bool first_ = true;
  std::string out_;
};

class RangeDecoder {
 public:
  explicit RangeDecoder(std::string_view bytes) : bytes_(bytes) {
    for (int i = 0; i < 4; ++i) code_ = (code_ << 8) | next();
  }
  bool get(Bit& bit) {
    const std::uint32_t bound = (range_ >> Bit::kBits) * bit.zero();
    const bool one = code_ >= bound;
    if (one) {
      code_ -= bound;
      range_ -= bound;
    } else {
      range_ = bound;
    }
    bit.update(one);
    while (range_ < (1u << 24)) {
      range_ <<= 8;
      code_ = (code_ << 8) | next();
    }
    return one;
  }
  /// True when more was asked for than there is.
  bool exhausted() const { return missing_ > 0; }

 private:
  std::uint32_t next() {
    if (at_ < bytes_.size()) return static_cast<unsigned char>(bytes_[at_++]);
    ++missing_;
    return 0;
  }
  std::string_view bytes_;
  std::size_t at_ = 0, missing_ = 0;
  std::uint32_t range_ = 0xFFFFFFFF, code_ = 0;
};

}  // namespace stream::super_resolution
