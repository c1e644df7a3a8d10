#include "import/zip.hpp"

#include <zlib.h>

#include <algorithm>

#include "stream/error.hpp"

namespace stream {
namespace {

/// Little-endian numbers at checked offsets.
class Fields {
 public:
  Fields(const Buffer& file, const std::string& name) : bytes_(file.bytes()), name_(name) {}

  std::uint64_t at(std::uint64_t offset, unsigned width) const {
    require(offset, width);
    std::uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) value = value << 8 | static_cast<std::uint64_t>(bytes_[offset + i]);
    return value;
  }
  void require(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
      throw bad_data(name_ + ": expected " + std::to_string(size) + " bytes at offset " +
                     std::to_string(offset) + ", the file has " + std::to_string(bytes_.size()));
    }
  }
  void signature(std::uint64_t offset, std::uint32_t expected, const char* what) const {
    if (at(offset, 4) != expected)
      throw bad_data(name_ + ": expected " + what + " at offset " + std::to_string(offset));
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
};

constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50,
                        kCentral = 0x02014b50, kLocal = 0x04034b50;

struct Directory {
  std::uint64_t offset, members;
};

Directory find_directory(const Fields& fields, const Buffer& file, const std::string& name) {
  constexpr std::uint64_t kEndSize = 22, kLongestComment = 65535;
  if (file.size() < kEndSize)
    throw bad_data(name + ": too short for a zip file (" + std::to_string(file.size()) + " bytes)");
  const std::uint64_t last = file.size() - kEndSize;
  for (std::uint64_t at = last;; --at) {
    if (fields.at(at, 4) == kEnd && at + kEndSize + fields.at(at + 20, 2) == file.size()) {
      Directory found{fields.at(at + 16, 4), fields.at(at + 10, 2)};
      if ((found.offset == 0xffffffff || found.members == 0xffff) && at >= 20 &&
          fields.at(at - 20, 4) == kLocator64) {
        const std::uint64_t end64 = fields.at(at - 20 + 8, 8);
        fields.signature(end64, kEnd64, "the zip64 end of directory");
        fields.require(end64, 56);
        found = {fields.at(end64 + 48, 8), fields.at(end64 + 32, 8)};
      }
      return found;
    }
    if (at == 0 || last - at >= kLongestComment) break;
  }
  throw bad_data(name + ": no end of zip directory: not a zip file, or one that was cut short at offset " +
                 std::to_string(file.size()));
}

/// Sizes and offset that did not fit 32 bits stand in extra field 1, in this order, each only when it is
/// needed.
void read_zip64(const Fields& fields, ZipMember& member, std::uint64_t extra, std::uint64_t end) {
  while (extra + 4 <= end) {
    const std::uint64_t id = fields.at(extra, 2), size = fields.at(extra + 2, 2);
    std::uint64_t at = extra + 4;
    const std::uint64_t stop = std::min(end, at + size);
    if (id == 1) {
      for (std::uint64_t* value : {&member.size, &member.compressed, &member.header}) {
        if (*value == 0xffffffff && at + 8 <= stop) *value = fields.at(at, 8), at += 8;
      }
      return;
    }
    extra = at + size;
  }
}

}  // namespace

std::vector<ZipMember> read_zip_directory(const Buffer& file, const std::string& name) {
  const Fields fields(file, name);
  const Directory directory = find_directory(fields, file, name);
  std::vector<ZipMember> members;
  std::uint64_t at = directory.offset, packed = 0;
  for (std::uint64_t i = 0; i < directory.members; ++i) {
    fields.signature(at, kCentral, "a zip directory entry");
    const std::uint64_t name_size = fields.at(at + 28, 2), extra_size = fields.at(at + 30, 2),
                        comment_size = fields.at(at + 32, 2);
    ZipMember member;
    member.method = static_cast<std::uint16_t>(fields.at(at + 10, 2));
    member.crc = static_cast<std::uint32_t>(fields.at(at + 16, 4));
    member.compressed = fields.at(at + 20, 4);
    member.size = fields.at(at + 24, 4);
    member.header = fields.at(at + 42, 4);
    fields.require(at + 46, name_size + extra_size + comment_size);
    member.name = file.text().substr(at + 46, name_size);
    if ((fields.at(at + 8, 2) & 1) != 0) throw bad_data(name + ": member '" + member.name + "' is encrypted");
    read_zip64(fields, member, at + 46 + name_size, at + 46 + name_size + extra_size);
    // Members that share bytes would make a small file unpack to a huge one.
    if (__builtin_add_overflow(packed, member.compressed, &packed) || packed > file.size()) {
      throw bad_data(name + ": the members up to '" + member.name + "' need more bytes than the file has");
    }
    members.push_back(std::move(member));
    at += 46 + name_size + extra_size + comment_size;
  }
  return members;
}

Buffer extract(const Buffer& file, const ZipMember& member, const std::string& name) {
  const Fields fields(file, name);
  const std::string where = name + ": member '" + member.name + "'";
  fields.signature(member.header, kLocal, "a zip member");
  const std::uint64_t start =
      member.header + 30 + fields.at(member.header + 26, 2) + fields.at(member.header + 28, 2);
  fields.require(start, member.compressed);
  const Buffer raw = file.slice(start, member.compressed);

  Buffer content;
  if (member.method == 0) {
    if (member.size != member.compressed) throw bad_data(where + " is stored, yet its two sizes differ");
    content = raw;
  } else if (member.method == 8) {
    // Grown as the data comes: the size that the directory states is only the limit.
    std::vector<std::byte> out;
    z_stream z{};
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) throw failed("zlib cannot start");
    struct End {
      z_stream& z;
      ~End() { inflateEnd(&z); }
    } end{z};
    std::span<const std::byte> left = raw.bytes();
    std::byte chunk[1 << 16];
    int status = Z_OK;
    while (status != Z_STREAM_END) {
      if (z.avail_in == 0) {
        const std::size_t piece = std::min<std::size_t>(left.size(), 1u << 30);
        z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(left.data()));
        z.avail_in = static_cast<uInt>(piece);
        left = left.subspan(piece);
      }
      z.next_out = reinterpret_cast<Bytef*>(chunk);
      z.avail_out = sizeof(chunk);
      status = inflate(&z, Z_NO_FLUSH);
      const std::size_t got = sizeof(chunk) - z.avail_out;
      if ((status != Z_OK && status != Z_STREAM_END) || got > member.size - out.size()) {
        throw bad_data(where + ": damaged deflate data near offset " + std::to_string(start + z.total_in));
      }
      out.insert(out.end(), chunk, chunk + got);
    }
    content = Buffer::own(std::move(out));
  } else {
    throw bad_data(where + " is packed with method " + std::to_string(member.method) +
                   "; stored and deflated are supported");
  }
  if (content.size() != member.size) {
    throw bad_data(where + " holds " + std::to_string(content.size()) + " bytes, the directory says " +
                   std::to_string(member.size));
  }
  auto crc = ::crc32(0, nullptr, 0);
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t piece = std::min<std::size_t>(content.size() - at, 1u << 30);
    crc = ::crc32(crc, reinterpret_cast<const Bytef*>(content.data() + at), static_cast<uInt>(piece));
    at += piece;
  }
  if (crc != member.crc) throw bad_data(where + ": the checksum does not match: the data is damaged");
  return content;
}

}  // namespace stream
