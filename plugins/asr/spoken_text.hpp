/// The texts of the corpus "SpokenText-1": spelt-out integers and dates, split by number, and English outside
/// of that vocabulary.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stream/random.hpp"

namespace stream::asr {

enum class Split { kTrain, kDev, kTest };

/// One for everything outside the vocabulary.
inline constexpr const char* kUnknown = "<unk>";
/// Every word of spelt-out numbers 0-999 999 and dates, in a fixed order.
const std::vector<std::string>& vocabulary();
bool in_vocabulary(const std::string& word);

class SpokenText {
 public:
  SpokenText();
  ~SpokenText();
  /// "three hundred forty five thousand six hundred twelve": lower case, words divided by single spaces.
  std::string number(std::int64_t value) const;
  /// "march third nineteen eighty four"
  std::string date(int year, int month, int day) const;
  /// One number (log-uniform in 0-999 999) or date (years 1900-2099) of the split: a hash of the number
  /// decides, so that no number of one split is ever in another.
  std::string draw(Split split, Random& random) const;
  /// 3 to 8 English words outside of the vocabulary; words of the test split are in no other.
  std::string outside(Split split, Random& random) const;

 private:
  struct Rules;
  std::unique_ptr<Rules> rules_;
};

/// Of a number's or word's name: 1/20 test, 1/20 dev, the rest train.
Split split_of(const std::string& name);

}  // namespace stream::asr
