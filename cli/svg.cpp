#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "text.hpp"

namespace stream::cli {
namespace {

constexpr const char* kColours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
                                    "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"};

std::string at(double v) { return number_text(std::round(v * 10) / 10, 6); }

struct Axis {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void cover(double v) { low = std::min(low, v), high = std::max(high, v); }
  /// 0 to 1; the middle when all values are one.
  double place(double v) const { return high > low ? (v - low) / (high - low) : 0.5; }
};

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + anchor + "\">" +
         html_escaped(text) + "</text>\n";
}

}  // namespace

std::string line_plot(const std::string& title, const std::string& x_label,
                      const std::vector<Series>& series) {
  constexpr double kWidth = 640, kHeight = 320, kLeft = 70, kRight = 20, kTop = 30, kBottom = 40;
  Axis xs, ys;
  for (const Series& s : series) {
    for (const auto& [x, y] : s.points) {
      if (std::isfinite(x) && std::isfinite(y)) xs.cover(x), ys.cover(y);
    }
  }
  std::string out =
      "<svg viewBox=\"0 0 640 320\" width=\"640\" role=\"img\">\n" + label(kWidth / 2, 18, "middle", title);
  out += "<path d=\"M70 30V280H620\" fill=\"none\" stroke=\"currentColor\"/>\n";
  if (xs.high < xs.low) return out + label(kWidth / 2, kHeight / 2, "middle", "no data") + "</svg>\n";
  for (int tick = 0; tick <= 4; ++tick) {
    const double part = tick / 4.0;
    out += label(kLeft + part * (kWidth - kLeft - kRight), kHeight - kBottom + 16, "middle",
                 number_text(xs.low + part * (xs.high - xs.low)));
    out += label(kLeft - 6, kHeight - kBottom - part * (kHeight - kTop - kBottom) + 4, "end",
                 number_text(ys.low + part * (ys.high - ys.low)));
  }
  out += label(kWidth / 2, kHeight - 6, "middle", x_label);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const std::string colour = kColours[i % std::size(kColours)];
    std::string path;
    for (const auto& [x, y] : series[i].points) {
      if (!std::isfinite(x) || !std::isfinite(y)) continue;
      path += (path.empty() ? "M" : "L") + at(kLeft + xs.place(x) * (kWidth - kLeft - kRight)) + " " +
              at(kHeight - kBottom - ys.place(y) * (kHeight - kTop - kBottom));
    }
    out += "<path d=\"" + path + "\" fill=\"none\" stroke-width=\"1.5\" stroke=\"" + colour + "\"/>\n";
    out += "<g fill=\"" + colour + "\">" +
           label(kWidth - kRight - 4, kTop + 14 + 16 * static_cast<double>(i), "end", series[i].name) +
           "</g>";
  }
  return out + "</svg>\n";
}

std::string bar_plot(const std::string& title, const std::vector<Bar>& bars) {
  const double height = 40 + 24 * static_cast<double>(bars.size());
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  std::string out = "<svg viewBox=\"0 0 640 " + at(height) + "\" width=\"640\" role=\"img\">\n" +
                    label(320, 18, "middle", title);
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
