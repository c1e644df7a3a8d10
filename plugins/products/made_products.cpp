#include "products/made_products.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "products/product_picture.hpp"
#include "stream/error.hpp"

namespace stream::products {

namespace {

/// Words do not depend on the seed: one language for all worlds.
std::string word(std::uint64_t number, int syllables) {
  constexpr std::string_view kConsonants = "bdfgklmnprstvz", kVowels = "aeiou";
  Random random(0x776f7264 + number);
  std::string out;
  for (int i = 0; i < syllables; ++i) {
    out += kConsonants[random.below(kConsonants.size())];
    out += kVowels[random.below(kVowels.size())];
  }
  return out;
}

constexpr std::uint64_t kNoiseWords = 200, kChatterWords = 300, kSlogans = 20, kSynonyms = 3;

std::string attribute_word(std::size_t attribute, int value, std::uint64_t synonym) {
  return word(1000 * (attribute + 1) + 10 * static_cast<std::uint64_t>(value) + synonym, 3);
}
std::string noise_word(Random& random) { return word(20000 + random.below(kNoiseWords), 3); }
std::string chatter_word(Random& random) { return word(30000 + random.below(kChatterWords), 2); }

std::string misheard(const std::string& text, double rate, Random& random) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || random.uniform() >= rate) {
      out += c;
      continue;
    }
    const char other = static_cast<char>('a' + random.below(26));
    switch (random.below(3)) {
      case 0:  // another one
        out += other;
        break;
      case 1:  // one more
        out += c, out += other;
        break;
      default:  // none
        break;
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& w : words) out += (out.empty() || w.empty() ? "" : " ") + w;
  return out;
}

template <typename T>
void shuffle(std::vector<T>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

enum Purpose : std::uint64_t { kTitle = 1, kSpeech, kLength, kPictures };

}  // namespace

MadeProducts::MadeProducts(MadeProductsOptions options) : options_(options) {
  std::int64_t most = 1;
  for (const int n : kValues) most *= n;
  const std::int32_t in_twins = options_.twin_groups * options_.twins;
  if (options_.products > most / 4)
    throw bad_recipe("products = " + std::to_string(options_.products) + ": there are only " +
                     std::to_string(most / 4) + " to draw");
  if (options_.unseen >= options_.products || in_twins / 2 > options_.unseen ||
      in_twins / 2 > options_.products - options_.unseen)
    throw bad_recipe("products, unseen and twins do not fit together: " + std::to_string(options_.products) +
                     ", " + std::to_string(options_.unseen) + ", " + std::to_string(in_twins));
  for (std::size_t a = 0; a < kAttributes; ++a)
    if (a != static_cast<std::size_t>(Attribute::kSize) && options_.twins > kValues[a])
      throw bad_recipe("twins = " + std::to_string(options_.twins) + ": an attribute has only " +
                       std::to_string(kValues[a]) + " values");
  Random random(stable_hash("products", options_.seed));
  std::set<std::array<int, kAttributes>> taken;
  const auto draw = [&] {
    MadeProduct p;
    for (std::size_t a = 0; a < kAttributes; ++a)
      p.values[a] = static_cast<int>(random.below(static_cast<std::uint64_t>(kValues[a])));
    // One colour of its own: two that are the same show no texture.
    if (p.value(Attribute::kColour) == p.value(Attribute::kSecondColour))
      p.values[3] = (p.values[3] + 1 + static_cast<int>(random.below(7))) % 8;
    return p;
  };
  const auto group_of_twins = [&](int group, std::vector<MadeProduct>& into) {
    for (;;) {
      const MadeProduct first = draw();
      // Any attribute that can be seen; size is told apart by words alone.
      const std::size_t differs = random.below(kAttributes - 1);
      std::vector<MadeProduct> all;
      std::vector<int> values(static_cast<std::size_t>(kValues[differs]));
      std::iota(values.begin(), values.end(), 0);
      shuffle(values, random);
      for (const int v : values) {
        MadeProduct p = first;
        p.values[differs] = v, p.twins = group;
        if (p.value(Attribute::kColour) != p.value(Attribute::kSecondColour) && !taken.contains(p.values))
          all.push_back(p);
        if (static_cast<std::int32_t>(all.size()) == options_.twins) break;
      }
      if (static_cast<std::int32_t>(all.size()) < options_.twins) continue;
      for (const MadeProduct& p : all) taken.insert(p.values), into.push_back(p);
      return;
    }
  };
  const auto fill = [&](std::vector<MadeProduct>& into, std::int32_t count) {
    while (static_cast<std::int32_t>(into.size()) < count) {
      const MadeProduct p = draw();
      if (taken.insert(p.values).second) into.push_back(p);
    }
    shuffle(into, random);
  };
  std::vector<MadeProduct> unseen;
  for (int g = 0; g < options_.twin_groups; ++g) group_of_twins(g, g % 2 == 0 ? unseen : products_);
  fill(products_, options_.products - options_.unseen);
  fill(unseen, options_.unseen);
  products_.insert(products_.end(), unseen.begin(), unseen.end());
}

Random MadeProducts::random(std::int32_t product, Domain domain, std::int32_t number,
                            std::uint64_t purpose) const {
  std::uint64_t seed = stable_hash("clip", options_.seed);
  for (const std::uint64_t part : {static_cast<std::uint64_t>(product), static_cast<std::uint64_t>(domain),
                                   static_cast<std::uint64_t>(number), purpose})
    seed = Random(seed ^ (part + 1) * 0x9e3779b97f4a7c15ull)();
  return Random(seed);
}

std::vector<std::string> MadeProducts::attribute_words(std::int32_t product, Random& random) const {
  std::vector<std::string> words;
  const MadeProduct& p = products_.at(static_cast<std::size_t>(product));
  do {
    words.clear();
    for (std::size_t a = 0; a < kAttributes; ++a)
      if (random.uniform() >= 0.2) words.push_back(attribute_word(a, p.values[a], random.below(kSynonyms)));
  } while (words.size() < 3);
  return words;
}

std::string MadeProducts::title(std::int32_t product, std::int32_t number) const {
  Random r = random(product, Domain::kPage, number, kTitle);
  auto words = attribute_words(product, r);
  const std::size_t own = words.size();
  for (std::size_t i = 0; i < own; ++i)
    if (r.uniform() < 0.2) words.push_back(noise_word(r));
  if (words.size() < 4) words.push_back(noise_word(r));
  shuffle(words, r);
  if (r.uniform() < 0.5) words.push_back(word(40000 + r.below(kSlogans), 4));
  return joined(words);
}

std::vector<Utterance> MadeProducts::speech(std::int32_t product, Domain domain, std::int32_t number) const {
  if (domain == Domain::kPage) return {{0, title(product, number)}};
  Random r = random(product, domain, number, kSpeech);
  const bool live = domain == Domain::kLive;
  const int count = frames(product, domain, number);
  const double chatter = live ? 6.0 : 3.0, errors = live ? 0.15 : 0.05;
  std::vector<std::string> own;
  std::vector<Utterance> out;
  for (int f = 0; f < count; f += 2) {
    std::vector<std::string> words;
    for (int i = 0; i < 5; ++i) {  // words in two frames
      if (r.uniform() * (chatter + 1) >= 1) {
        words.push_back(chatter_word(r));
        continue;
      }
      if (own.empty()) {
        own = attribute_words(product, r);
        shuffle(own, r);
      }
      words.push_back(own.back());
      own.pop_back();
    }
    out.push_back({f, misheard(joined(words), errors, r)});
  }
  return out;
}

int MadeProducts::frames(std::int32_t product, Domain domain, std::int32_t number) const {
  if (domain == Domain::kPage) return 1;
  return 12 + static_cast<int>(random(product, domain, number, kLength).below(13));
}

void MadeProducts::render(std::int32_t product, Domain domain, std::int32_t number, int frame,
                          std::span<std::uint8_t> into) const {
  Random clip = random(product, domain, number, kPictures);
  Random one(clip() ^ (static_cast<std::uint64_t>(frame) * 0xD6E8FEB86659FD93ull));
  const auto any = [&](Random& r) -> const MadeProduct& { return products_[r.below(products_.size())]; };
  const MadeProduct& p = products_.at(static_cast<std::size_t>(product));
  ProductPicture picture(options_.size);
  if (domain == Domain::kPage)
    picture.page(p, clip);
  else if (domain == Domain::kVideo)
    picture.video(p, clip, one, frame);
  else
    picture.live(p, clip, one, frame, {&any(clip), &any(clip)});
  picture.store(into);
}

Clip MadeProducts::clip(std::int32_t product, Domain domain, std::int32_t number, int most) const {
  Clip out;
  out.size = options_.size;
  out.name = id(product) + " " + name_of(domain) + " " + std::to_string(number);
  const int count = frames(product, domain, number);
  const auto chosen = spread(count, std::min(count, most));
  out.frames.resize(chosen.size() * out.frame_bytes());
  for (std::size_t f = 0; f < chosen.size(); ++f)
    render(product, domain, number, chosen[f],
           std::span(out.frames).subspan(f * out.frame_bytes(), out.frame_bytes()));
  for (const Utterance& u : speech(product, domain, number)) {
    if (!out.text.empty()) out.text += ' ';
    out.text += u.words;
  }
  return out;
}

ProductSet MadeProducts::set(std::int32_t begin, std::int32_t end, int clips, int first,
                             int most_frames) const {
  ProductSet out;
  out.size = options_.size;
  for (std::int32_t p = begin; p < end; ++p) {
    Product product;
    product.id = id(p);
    product.title = title(p, first);
    for (const Domain domain : kDomains)
      for (int c = 0; c < clips; ++c) product.of(domain).push_back(clip(p, domain, first + c, most_frames));
    out.products.push_back(std::move(product));
  }
  return out;
}

}  // namespace stream::products
