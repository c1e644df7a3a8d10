/// What a study's run has shown: claims against bars, and the curves behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/value.hpp"
#include "svg.hpp"

namespace stream::cli {

/// Figures stay JSON values: a study may state a number or a sentence.
struct Claim {
  std::string claim;
  Value paper, baseline, measured, bar;
  std::optional<bool> held;  ///< none: a figure that no bar judges
};

/// A PNG in base64, and what it shows.
struct StudyPicture {
  std::string title, png;
};

struct StudyPlot {
  std::string title;
  std::vector<Series> series;
};

struct StudyResult {
  std::string study;
  std::uint64_t seed = 0;
  double seconds = 0;
  std::vector<Claim> claims;
  /// Points of {"plot", "series", "x", "y", "low", "high"} records, by plot and series, both in the order in
  /// which they first come: what a study is about is what it names first. A plot has common axes.
  std::vector<StudyPlot> plots;
  std::vector<StudyPicture> pictures;  ///< records {"picture", "png"}, in their order
  /// Every bar was held, and there was one.
  bool held() const;
};

/// Reads the records that the study's output node wrote, one a line. Throws Error(kBadData) with the line for
/// a record that is neither a claim, a point nor a picture, and Error(kFailed) when there is no claim at all.
void read_study_records(std::string_view jsonl, StudyResult& into);
/// The table for people.
std::string study_table(const StudyResult& result);
/// {"study", "seed", "seconds", "claims": [...]}
Value study_value(const StudyResult& result);
std::string study_report(const std::vector<StudyResult>& results);

}  // namespace stream::cli
