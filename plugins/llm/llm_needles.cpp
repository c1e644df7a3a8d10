#include "llm/llm_needles.hpp"

#include <array>
#include <set>

namespace stream::llm {
namespace {

constexpr std::array<const char*, 24> kAnimals{"badger", "beaver", "camel", "cheetah", "dolphin", "eagle",
                                               "falcon", "ferret", "gecko", "heron",   "ibex",    "jackal",
                                               "koala",  "lemur",  "lynx",  "marmot",  "ocelot",  "otter",
                                               "panda",  "puffin", "raven", "salmon",  "tapir",   "walrus"};

std::string name_of_needle(std::int64_t i) {
  const auto n = static_cast<std::int64_t>(kAnimals.size());
  return std::string(kAnimals[static_cast<std::size_t>(i % n)]) +
         (i < n ? "" : " " + std::to_string(i / n + 1));
}

}  // namespace

void NeedleSource::make_book() {
  std::string text = read_file(book_, std::uint64_t{1} << 30);
  if (static_cast<std::int64_t>(text.size()) > shape_.length) {
    text.resize(static_cast<std::size_t>(shape_.length));
    // The cut must not go through a character: what may be a part of one goes.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
  }
  // Needles stand between lines.
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (text[at] == '\n' && static_cast<std::int64_t>(text.size() - at) > shape_.margin)
      places.push_back(at + 1);
  const auto wanted = static_cast<std::size_t>(shape_.needles);
  if (places.size() < wanted)
    throw bad_data(book_ + ": " + std::to_string(places.size()) + " lines that end more than " +
                   std::to_string(shape_.margin) + " bytes before the end, expected at least " +
                   std::to_string(wanted) + " for the needles");
  Random random(seed_);
  std::set<std::size_t> chosen;
  while (chosen.size() < wanted) chosen.insert(places[random.below(places.size())]);
  std::set<std::uint64_t> numbers;
  while (static_cast<std::int64_t>(numbers.size()) < shape_.needles + choices_)
    numbers.insert(1000 + random.below(9000));
  std::vector<std::string> dealt;
  dealt.reserve(numbers.size());
  for (const std::uint64_t n : numbers) dealt.push_back(std::to_string(n));
  for (std::size_t i = dealt.size() - 1; i > 0; --i) std::swap(dealt[i], dealt[random.below(i + 1)]);
  std::string haystack;
  std::vector<std::size_t> at;
  std::size_t from = 0;
  for (const std::size_t place : chosen) {
    haystack.append(text, from, place - from);
    haystack += "The special number of the " + name_of_needle(static_cast<std::int64_t>(at.size())) + " is " +
                dealt[at.size()] + ".\n";
    at.push_back(haystack.size());
    from = place;
  }
  haystack.append(text, from);
  records_.push_back(Object{{"text", haystack}, {"read", true}});
  for (std::size_t i = 0; i < wanted; ++i) {
    // Numbers of other needles as far as there are any, but no more than half: the others were never named.
    std::vector<std::string> offered{dealt[i]};
    for (std::size_t k = 1; k < wanted && offered.size() < static_cast<std::size_t>(choices_ + 1) / 2; ++k)
      offered.push_back(dealt[(i + k) % wanted]);
    for (std::size_t k = wanted; offered.size() < static_cast<std::size_t>(choices_); ++k)
      offered.push_back(dealt[k]);
    for (std::size_t k = offered.size() - 1; k > 0; --k) std::swap(offered[k], offered[random.below(k + 1)]);
    const auto right = std::find(offered.begin(), offered.end(), dealt[i]) - offered.begin();
    records_.push_back(Object{{"text", "\nWhat is the special number of the " +
                                           name_of_needle(static_cast<std::int64_t>(i)) + "? It is "},
                              {"choices", Array(offered.begin(), offered.end())},
                              {"answer", static_cast<std::int64_t>(right)},
                              {"depth", static_cast<double>(at[i]) / static_cast<double>(haystack.size())},
                              {"distance", static_cast<std::int64_t>(haystack.size() - at[i])}});
  }
}

}  // namespace stream::llm
