#include "bandits/rewards.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::bandits {

RewardRange::RewardRange(double low, double high) : low_(low), high_(high) {
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high))
    throw bad_recipe("rewards are declared from " + Value(low).dump() + " to " + Value(high).dump() +
                     ", expected low < high");
}

double RewardRange::scaled_mean(double sum, std::uint64_t n) const {
  constexpr double kRounding = 1e-9;
  const double mean = (sum / static_cast<double>(n) - low_) / (high_ - low_);
  if (!(mean >= -kRounding && mean <= 1 + kRounding)) {
    throw bad_data((n == 1 ? "reward " + Value(sum).dump()
                           : "mean reward " + Value(sum / static_cast<double>(n)).dump() + " of " +
                                 std::to_string(n) + " pulls") +
                   " is outside of the declared bounds, " + Value(low_).dump() + " to " +
                   Value(high_).dump());
  }
  return std::clamp(mean, 0.0, 1.0);
}

std::string arm_id(const Value& value) {
  constexpr std::size_t kLongest = 1024;
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (!value.is_string())
    throw bad_data(std::string("an arm's id is a string or an integer, found ") + value.kind());
  const std::string& text = value.as_string();
  if (text.size() > kLongest)
    throw bad_data("an arm's id has " + std::to_string(text.size()) + " bytes, at most " +
                   std::to_string(kLongest) + " are taken");
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
  });
  return plain ? '"' + text + '"' : value.dump();
}

Value id_value(const std::string& id) { return Value::parse(id); }

double number_of(const Value& value, const char* member) {
  if (!value.is_number())
    throw bad_data(std::string("member '") + member + "' is a number, found " + value.kind());
  const double number = value.as_double();
  if (!std::isfinite(number)) throw bad_data(std::string("member '") + member + "' is not a finite number");
  return number;
}

}  // namespace stream::bandits
