/// Studies: a source of claims against bars, made of parts that each measure one thing.
#pragma once

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream/operator.hpp"
#include "stream/params.hpp"
#include "stream/value.hpp"

namespace stream {

class StudyPart {
 public:
  StudyPart() = default;
  virtual ~StudyPart() = default;
  StudyPart(const StudyPart&) = delete;
  StudyPart& operator=(const StudyPart&) = delete;
  /// Some seconds of work at the most; false when there was none left.
  virtual bool step() = 0;
  /// What it has found, once all is done: claims {"claim", "paper", "baseline", "measured", "bar", "held"}
  /// and points of curves {"plot", "series", "x", "y"}, with "low" and "high" where y is a mean.
  virtual std::vector<Object> records() const = 0;
  /// Of the work, 0 to 1.
  virtual double fraction() const = 0;
  /// A short phrase.
  virtual std::string progress() const = 0;
};

/// A part that measures all in one step: what must be exact, mostly.
class OneStepPart : public StudyPart {
 public:
  bool step() final {
    if (done_) return false;
    done_ = true;
    measure();
    return true;
  }
  std::vector<Object> records() const final { return records_; }
  double fraction() const final { return done_ ? 1 : 0; }
  std::string progress() const final { return "exact properties"; }

 protected:
  /// Adds to `records_`.
  virtual void measure() = 0;
  std::vector<Object> records_;

 private:
  bool done_ = false;
};

/// Runs its parts one after the other. Parts that have stated what they found are not run again by a resumed
/// run; the one under way starts anew.
class StudySource : public Source {
 public:
  bool read(Output& out) override {
    if (part_ == static_cast<std::int64_t>(parts_.size())) return false;
    if (!current_) current_ = part(parts_[static_cast<std::size_t>(part_)]);
    if (current_->step()) return true;
    for (Object& record : current_->records())
      out.emit(Packet::of<Record>(Time{emitted_++}, std::move(record)));
    current_.reset();
    ++part_;
    return true;
  }
  double fraction() const override {
    return (static_cast<double>(part_) + (current_ ? current_->fraction() : 0.0)) /
           static_cast<double>(parts_.size());
  }
  void save(Archive& state) const override {
    state.set("part", part_);
    state.set("emitted", emitted_);
  }
  void load(const Archive& state) override {
    part_ = state.get<std::int64_t>("part");
    emitted_ = state.get<std::int64_t>("emitted");
    if (part_ < 0 || part_ > static_cast<std::int64_t>(parts_.size()) || emitted_ < 0)
      throw bad_data("the saved study is at no part of it");
  }
  std::size_t state_bytes() const override { return sizeof part_ + sizeof emitted_; }
  std::string progress() const override { return current_ ? current_->progress() : std::string(); }

 protected:
  /// Throws Error(kBadRecipe) when there are none.
  explicit StudySource(std::vector<std::string> parts) : parts_(std::move(parts)) {
    if (parts_.empty()) throw bad_recipe("parts is empty: a study that measures nothing shows nothing");
  }
  /// A fresh one of that name.
  virtual std::unique_ptr<StudyPart> part(const std::string& which) const = 0;

 private:
  std::vector<std::string> parts_;
  std::unique_ptr<StudyPart> current_;
  std::int64_t part_ = 0;  ///< index of the one under way
  std::int64_t emitted_ = 0;
};

/// The parts of a study from its parameter `parts`: each of those that `by_seed` names once for every one of
/// `seeds`, "quality 0", "quality 1" ..., or for the first when `quick`; the others as they are.
inline std::vector<std::string> parts_by_seed(const Params& params,
                                              std::initializer_list<std::string_view> by_seed) {
  const std::int64_t seeds = params.get<bool>("quick") ? 1 : params.get<std::int64_t>("seeds");
  std::vector<std::string> out;
  for (const std::string& part : params.get<std::vector<std::string>>("parts")) {
    if (std::find(by_seed.begin(), by_seed.end(), part) == by_seed.end()) {
      out.push_back(part);
      continue;
    }
    for (std::int64_t seed = 0; seed < seeds; ++seed) out.push_back(part + ' ' + std::to_string(seed));
  }
  return out;
}
/// The number in such a name.
inline std::int64_t seed_of_part(const std::string& part) {
  return std::stoll(part.substr(part.find(' ') + 1));
}

inline Object claim(std::string what, Value paper, Value baseline, Value measured, Value bar, bool held) {
  return Object{{"claim", std::move(what)},        {"paper", std::move(paper)},
                {"baseline", std::move(baseline)}, {"measured", std::move(measured)},
                {"bar", std::move(bar)},           {"held", held}};
}

/// A measured figure that no bar judges: "bar" and "held" are null.
inline Object figure(std::string what, Value paper, Value baseline, Value measured) {
  return Object{{"claim", std::move(what)},
                {"paper", std::move(paper)},
                {"baseline", std::move(baseline)},
                {"measured", std::move(measured)},
                {"bar", Value()},
                {"held", Value()}};
}

/// The claims among `records` as figures: for a run too small to be judged.
inline std::vector<Object> unjudged(std::vector<Object> records) {
  for (Object& record : records)
    if (record.find("held") != nullptr) record.set("bar", Value()).set("held", Value());
  return records;
}

inline Object point(std::string plot, std::string series, double x, double y) {
  return Object{{"plot", std::move(plot)}, {"series", std::move(series)}, {"x", x}, {"y", y}};
}
/// y is the mean of values from `low` to `high`.
inline Object point(std::string plot, std::string series, double x, double y, double low, double high) {
  return Object{{"plot", std::move(plot)},
                {"series", std::move(series)},
                {"x", x},
                {"y", y},
                {"low", low},
                {"high", high}};
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

}  // namespace stream
