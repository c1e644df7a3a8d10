#include "asr/spoken_text.hpp"

#include <unicode/rbnf.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr std::array<const char*, 12> kMonths = {"january",   "february", "march",    "april",
                                                 "may",       "june",     "july",     "august",
                                                 "september", "october",  "november", "december"};

/// Everyday English without numbers, months or what sounds like them.
constexpr const char* kOutside =
    "about above across after again against almost along already also always among animal another answer any "
    "apple around "
    "arrive asked baby back bakery ball banana basket beach because become before behind believe below "
    "beside better "
    "between big bird black blue boat body book bottle bread bridge bring brother brown build butter button "
    "buy "
    "camera candle captain carry castle chair cheese children church circle city clean clear climb close "
    "cloud coffee "
    "cold color common corner country cousin cover cross daughter deep desert different dinner doctor donkey "
    "door "
    "down dragon draw dream dress drink drive early earth easy empty engine enough evening every explain "
    "family "
    "famous farmer father feather finger finish fire fish floor flower follow forest forget friend garden "
    "gentle girl "
    "give glass gold good grandmother grass green ground group guitar hammer happy harbor heart heavy "
    "history hold "
    "holiday horse hospital house however hungry idea important island jacket journey juice jungle kitchen "
    "knife "
    "ladder lady language large laugh learn leather letter library listen little lonely machine magic market "
    "matter meadow measure middle milk mirror money monkey moon mother mountain mouth music narrow nature "
    "never "
    "nothing number ocean office often orange other outside oven paper parent party pencil people pepper "
    "picture "
    "planet please pocket pretty problem quick quiet rabbit rain reason remember ribbon river road round "
    "sailor salt "
    "sandwich school secret shadow shoulder silver simple sister sleep slowly smile soldier something south "
    "special "
    "spider spoon spring square station stone story strange street strong sugar summer table teacher thank "
    "together "
    "tomorrow travel tree trouble uncle under until valley very village visit voice walk wall warm water "
    "weather "
    "welcome window winter wonder wooden yellow yesterday young";

icu::RuleBasedNumberFormat spell_out() {
  UErrorCode status = U_ZERO_ERROR;
  icu::RuleBasedNumberFormat format(icu::URBNF_SPELLOUT, icu::Locale::getUS(), status);
  if (U_FAILURE(status)) throw failed(std::string("ICU cannot spell out numbers: ") + u_errorName(status));
  return format;
}

std::string plain(const icu::UnicodeString& spelt) {
  std::string text;
  spelt.toUTF8String(text);
  for (char& c : text)
    if (c == '-' || c == ',') c = ' ';
  std::string out;
  std::istringstream words(text);
  for (std::string word; words >> word;) out += (out.empty() ? "" : " ") + word;
  return out;
}

const std::vector<std::string>& outside_words(Split split) {
  static const auto lists = [] {
    std::array<std::vector<std::string>, 3> out;
    std::istringstream words(kOutside);
    for (std::string word; words >> word;) {
      // Words are few, so the held-out splits take a quarter each instead of a twentieth.
      const auto h = (stable_hash(word) >> 20) % 4;
      out[h == 0 ? 2 : h == 1 ? 1 : 0].push_back(word);
    }
    return out;
  }();
  return lists[static_cast<std::size_t>(split)];
}
}  // namespace

struct SpokenText::Rules {
  icu::RuleBasedNumberFormat format = spell_out();
  std::string apply(std::int64_t value, const char16_t* rules) const {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString out;
    icu::FieldPosition where(icu::FieldPosition::DONT_CARE);
    if (rules)
      format.format(value, icu::UnicodeString(rules), out, where, status);
    else
      format.format(value, out);
    if (U_FAILURE(status)) throw failed(std::string("ICU cannot spell out a number: ") + u_errorName(status));
    return plain(out);
  }
};

SpokenText::SpokenText() : rules_(std::make_unique<Rules>()) {}
SpokenText::~SpokenText() = default;

std::string SpokenText::number(std::int64_t value) const {
  return rules_->apply(value, u"%spellout-cardinal");
}

std::string SpokenText::date(int year, int month, int day) const {
  return std::string(kMonths.at(static_cast<std::size_t>(month - 1))) + ' ' +
         rules_->apply(day, u"%spellout-ordinal") + ' ' + rules_->apply(year, u"%spellout-numbering-year");
}

Split split_of(const std::string& name) {
  // FNV's low bits mix worst; the middle ones decide.
  const auto h = (stable_hash(name) >> 20) % 20;
  return h == 0 ? Split::kTest : h == 1 ? Split::kDev : Split::kTrain;
}

std::string SpokenText::draw(Split split, Random& random) const {
  for (;;) {
    if (random.uniform() < 0.7) {
      const auto value = static_cast<std::int64_t>(std::pow(10.0, 6.0 * random.uniform())) - 1;
      if (split_of(std::to_string(value)) == split) return number(value);
    } else {
      const int year = 1900 + static_cast<int>(random.below(200)),
                month = 1 + static_cast<int>(random.below(12));
      constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
      const int day = 1 + static_cast<int>(random.below(
                              static_cast<std::uint64_t>(kDays[static_cast<std::size_t>(month - 1)])));
      const std::string name = std::to_string(year) + '-' + std::to_string(month) + '-' + std::to_string(day);
      if (split_of(name) == split) return date(year, month, day);
    }
  }
}

std::string SpokenText::outside(Split split, Random& random) const {
  const auto& words = outside_words(split);
  const auto count = 3 + random.below(6);
  std::string out;
  for (std::uint64_t i = 0; i < count; ++i) out += (i ? " " : "") + words[random.below(words.size())];
  return out;
}

const std::vector<std::string>& vocabulary() {
  static const std::vector<std::string> words = [] {
    // Found by spelling out what covers every rule rather than typed in, so that it follows ICU.
    const SpokenText text;
    std::set<std::string> found;
    const auto add = [&](const std::string& line) {
      std::istringstream in(line);
      for (std::string word; in >> word;) found.insert(word);
    };
    for (int n = 0; n <= 1100; ++n) add(text.number(n));
    for (int day = 1; day <= 31; ++day) add(text.date(1900 + day, 1 + day % 12, day));
    for (int year = 1900; year < 2100; ++year) add(text.date(year, 1, 1));
    return std::vector<std::string>(found.begin(), found.end());
  }();
  return words;
}

bool in_vocabulary(const std::string& word) {
  return std::binary_search(vocabulary().begin(), vocabulary().end(), word);
}

}  // namespace stream::asr
