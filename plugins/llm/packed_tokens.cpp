#include "llm/packed_tokens.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

constexpr std::string_view kMagic = "LITPKDS";
constexpr std::size_t kHeader = 24;
/// Ids of one read: what a header says sizes nothing.
constexpr std::int64_t kMostAtOnce = 1 << 16;

std::uint64_t packed_number(const std::byte* bytes, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<std::uint64_t>(bytes[i]);
  return value;
}

}  // namespace

PackedTokens::PackedTokens(const std::string& path) : input_(path) {
  if (input_.size() > 0)
    while (!read_header()) {
    }
}

bool PackedTokens::read_header() {
  if (width_ > 0) return true;
  std::vector<std::byte> header(kHeader);
  std::copy(rest_.begin(), rest_.end(), header.begin());
  std::size_t have = rest_.size();
  while (have < kHeader) {
    const auto result = input_.read(std::span(header).subspan(have));
    have += result.size;
    if (result.status == InputFile::Status::kEnd) break;
    if (result.status == InputFile::Status::kInterrupted) {
      rest_.assign(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(have));
      return false;
    }
  }
  rest_.clear();
  const std::string_view magic(reinterpret_cast<const char*>(header.data()), std::min(have, kMagic.size()));
  if (magic != kMagic.substr(0, magic.size()) || have == 0)
    throw bad_data(name() + ": expected '" + std::string(kMagic) +
                   "', which packed tokens begin with, at offset 0");
  if (have < kHeader)
    throw bad_data(name() + ": ends inside the header of packed tokens, after " + std::to_string(have) +
                   " of " + std::to_string(kHeader) + " bytes");
  if (const std::uint64_t version = packed_number(header.data() + 7, 8); version != 1)
    throw bad_data(name() + ": version " + std::to_string(version) + " at offset 7, expected 1");
  switch (const auto kind = static_cast<unsigned>(header[15])) {
    case 1:
      width_ = 1;
      break;
    case 2:
      width_ = 1, signed_ = true;
      break;
    case 3:
      width_ = 2, signed_ = true;
      break;
    case 4:
      width_ = 4, signed_ = true;
      break;
    case 5:
      width_ = 8, signed_ = true;
      break;
    case 8:
      width_ = 2;
      break;
    default:
      throw bad_data(name() + ": ids of kind " + std::to_string(kind) +
                     " at offset 15, expected 1, 2, 3, 4, 5 or 8 (integers)");
  }
  size_ = packed_number(header.data() + 16, 8);
  if (size_ > (std::uint64_t{1} << 59))
    throw bad_data(name() + ": " + std::to_string(size_) + " ids at offset 16 are more than a file can hold");
  const std::uint64_t expected = kHeader + size_ * width_;
  if (input_.size() > 0 && input_.size() != expected)
    throw bad_data(name() + ": has " + std::to_string(input_.size()) + " bytes, expected " +
                   std::to_string(expected) + " for the " + std::to_string(size_) + " ids of " +
                   std::to_string(width_) + " bytes that its header says");
  return true;
}

std::vector<std::int32_t> PackedTokens::read(std::int64_t most) {
  std::vector<std::int32_t> out;
  if (!read_header()) return out;
  const auto wanted =
      std::min<std::uint64_t>(size_ - at_, static_cast<std::uint64_t>(std::min(most, kMostAtOnce)));
  if (wanted == 0) return out;
  std::vector<std::byte> bytes(static_cast<std::size_t>(wanted) * width_);
  std::size_t have = rest_.size();
  std::copy(rest_.begin(), rest_.end(), bytes.begin());
  while (have < width_) {
    const auto result = input_.read(std::span(bytes).subspan(have));
    if (result.status == InputFile::Status::kEnd)
      throw bad_data(name() + ": ends after " + std::to_string(at_) + " of the " + std::to_string(size_) +
                     " ids that its header says, at offset " + std::to_string(input_.offset()));
    have += result.size;
    if (result.status == InputFile::Status::kInterrupted) {
      rest_.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(have));
      return out;
    }
  }
  const std::size_t whole = have / width_;
  rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(whole * width_),
               bytes.begin() + static_cast<std::ptrdiff_t>(have));
  out.reserve(whole);
  const auto unused = static_cast<unsigned>(64 - 8 * width_);
  for (std::size_t i = 0; i < whole; ++i) {
    const std::uint64_t raw = packed_number(bytes.data() + i * width_, width_);
    const auto id =
        signed_ ? static_cast<std::int64_t>(raw << unused) >> unused : static_cast<std::int64_t>(raw);
    if (id < 0 || id > INT32_MAX)
      throw bad_data(name() + ": id " + std::to_string(id) + " at offset " +
                     std::to_string(kHeader + (at_ + i) * width_) + ", expected 0 to 2147483647");
    out.push_back(static_cast<std::int32_t>(id));
  }
  at_ += whole;
  return out;
}

void PackedTokens::skip_to(std::uint64_t id) {
  while (!read_header()) {
  }
  if (id > size_)
    throw bad_data(name() + ": has " + std::to_string(size_) + " ids, " + std::to_string(id) +
                   " were read of it before");
  input_.skip_to(kHeader + id * width_);
  rest_.clear();
  at_ = id;
}

}  // namespace stream::llm
