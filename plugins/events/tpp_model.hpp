/// A trained PromptTPP: its file, and its arithmetic for one event of one sequence at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "events/prompt_tpp.hpp"
#include "stream/archive.hpp"

namespace stream::events {

/// `names`: of the types, by number; `length`: events of the sequences that it was trained on.
void write_tpp(const std::string& path, const PromptTpp& network, const std::vector<std::string>& names,
               std::int64_t length);

/// Where a sequence stands: everything that future intensities depend on. Bounded by the length of a
/// sequence.
struct TppState {
  std::vector<double> times;         ///< of the events so far, from the first
  std::vector<float> keys, values;   ///< [events, heads, features], of the event rows
  std::vector<double> queries;       ///< sum over events of what their types add to the retrieval's query
  std::vector<std::int64_t> chosen;  ///< prompt of each pool; empty before the first event
  std::vector<float> prompt_keys, prompt_values;  ///< [heads, rows, features], of the chosen ones
};

class TppModel {
 public:
  /// Throws Error(kNoInput), Error(kBadData), Error(kBadRecipe) that name the file.
  explicit TppModel(const std::string& path);
  /// Read once, however many ask for it while it is in use.
  static std::shared_ptr<const TppModel> shared(const std::string& path);

  /// Intensity of each type at `time`, of what has happened before it and, at the very time of an event,
  /// after it.
  std::vector<double> intensity(const TppState& state, double time) const;
  /// Appends an event; at the first of each block prompts are chosen anew.
  void append(TppState& state, double time, std::int64_t type) const;
  /// Integral of the total intensity from `from` to `to`, by the mean of as many points as in training.
  double integral(const TppState& state, double from, double to) const;
  struct Forecast {
    double gap;         ///< mean of the time to the next event, up to the horizon
    std::int64_t type;  ///< the most intense one then
  };
  /// By the survival function on 200 points of [0, horizon].
  Forecast forecast(const TppState& state, double horizon) const;

  const std::vector<std::string>& names() const { return names_; }
  /// -1 for a type that is not known.
  std::int64_t type(const std::string& name) const;
  std::size_t length() const { return length_; }
  const TppShape& shape() const { return shape_; }

 private:
  struct Map {
    std::vector<float> weight, bias;  ///< [features, row]
  };
  void code(double time, float* into) const;
  void apply(const Map& map, const float* row, float* into) const;
  void choose(TppState& state) const;
  TppShape shape_;
  std::vector<std::string> names_;
  std::map<std::string, std::int64_t> numbers_;
  std::size_t length_ = 0;
  std::vector<float> types_, frozen_, prompts_, keys_, out_, out_bias_, frequencies_;
  std::vector<Map> query_, key_, value_;
};

}  // namespace stream::events
