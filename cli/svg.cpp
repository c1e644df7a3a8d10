#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "text.hpp"

namespace stream::cli {
namespace {

/// Eight that are far apart, then each of them paler.
constexpr const char* kColours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf",
                                    "#8c564b", "#7f7f7f", "#aec7e8", "#ff9896", "#98df8a", "#c5b0d5",
                                    "#ffbb78", "#9edae5", "#c49c94", "#c7c7c7"};

std::string at(double v) { return number_text(std::round(v * 10) / 10, 6); }

struct Axis {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void cover(double v) { low = std::min(low, v), high = std::max(high, v); }
  /// 0 to 1; the middle when all values are one.
  double place(double v) const { return high > low ? (v - low) / (high - low) : 0.5; }
  /// A multiple of 1, 2 or 5 times a power of ten.
  double step() const {
    const double rough = (high - low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
    return power * (rough < 2 * power ? 2 : rough < 5 * power ? 5 : 10);
  }
  /// Down and up to multiples of the step, so that no line runs along the edge; and down to 0 where that is
  /// not far.
  void widen() {
    if (!(high > low)) return;
    if (low > 0 && low < 0.6 * high) low = 0;
    if (high < 0 && high > 0.6 * low) high = 0;
    const double by = step();
    low = by * std::floor(low / by);
    high = by * std::ceil(high / by + 1e-3);
  }
  /// Three to seven of them.
  std::vector<double> ticks() const {
    if (!(high > low)) return {low};
    std::vector<double> out;
    const double by = step();
    for (double k = std::ceil(low / by - 1e-9); k * by <= high + 1e-9 * by; ++k)
      out.push_back(k * by + 0.0);  // -0 is 0
    return out;
  }
};

bool finite(const PlotPoint& p) {
  return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.low) && std::isfinite(p.high);
}

/// A short stroke across an axis.
std::string tick(double x, double y, double dx, double dy) {
  return "<path d=\"M" + at(x) + " " + at(y) + "l" + at(dx) + " " + at(dy) + "\" stroke=\"currentColor\"/>\n";
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + anchor + "\">" +
         html_escaped(text) + "</text>\n";
}

/// The beginning of a plot whose first 30 of so many units are for its title: one of several lines makes it
/// taller.
std::string titled(const std::string& title, double height) {
  constexpr std::size_t kColumns = 110;
  constexpr double kLine = 14;
  std::string lines;
  double count = 0;
  const std::string text = wrapped(title, kColumns, 0);
  for (std::size_t end = text.size(); end != std::string::npos; ++count) {  // the last one first
    const std::size_t before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    lines += label(320, 18 - kLine * count, "middle", text.substr(begin, end - begin));
    end = before;
  }
  const double above = kLine * (count - 1);
  return "<svg viewBox=\"0 " + at(0 - above) + " 640 " + at(height + above) +
         "\" width=\"640\" role=\"img\">\n" + lines;
}

}  // namespace

std::string line_plot(const std::string& title, const std::string& x_label,
                      const std::vector<Series>& series) {
  constexpr double kWidth = 640, kLeft = 70, kRight = 30, kTop = 30, kFloor = 280, kLegend = 16;
  Axis xs, ys;
  for (const Series& s : series) {
    for (const PlotPoint& p : s.points) {
      if (finite(p)) xs.cover(p.x), ys.cover(p.low), ys.cover(p.high);
    }
  }
  ys.widen();
  const double below = kFloor + (x_label.empty() ? 38 : 54);
  const double height = below + kLegend * static_cast<double>(series.size());
  std::string out = titled(title, height);
  out += "<path d=\"M70 30V280H610\" fill=\"none\" stroke=\"currentColor\"/>\n";
  if (xs.high < xs.low) return out + label(kWidth / 2, kFloor / 2, "middle", "no data") + "</svg>\n";
  const auto across = [&](double x) { return kLeft + xs.place(x) * (kWidth - kLeft - kRight); };
  const auto up = [&](double y) { return kFloor - ys.place(y) * (kFloor - kTop); };
  for (const double x : xs.ticks())
    out += label(across(x), kFloor + 16, "middle", number_text(x, 6)) + tick(across(x), kFloor, 0, 4);
  for (const double y : ys.ticks())
    out += label(kLeft - 8, up(y) + 4, "end", number_text(y, 6)) + tick(kLeft, up(y), -4, 0);
  if (!x_label.empty()) out += label(kWidth / 2, kFloor + 34, "middle", x_label);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const std::string colour = kColours[i % std::size(kColours)];
    std::string line, top, bottom, alone;
    bool band = false;
    for (const PlotPoint& p : series[i].points) {
      if (!finite(p)) continue;
      const std::string x = at(across(p.x)) + " ";
      line += (line.empty() ? "M" : "L") + x + at(up(p.y));
      top += (top.empty() ? "M" : "L") + x + at(up(p.high));
      alone = line.find('L') == std::string::npos ? x + at(up(p.y)) : std::string();
      bottom.insert(0, "L" + x + at(up(p.low)));
      band = band || p.low != p.high;
    }
    if (band)
      out += "<path d=\"" + top + bottom + "Z\" stroke=\"none\" fill=\"" + colour +
             "\" fill-opacity=\"0.2\"/>\n";
    if (alone.empty())
      out += "<path d=\"" + line + "\" fill=\"none\" stroke-width=\"1.5\" stroke=\"" + colour + "\"/>\n";
    else  // a line of one point would not show
      out += "<path d=\"M" + alone + "h0\" stroke-width=\"8\" stroke-linecap=\"round\" stroke=\"" + colour +
             "\"/>\n";
    const double y = below + kLegend * static_cast<double>(i);
    out += "<path d=\"M" + at(kLeft) + " " + at(y - 4) + "h18\" stroke-width=\"3\" stroke=\"" + colour +
           "\"/>\n" +
           label(kLeft + 26, y, "start", series[i].name + (band ? " (mean, lowest to highest)" : ""));
  }
  return out + "</svg>\n";
}

std::string bar_plot(const std::string& title, const std::vector<Bar>& bars) {
  const double height = 40 + 24 * static_cast<double>(bars.size());
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  std::string out = titled(title, height);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = 32 + 24 * static_cast<double>(i), width = most > 0 ? 360 * bars[i].value / most : 0;
    out += label(170, y + 13, "end", bars[i].name) + "<rect x=\"176\" y=\"" + at(y) +
           "\" height=\"18\" width=\"" + at(width) + "\" fill=\"" + kColours[0] + "\"/>\n" +
           label(180 + width, y + 13, "start", bars[i].text);
  }
  return out + "</svg>\n";
}

std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table><thead><tr>";
  for (const auto& cell : header) out += "<th>" + html_escaped(cell) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const auto& cell : row) out += "<td>" + html_escaped(cell) + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + html_escaped(title) +
         "</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem "
         "auto;padding:0 1rem}"
         "table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid "
         "#8884;text-align:left}"
         "svg{display:block;margin:1rem 0;max-width:100%}svg text{font-size:11px;fill:currentColor}svg g "
         "text{fill:inherit}"
         "</style></head><body>\n<h1>" +
         html_escaped(title) + "</h1>\n" + body + "</body></html>\n";
}

}  // namespace stream::cli
