#include "study.hpp"

#include <algorithm>

#include "stream/error.hpp"
#include "text.hpp"

namespace stream::cli {
namespace {

std::string figure(const Value& value) {
  return value.is_string()   ? value.as_string()
         : value.is_double() ? number_text(value.as_double(), 4)
         : value.is_null()   ? "-"
                             : value.dump();
}

const Value& required(const Object& object, const char* name) {
  const Value* value = object.find(name);
  if (value == nullptr) throw bad_data(std::string("a claim lacks '") + name + "'");
  return *value;
}

std::vector<std::vector<std::string>> rows_of(const StudyResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (const Claim& c : result.claims) {
    rows.push_back({c.claim, figure(c.paper), figure(c.baseline), figure(c.measured), figure(c.bar),
                    !c.held   ? "-"
                    : *c.held ? "held"
                              : "MISSED"});
  }
  return rows;
}

/// The one of that name, made at the end when there is none.
template <typename T>
T& named(std::vector<T>& list, std::string T::*name, const std::string& wanted) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const T& item) { return item.*name == wanted; });
  if (found != list.end()) return *found;
  list.emplace_back().*name = wanted;
  return list.back();
}

constexpr const char* kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

const std::vector<std::string> kHeader = {"claim", "paper", "baseline", "measured", "bar", "held"};

}  // namespace

bool StudyResult::held() const {
  const auto judged = [](const Claim& c) { return c.held.has_value(); };
  return std::any_of(claims.begin(), claims.end(), judged) &&
         std::all_of(claims.begin(), claims.end(), [](const Claim& c) { return c.held.value_or(true); });
}

void read_study_records(std::string_view jsonl, StudyResult& into) {
  std::size_t number = 0;
  while (!jsonl.empty()) {
    const auto end = jsonl.find('\n');
    const std::string_view line = jsonl.substr(0, end);
    jsonl.remove_prefix(end == std::string_view::npos ? jsonl.size() : end + 1);
    ++number;
    try {
      const Value value = Value::parse(line);
      const Object& record = value.as_object();
      if (const Value* title = record.find("picture")) {
        const std::string& png = required(record, "png").as_string();
        if (png.find_first_not_of(kBase64) != std::string::npos)
          throw bad_data("'png' of picture '" + title->as_string() + "' is not in base64");
        into.pictures.push_back({title->as_string(), png});
        continue;
      }
      if (const Value* name = record.find("series")) {
        const Value* plot = record.find("plot");
        PlotPoint p{.x = required(record, "x").as_double(), .y = required(record, "y").as_double()};
        if (const Value* low = record.find("low")) p.low = low->as_double();
        if (const Value* high = record.find("high")) p.high = high->as_double();
        StudyPlot& in = named(into.plots, &StudyPlot::title, plot ? plot->as_string() : "series");
        named(in.series, &Series::name, name->as_string()).points.push_back(p);
        continue;
      }
      Claim claim{
          required(record, "claim").as_string(), required(record, "paper"), required(record, "baseline"),
          required(record, "measured"),          required(record, "bar"),   {}};
      const Value& held = required(record, "held");
      if (held.is_null() != claim.bar.is_null())
        throw bad_data("'bar' and 'held' are null together, for a figure without a bar, or neither");
      if (!held.is_null()) claim.held = held.as_bool();
      into.claims.push_back(std::move(claim));
    } catch (const Error& e) {
      throw e.within(into.study + ": line " + std::to_string(number) + " of the study's output");
    }
  }
  if (std::none_of(into.claims.begin(), into.claims.end(), [](const Claim& c) { return c.held.has_value(); }))
    throw failed(into.study + ": the run stated no claim: a study that claims nothing shows nothing");
}

std::string study_table(const StudyResult& result) {
  Table table;
  table.row(kHeader);
  for (auto& row : rows_of(result)) table.row(std::move(row));
  return result.study + ", seed " + std::to_string(result.seed) + ", " + seconds_text(result.seconds) + "\n" +
         table.text();
}

Value study_value(const StudyResult& result) {
  Array claims;
  for (const Claim& c : result.claims) {
    claims.emplace_back(Object{{"claim", c.claim},
                               {"paper", c.paper},
                               {"baseline", c.baseline},
                               {"measured", c.measured},
                               {"bar", c.bar},
                               {"held", c.held ? Value(*c.held) : Value()}});
  }
  return Object{{"study", result.study},
                {"seed", Value(result.seed)},
                {"seconds", result.seconds},
                {"claims", std::move(claims)}};
}

std::string study_report(const std::vector<StudyResult>& results) {
  std::string body;
  for (const StudyResult& result : results) {
    body += "<h2>" + html_escaped(result.study) + "</h2>\n<p>seed " + std::to_string(result.seed) + ", " +
            seconds_text(result.seconds) + ", " + (result.held() ? "every bar held" : "a bar was missed") +
            "</p>\n" + html_table(kHeader, rows_of(result));
    for (const Claim& c : result.claims) {
      if (!c.measured.is_number() || !c.baseline.is_number()) continue;
      body += bar_plot(c.claim, {{"baseline", c.baseline.as_double(), figure(c.baseline)},
                                 {"measured", c.measured.as_double(), figure(c.measured)}});
    }
    for (const StudyPicture& p : result.pictures)
      body += "<figure><figcaption>" + html_escaped(p.title) +
              "</figcaption><img style=\"max-width:100%\" alt=\"" + html_escaped(p.title) +
              "\" src=\"data:image/png;base64," + p.png + "\"></figure>\n";
    for (const StudyPlot& plot : result.plots) body += line_plot(plot.title, "", plot.series);
  }
  return html_page("stream reproduce", body);
}

}  // namespace stream::cli
