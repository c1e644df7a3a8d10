/// Studies are made of parts, each of which measures one thing in steps and then states it.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "stream/value.hpp"

namespace stream::asr {

class StudyPart {
 public:
  StudyPart() = default;
  virtual ~StudyPart() = default;
  StudyPart(const StudyPart&) = delete;
  StudyPart& operator=(const StudyPart&) = delete;
  /// Some seconds of work at the most; false when there was none left.
  virtual bool step() = 0;
  /// What it has found, once all is done: claims {"claim", "paper", "baseline", "measured", "bar", "held"}
  /// and points of curves {"plot", "series", "x", "y"}.
  virtual std::vector<Object> records() const = 0;
  /// Of the work, 0 to 1.
  virtual double fraction() const = 0;
  /// A short phrase.
  virtual std::string progress() const = 0;
};

inline Object claim(std::string what, Value paper, Value baseline, Value measured, Value bar, bool held) {
  return Object{{"claim", std::move(what)},        {"paper", std::move(paper)},
                {"baseline", std::move(baseline)}, {"measured", std::move(measured)},
                {"bar", std::move(bar)},           {"held", held}};
}

inline Object point(std::string plot, std::string series, double x, double y) {
  return Object{{"plot", std::move(plot)}, {"series", std::move(series)}, {"x", x}, {"y", y}};
}

/// Three significant digits, and a unit unless that is empty: "12.3 ms".
inline std::string quantity(double value, const std::string& unit = {}) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return unit.empty() ? text : text + (' ' + unit);
}

/// The upper one of the two in the middle; 0 of nothing.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// "look-ahead 480 ms", of encoder frames.
inline std::string lookahead_text(std::int64_t frames) {
  return "look-ahead " + std::to_string(80 * frames) + " ms";
}

}  // namespace stream::asr
