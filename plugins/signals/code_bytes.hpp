/// Sparse codes as bytes.
///
/// All numbers little-endian. 8 bytes "SPCODE1\n"; u16 n, numbers in a vector; u16 bytes of a value, 2 (IEEE
/// 754 binary16) or 4 (binary32). Then, for each code: c, the number of its coefficients, in LEB128; c
/// indices, ascending, a byte each for n <= 256, else two; c values. c = n + 1 is no code: a version number
/// in LEB128 follows, which holds for the codes after it; it is 0 before the first.
#pragma once

#include <optional>
#include <string>

#include "signals/sparse_code.hpp"
#include "stream/archive.hpp"

namespace stream::signals {

class CodePacker {
 public:
  CodePacker(std::size_t n, bool half) : n_(n), half_(half) {}
  /// The next code's bytes, those of the header before the first. Values that no binary16 can hold throw
  /// Error(kBadData).
  std::string pack(const SparseCode& code, std::int64_t version);
  std::size_t size() const { return n_; }
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  std::size_t n_;
  bool half_, started_ = false;
  std::int64_t version_ = 0;
};

class CodeUnpacker {
 public:
  struct Code {
    SparseCode code;
    std::int64_t version;
  };
  void add(std::string_view bytes) { held_ += bytes; }
  /// The next complete code. Throws Error(kBadData) that names the byte.
  std::optional<Code> next();
  /// Bytes of what is not complete, and where that begins.
  std::size_t left() const { return held_.size() - at_; }
  std::int64_t offset() const { return offset_; }
  std::size_t bytes() const { return held_.size(); }
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  void taken(std::size_t bytes);
  std::optional<std::uint64_t> varint(std::size_t& at) const;
  [[noreturn]] void wrong(const std::string& what) const;

  std::string held_;
  std::size_t at_ = 0;             ///< of held_, taken already
  std::int64_t offset_ = 0;        ///< in the stream, of held_[at_]
  std::size_t n_ = 0, width_ = 0;  ///< 0: before the header
  std::int64_t version_ = 0;
};

}  // namespace stream::signals
