// The interface of OpenSSL that replaces this one hides its state, which a checkpoint must hold.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "md5.hpp"

#include <openssl/md5.h>

#include <cstring>

#include "stream/error.hpp"

namespace stream {
namespace {

static_assert(sizeof(MD5_CTX) == 23 * sizeof(std::uint32_t));

template <typename State>
MD5_CTX context_of(const State& state) {
  MD5_CTX context;
  std::memcpy(&context, state.data(), sizeof context);
  return context;
}

}  // namespace

Md5::Md5() {
  MD5_CTX context;
  std::memset(&context, 0, sizeof context);
  MD5_Init(&context);
  std::memcpy(state_.data(), &context, sizeof context);
}

void Md5::update(std::span<const std::uint8_t> bytes) {
  MD5_CTX context = context_of(state_);
  MD5_Update(&context, bytes.data(), bytes.size());
  std::memcpy(state_.data(), &context, sizeof context);
}

Md5::Digest Md5::digest() const {
  MD5_CTX context = context_of(state_);
  Digest digest;
  MD5_Final(digest.data(), &context);
  return digest;
}

void Md5::save(Archive& state) const {
  state.set("md5", std::vector<std::int64_t>(state_.begin(), state_.end()));
}

void Md5::load(const Archive& state) {
  const auto words = state.get<std::vector<std::int64_t>>("md5");
  // The last is the length of the block that is not full: OpenSSL would write behind its end.
  if (words.size() != state_.size() || words.back() < 0 || words.back() >= MD5_CBLOCK)
    throw bad_data("the saved state of an MD5 is damaged");
  for (std::size_t i = 0; i < words.size(); ++i) state_[i] = static_cast<std::uint32_t>(words[i]);
}

std::string hexadecimal(const Md5::Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const auto byte : digest) out += {kDigits[byte >> 4], kDigits[byte & 15]};
  return out;
}

}  // namespace stream
