#include "signals/code_bytes.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "stream/error.hpp"
#include "stream/half.hpp"

namespace stream::signals {
namespace {

constexpr std::string_view kMagic = "SPCODE1\n";
constexpr std::size_t kHeader = 12, kMost = 1024;

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::size_t index_bytes(std::size_t n) { return n <= 256 ? 1 : 2; }

}  // namespace

std::string CodePacker::pack(const SparseCode& code, std::int64_t version) {
  std::string out;
  if (!started_) {
    out += kMagic;
    put(out, n_, 2);
    put(out, half_ ? 2 : 4, 2);
    started_ = true;
  }
  if (version != version_) {
    put_varint(out, n_ + 1);
    put_varint(out, static_cast<std::uint64_t>(version));
    version_ = version;
  }
  put_varint(out, code.indices.size());
  for (const std::int64_t i : code.indices) put(out, static_cast<std::uint64_t>(i), index_bytes(n_));
  for (const double v : code.values) {
    const auto value = static_cast<float>(v);
    if (half_ ? std::abs(v) >= 65520 : !std::isfinite(value))
      throw bad_data("a coefficient, " + std::to_string(v) + ", is too great for " +
                     (half_ ? "float16: values = \"float32\" holds it" : "float32"));
    put(out, half_ ? half_of_float(value) : std::bit_cast<std::uint32_t>(value), half_ ? 2 : 4);
  }
  return out;
}

void CodePacker::save(Archive& state) const {
  state.set("started", started_);
  state.set("version", version_);
}

void CodePacker::load(const Archive& state) {
  started_ = state.get<bool>("started");
  version_ = state.get<std::int64_t>("version");
}

void CodeUnpacker::wrong(const std::string& what) const {
  throw bad_data("byte " + std::to_string(offset_) + " of the codes: " + what);
}

void CodeUnpacker::taken(std::size_t bytes) {
  at_ += bytes;
  offset_ += static_cast<std::int64_t>(bytes);
  if (at_ > 4096 || at_ == held_.size()) {
    held_.erase(0, at_);
    at_ = 0;
  }
}

std::optional<std::uint64_t> CodeUnpacker::varint(std::size_t& at) const {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    if (at == held_.size()) return {};
    const auto byte = static_cast<unsigned char>(held_[at++]);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  wrong("a number of more than nine bytes");
}

std::optional<CodeUnpacker::Code> CodeUnpacker::next() {
  if (n_ == 0) {
    const std::string_view here = std::string_view(held_).substr(at_);
    if (here.substr(0, kMagic.size()) != kMagic.substr(0, here.size()))
      wrong("expected packed codes, which begin with \"SPCODE1\"");
    if (here.size() < kHeader) return {};
    const std::uint64_t n = number(here.substr(8, 2)), width = number(here.substr(10, 2));
    if (n < 1 || n > kMost || (width != 2 && width != 4))
      wrong("vectors of " + std::to_string(n) + " numbers and values of " + std::to_string(width) +
            " bytes, expected 1 to 1024, and 2 or 4");
    n_ = n, width_ = width;
    taken(kHeader);
  }
  for (;;) {
    std::size_t at = at_;
    const auto count = varint(at);
    if (!count) return {};
    if (*count > n_ + 1)
      wrong("a code of " + std::to_string(*count) + " coefficients of vectors of " + std::to_string(n_));
    if (*count == n_ + 1) {
      const auto version = varint(at);
      if (!version) return {};
      version_ = static_cast<std::int64_t>(*version);
      taken(at - at_);
      continue;
    }
    const std::size_t indices = index_bytes(n_), size = *count * (indices + width_);
    if (held_.size() - at < size) return {};
    Code out{{}, version_};
    std::string_view bytes = std::string_view(held_).substr(at, size);
    for (std::size_t i = 0; i < *count; ++i, bytes.remove_prefix(indices)) {
      const auto index = static_cast<std::int64_t>(number(bytes.substr(0, indices)));
      if (index >= static_cast<std::int64_t>(n_) ||
          (!out.code.indices.empty() && index <= out.code.indices.back()))
        wrong("index " + std::to_string(index) + " is not ascending and below " + std::to_string(n_));
      out.code.indices.push_back(index);
    }
    for (std::size_t i = 0; i < *count; ++i, bytes.remove_prefix(width_)) {
      const std::uint64_t bits = number(bytes.substr(0, width_));
      const float value = width_ == 2 ? float_of_half(static_cast<std::uint16_t>(bits))
                                      : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      if (!std::isfinite(value)) wrong("a coefficient that is not finite");
      out.code.values.push_back(double{value});
    }
    taken(at + size - at_);
    return out;
  }
}

void CodeUnpacker::save(Archive& state) const {
  state.set("held", std::vector<std::uint8_t>(held_.begin() + static_cast<std::ptrdiff_t>(at_), held_.end()));
  state.set("offset", offset_);
  state.set("n", static_cast<std::uint64_t>(n_));
  state.set("width", static_cast<std::uint64_t>(width_));
  state.set("version", version_);
}

void CodeUnpacker::load(const Archive& state) {
  const auto held = state.get<std::vector<std::uint8_t>>("held");
  held_.assign(held.begin(), held.end());
  at_ = 0;
  offset_ = state.get<std::int64_t>("offset");
  n_ = state.get<std::uint64_t>("n");
  width_ = state.get<std::uint64_t>("width");
  if (n_ > kMost || (n_ == 0 ? width_ != 0 : width_ != 2 && width_ != 4))
    throw bad_data("the checkpoint's header of packed codes cannot be");
  version_ = state.get<std::int64_t>("version");
}

}  // namespace stream::signals
