#include "super_resolution/png_bytes.hpp"

#include <png.h>

#include <algorithm>
#include <cstring>

#include "stream/error.hpp"

namespace stream::super_resolution {

std::string png_bytes(const Pixels& pixels) {
  std::vector<std::uint8_t> packed(pixels.samples.size());
  for (std::size_t i = 0; i < pixels.plane(); ++i)
    for (std::size_t c = 0; c < 3; ++c) packed[3 * i + c] = pixels.samples[c * pixels.plane() + i];
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, packed.data(), 0, nullptr) == 0)
    throw failed(std::string("a picture cannot be stored: ") + image.message);
  std::string out(size, '\0');
  if (png_image_write_to_memory(&image, out.data(), &size, 0, packed.data(), 0, nullptr) == 0)
    throw failed(std::string("a picture cannot be stored: ") + image.message);
  out.resize(size);
  return out;
}

std::string base64(const std::string& bytes) {
  constexpr const char* kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() || k < 2 ? kLetters[(group >> (18 - 6 * k)) & 63] : '=';
    if (i + 1 >= bytes.size()) out[out.size() - 2] = '=';
    if (i + 2 >= bytes.size()) out[out.size() - 1] = '=';
  }
  return out;
}

Pixels side_by_side(const std::vector<Pixels>& pictures) {
  constexpr int kLine = 4;
  const Pixels& first = pictures.front();
  const int count = static_cast<int>(pictures.size());
  Pixels out{count * first.width + (count - 1) * kLine, first.height, {}};
  out.samples.assign(3 * out.plane(), 255);
  for (int i = 0; i < count; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      for (int y = 0; y < first.height; ++y)
        std::copy_n(
            pictures[static_cast<std::size_t>(i)].samples.begin() +
                static_cast<std::ptrdiff_t>(c * first.plane() + static_cast<std::size_t>(y * first.width)),
            first.width,
            out.samples.begin() +
                static_cast<std::ptrdiff_t>(
                    c * out.plane() + static_cast<std::size_t>(y * out.width + i * (first.width + kLine))));
  return out;
}

Pixels blown_up(const Pixels& from, int scale) {
  Pixels out{from.width * scale, from.height * scale, {}};
  out.samples.resize(3 * out.plane());
  for (std::size_t c = 0; c < 3; ++c)
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x)
        out.samples[c * out.plane() + static_cast<std::size_t>(y * out.width + x)] =
            from.samples[c * from.plane() + static_cast<std::size_t>(y / scale * from.width + x / scale)];
  return out;
}

}  // namespace stream::super_resolution
