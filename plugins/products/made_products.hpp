/// MiniROPE: made-up products, their pages, short videos and live streams. Every picture and every word is a
/// function of the seed, the product, the domain and its number.
#pragma once

#include "products/product_set.hpp"
#include "stream/random.hpp"

namespace stream::products {

enum class Attribute : std::uint8_t { kShape, kTexture, kColour, kSecondColour, kLogo, kSize };
inline constexpr std::size_t kAttributes = 6;
/// How many values each attribute has.
inline constexpr std::array<int, kAttributes> kValues{8, 5, 8, 8, 6, 3};

struct MadeProduct {
  std::array<int, kAttributes> values{};
  int twins = -1;  ///< number of its group of near twins, which differ in one attribute, or -1
  int value(Attribute attribute) const { return values[static_cast<std::size_t>(attribute)]; }
};

struct MadeProductsOptions {
  std::int32_t products = 600;
  std::int32_t unseen = 100;     ///< the last of them, for tests
  std::int32_t twin_groups = 8;  ///< half of them among the unseen
  std::int32_t twins = 4;        ///< products in a group
  int size = 32;                 ///< width and height of a picture, pixels
  std::uint64_t seed = 0;
};

/// What is said while a clip runs.
struct Utterance {
  int frame;  ///< during which it is said
  std::string words;
};

class MadeProducts {
 public:
  /// Throws Error(kBadRecipe) when there are not so many different products.
  explicit MadeProducts(MadeProductsOptions options);
  const MadeProductsOptions& options() const { return options_; }
  const std::vector<MadeProduct>& products() const { return products_; }
  std::string id(std::int32_t product) const { return "p" + std::to_string(product); }

  /// 4 to 7 words for the attributes (each one dropped with probability 0.2, synonyms drawn), noise words
  /// and a seller's slogan, in any order.
  std::string title(std::int32_t product, std::int32_t number) const;
  /// The same words as a clip says them: of a video with 3, of a live stream with 6 words of chatter to
  /// each, and 5 or 15 percent of the characters wrong.
  std::vector<Utterance> speech(std::int32_t product, Domain domain, std::int32_t number) const;
  /// 1 for pages; 12 to 24 for the others.
  int frames(std::int32_t product, Domain domain, std::int32_t number) const;
  /// One picture: page: clean, centred, on white. Video: moving, turning and growing before clutter, with
  /// changes of brightness. Live: 25 to 40 percent of the width, behind a hand, other products around it, 40
  /// percent of the frames without it, noise and JPEG's blocks.
  void render(std::int32_t product, Domain domain, std::int32_t number, int frame,
              std::span<std::uint8_t> into) const;
  /// With all frames, or with `most` spread over them.
  Clip clip(std::int32_t product, Domain domain, std::int32_t number, int most = 1000) const;
  /// Products begin ... end - 1 with so many clips of each domain, numbered from `first`.
  ProductSet set(std::int32_t begin, std::int32_t end, int clips, int first = 0,
                 int most_frames = 1000) const;

 private:
  Random random(std::int32_t product, Domain domain, std::int32_t number, std::uint64_t purpose) const;
  std::vector<std::string> attribute_words(std::int32_t product, Random& random) const;
  MadeProductsOptions options_;
  std::vector<MadeProduct> products_;
};

}  // namespace stream::products
