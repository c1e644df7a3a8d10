#include "hdf5/trailer.hpp"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "hdf5/archive_file.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

struct Trailer {
  char magic[8];
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t length;
  unsigned char sha256[32];
  unsigned char padding[8];
};
static_assert(sizeof(Trailer) == 64);
constexpr char kMagic[8] = {'S', 'T', 'R', 'E', 'A', 'M', 'H', '5'};
constexpr std::uint32_t kFormatVersion = 1;

/// SHA-256 of the first `length` bytes of a file, read in pieces.
std::array<unsigned char, 32> digest_of(const std::string& path, std::uint64_t length) {
  InputFile in(path);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  std::vector<std::byte> piece(std::size_t{1} << 18);
  try {
    while (length > 0) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), length));
      const auto [status, size] = in.read(std::span(piece).first(want));
      if (status != InputFile::Status::kData) throw bad_data(path + ": is cut short");
      EVP_DigestUpdate(context, piece.data(), size);
      length -= size;
    }
  } catch (...) {
    EVP_MD_CTX_free(context);
    throw;
  }
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  EVP_MD_CTX_free(context);
  return digest;
}

/// The last bytes of a file that is long enough to have them.
Trailer read_trailer(InputFile& in) {
  in.skip_to(in.size() - sizeof(Trailer));
  Trailer trailer{};
  std::size_t have = 0;
  while (have < sizeof trailer) {
    const auto [status, size] = in.read(std::as_writable_bytes(std::span(&trailer, 1)).subspan(have));
    if (status != InputFile::Status::kData) throw bad_data(in.name() + ": is cut short");
    have += size;
  }
  return trailer;
}

bool has_magic(const Trailer& trailer) { return std::memcmp(trailer.magic, kMagic, sizeof kMagic) == 0; }

}  // namespace

std::uint64_t size_on_disk(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void append_trailer(const std::string& path) {
  Trailer trailer{};
  std::memcpy(trailer.magic, kMagic, sizeof kMagic);
  trailer.version = kFormatVersion;
  trailer.length = size_on_disk(path);
  const auto digest = digest_of(path, trailer.length);
  std::memcpy(trailer.sha256, digest.data(), digest.size());
  OutputFile out(path);
  out.resume_at(trailer.length);
  out.write(std::as_bytes(std::span(&trailer, 1)));
  out.flush();
}

void check_trailer(const std::string& path) {
  InputFile in(path);
  if (in.size() < sizeof(Trailer)) throw bad_data(path + ": is too short for an archive of stream");
  const Trailer trailer = read_trailer(in);
  if (!has_magic(trailer)) {
    throw bad_data(path + ": is no archive of stream, or is cut short: its last 64 bytes are no trailer");
  }
  if (trailer.version > kFormatVersion) {
    throw bad_data(path + ": has format version " + std::to_string(trailer.version) +
                   ", this program reads up to " + std::to_string(kFormatVersion) + ": use a newer stream");
  }
  if (trailer.version != kFormatVersion || trailer.reserved != 0 ||
      std::any_of(std::begin(trailer.padding), std::end(trailer.padding), [](auto b) { return b != 0; })) {
    throw bad_data(path + ": is damaged: its trailer holds what no version of it does");
  }
  if (trailer.length != in.size() - sizeof(Trailer)) {
    throw bad_data(path + ": should have " + std::to_string(trailer.length + sizeof(Trailer)) +
                   " bytes, has " + std::to_string(in.size()));
  }
  const auto digest = digest_of(path, trailer.length);
  if (std::memcmp(digest.data(), trailer.sha256, digest.size()) != 0) {
    throw bad_data(path + ": is damaged: its content does not match its SHA-256 digest");
  }
}

bool is_archive(const std::string& path) {
  InputFile in(path);
  return in.size() >= sizeof(Trailer) && has_magic(read_trailer(in));
}

}  // namespace stream
