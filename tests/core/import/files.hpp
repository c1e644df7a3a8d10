/// Files of other programs, byte by byte.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "stream/error.hpp"

namespace stream::testing {

template <typename T>
std::string raw(std::initializer_list<T> values) {
  std::string out;
  for (const T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

inline std::string deflated(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

/// A zip with one member for each pair of name and content.
inline std::string zip(const std::vector<std::pair<std::string, std::string>>& members, bool deflate_them) {
  std::string file, directory;
  for (const auto& [name, content] : members) {
    const std::string packed = deflate_them ? deflated(content) : content;
    const auto crc = static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
    const auto method = static_cast<std::uint16_t>(deflate_them ? 8 : 0);
    const std::string sizes = raw<std::uint32_t>(
        {crc, static_cast<std::uint32_t>(packed.size()), static_cast<std::uint32_t>(content.size())});
    const auto name_size = static_cast<std::uint16_t>(name.size());
    directory += "PK\x01\x02" + raw<std::uint16_t>({20, 20, 0, method, 0, 0}) + sizes +
                 raw<std::uint16_t>({name_size, 0, 0, 0, 0}) +
                 raw<std::uint32_t>({0, static_cast<std::uint32_t>(file.size())}) + name;
    file += "PK\x03\x04" + raw<std::uint16_t>({20, 0, method, 0, 0}) + sizes +
            raw<std::uint16_t>({name_size, 0}) + name + packed;
  }
  const auto count = static_cast<std::uint16_t>(members.size());
  return file + directory + "PK\x05\x06" + raw<std::uint16_t>({0, 0, count, count}) +
         raw<std::uint32_t>(
             {static_cast<std::uint32_t>(directory.size()), static_cast<std::uint32_t>(file.size())}) +
         raw<std::uint16_t>({0});
}

/// What is said of bad data; no other error may come.
template <typename F>
std::string fault(F f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
    return e.what();
  }
  return "(none)";
}

}  // namespace stream::testing
