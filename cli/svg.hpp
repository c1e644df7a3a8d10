/// Plots as SVG and pages that need nothing but themselves.
#pragma once

#include <string>
#include <vector>

namespace stream::cli {

struct PlotPoint {
  double x, y;
  double low = y, high = y;  ///< of what y is the mean of
};
struct Series {
  std::string name;
  std::vector<PlotPoint> points;
};
/// Lines over common axes, in bands from `low` to `high`, and a dot for a series of one point; their names
/// stand below. Points that are not finite are left out. `x_label` may be empty.
std::string line_plot(const std::string& title, const std::string& x_label,
                      const std::vector<Series>& series);
struct Bar {
  std::string name;
  double value;
  std::string text;
};
std::string bar_plot(const std::string& title, const std::vector<Bar>& bars);
/// A whole HTML page around `body`.
std::string html_page(const std::string& title, const std::string& body);
/// Cells are escaped.
std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

}  // namespace stream::cli
