#include "recommenders/ticket_world.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr double kDay = 86400, kYear = 365.25 * kDay, kStart = 1.5e9;

/// A word of its own for every number: three syllables of consonant and vowel.
std::string word(std::size_t number) {
  static constexpr const char *kConsonants = "bdfgklmnprstvz", *kVowels = "aeiou";
  std::string out;
  for (int i = 0; i < 3; ++i) {
    out += kConsonants[number % 14];
    number /= 14;
    out += kVowels[number % 5];
    number /= 5;
  }
  return out;
}

/// Words of themes, of settings and of function never meet.
std::string theme_word(std::size_t theme, std::uint64_t i) {
  return word(17 + 31 * (theme * TicketWorld::kWords + i));
}
std::string setting_word(std::size_t setting, std::uint64_t i) {
  return word(16 + 31 * (1000 + setting * TicketWorld::kWords + i));
}
std::string function_word(std::uint64_t i) { return word(15 + 31 * (3000 + i)); }

template <typename T>
void shuffle_in_place(std::vector<T>& list, Random& random) {
  for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[random.below(i)]);
}

}  // namespace

TicketWorld::TicketWorld(TicketWorldOptions options) : options_(options) {
  if (options_.films < 1 || options_.customers < 1 || !(options_.years > 0))
    throw bad_recipe("a world of tickets needs films, customers and years");
  const std::string seed = std::to_string(options_.seed);
  make_films(Random(stable_hash("films " + seed)));
  sell(Random(stable_hash("tickets " + seed)));
  if (options_.shuffled) shuffle(Random(stable_hash("shuffle " + seed)));
}

void TicketWorld::make_films(Random random) {
  const auto count = static_cast<std::size_t>(options_.films);
  std::vector<double> releases(count);
  for (double& r : releases) r = std::floor(kStart + random.uniform() * options_.years * kYear);
  std::sort(releases.begin(), releases.end());
  for (std::size_t m = 0; m < count; ++m) {
    std::array<bool, kThemes> has{};
    std::vector<std::vector<std::string>> passages;
    for (std::size_t theme = 0; theme < kThemes; ++theme) {
      has[theme] = random.uniform() < 0.25;
      if (!has[theme]) continue;
      auto& words = passages.emplace_back();
      for (std::uint64_t i = 2 + random.below(4); i > 0; --i)
        words.push_back(theme_word(theme, random.below(kWords)));
    }
    for (std::size_t setting = 0; setting < kSettings; ++setting) {
      if (random.uniform() >= 0.2) continue;
      auto& words = passages.emplace_back();
      for (std::uint64_t i = 2 + random.below(5); i > 0; --i)
        words.push_back(setting_word(setting, random.below(kWords)));
    }
    passages.emplace_back();
    shuffle_in_place(passages, random);
    std::string plot;
    for (const auto& words : passages) {
      plot += plot.empty() ? "" : " ";
      plot += function_word(random.below(40));
      for (const std::string& w : words) {
        plot += " " + w;
        if (random.uniform() < 0.3) plot += " " + function_word(random.below(40));
      }
      plot += ".";
    }
    const double b = random.normal();
    films_.push_back(
        {"f" + std::to_string(m), std::move(plot), releases[m], std::round(std::exp(17 + 0.8 * b))});
    appeal_.push_back(0.6 * b);
    auto& h = qualities_.emplace_back();
    for (std::size_t k = 0; k < kTastes; ++k) {
      const bool a = has[2 * k], other = has[2 * k + 1];
      const bool on = k % 3 == 0 ? a : k % 3 == 1 ? a && !other : a || other;
      h[k] = on ? 1.2 : -0.8;
    }
  }
}

double TicketWorld::utility(std::int32_t customer, std::int32_t film) const {
  const auto c = static_cast<std::size_t>(customer), m = static_cast<std::size_t>(film);
  double sum = -4.2 + frequency_[c] + appeal_[m];
  for (std::size_t k = 0; k < kTastes; ++k) sum += tastes_[c][k] * qualities_[m][k];
  return sum;
}

void TicketWorld::sell(Random random) {
  for (std::int32_t c = 0; c < options_.customers; ++c) {
    frequency_.push_back(random.normal());
    auto& taste = tastes_.emplace_back();
    for (double& t : taste) t = 0.9 * random.normal();
  }
  for (std::int32_t m = 0; m < options_.films; ++m)
    for (std::int32_t c = 0; c < options_.customers; ++c) {
      if (random.uniform() >= 1 / (1 + std::exp(-utility(c, m)))) continue;
      const double days = std::min(-10 * std::log(1 - random.uniform()), 27.9);
      tickets_.push_back({c, m, std::floor(films_[static_cast<std::size_t>(m)].release + 1 + days * kDay)});
    }
  std::stable_sort(tickets_.begin(), tickets_.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
}

void TicketWorld::shuffle(Random random) {
  // Customers and films keep their numbers of tickets; nobody sees a film twice.
  const auto pair = [](std::int32_t c, std::int32_t m) { return (std::int64_t{c} << 32) | m; };
  std::unordered_set<std::int64_t> sold;
  for (const MadeTicket& t : tickets_) sold.insert(pair(t.customer, t.film));
  for (std::size_t round = 0; round < 10; ++round)
    for (MadeTicket& a : tickets_) {
      MadeTicket& b = tickets_[random.below(tickets_.size())];
      if (sold.contains(pair(a.customer, b.film)) || sold.contains(pair(b.customer, a.film))) continue;
      sold.erase(pair(a.customer, a.film)), sold.erase(pair(b.customer, b.film));
      std::swap(a.customer, b.customer);
      sold.insert(pair(a.customer, a.film)), sold.insert(pair(b.customer, b.film));
    }
}

}  // namespace stream::recommenders
