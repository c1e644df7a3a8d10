/// Products and what shows them: pages, short videos, live streams.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stream::products {

enum class Domain : std::uint8_t { kPage, kVideo, kLive };
inline constexpr std::array<Domain, 3> kDomains{Domain::kPage, Domain::kVideo, Domain::kLive};
/// "page", "video" or "live".
const char* name_of(Domain domain);

/// Pictures that follow each other, and the words that go with them: a page has one picture and its title.
struct Clip {
  int size = 0;                      ///< width and height, pixels
  std::vector<std::uint8_t> frames;  ///< [n, 3, size, size]: planes R, G, B of each
  std::string text;                  ///< UTF-8: title, caption or what is spoken
  std::string name;                  ///< where it comes from, for messages
  std::size_t frame_bytes() const {
    return 3 * static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  }
  int count() const { return size > 0 ? static_cast<int>(frames.size() / frame_bytes()) : 0; }
  std::span<const std::uint8_t> frame(int number) const {
    return std::span(frames).subspan(static_cast<std::size_t>(number) * frame_bytes(), frame_bytes());
  }
};

struct Product {
  std::string id, title;
  std::array<std::vector<Clip>, 3> clips;  ///< by Domain
  const std::vector<Clip>& of(Domain domain) const { return clips[static_cast<std::size_t>(domain)]; }
  std::vector<Clip>& of(Domain domain) { return clips[static_cast<std::size_t>(domain)]; }
};

/// All clips have frames of one size.
struct ProductSet {
  int size = 0;
  std::vector<Product> products;
  std::size_t bytes() const;
};

/// The frames of a clip that a network looks at: `wanted` of `count`, the middle of each of as many equal
/// parts; frames repeat when there are fewer. count >= 1.
std::vector<int> spread(int count, int wanted);

}  // namespace stream::products
