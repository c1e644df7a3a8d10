#include "check_text.hpp"

#include <algorithm>

#include "text.hpp"

namespace stream::cli {
namespace {

constexpr std::size_t kWidth = 100, kLabel = 12;

/// "  label     text", wrapped under the text.
std::string labelled(const std::string& label, const std::string& text) {
  if (text.empty()) return {};
  std::string out = "  " + label;
  out.resize(std::max(out.size() + 1, kLabel), ' ');
  return out + wrapped(text, kWidth - kLabel, kLabel) + "\n";
}

std::string trials_text(const laws::LawReport& law) {
  const bool tried = law.verdict == laws::Verdict::kHeld || law.verdict == laws::Verdict::kBroken;
  return tried ? std::to_string(law.trials) : "-";
}

std::string counterexample_text(const laws::LawReport& law) {
  const laws::Counterexample& c = *law.counterexample;
  std::string out = "\n" + law.law + " is BROKEN: " + wrapped(c.what, kWidth - law.law.size() - 12, 2) + "\n";
  for (std::size_t i = 0; i < c.input.size(); ++i) out += labelled(i == 0 ? "input" : "", c.input[i]);
  if (c.input.empty()) out += labelled("input", "none: the stream is empty");
  out += labelled("tried", c.tried);
  out += labelled("fault", c.fault);
  out += labelled("expected", c.expected);
  out += labelled("got", c.got);
  out += labelled("differs at", c.where);
  return out + labelled("again with", "--seed " + std::to_string(c.seed) + " --trials 1");
}

}  // namespace

std::string report_text(const laws::SubjectReport& report) {
  std::string out = report.name + "  " + report.kind + ": " + report.contract + "\n";
  out += "  " + std::to_string(report.trials) + (report.trials == 1 ? " trial of " : " trials of ") +
         report.streams + ", seed " + std::to_string(report.seed) + ", " + seconds_text(report.seconds) +
         "\n\n";
  Table table(2);
  table.row({"law", "trials", "result", "how it was tried"});
  for (const laws::LawReport& law : report.laws)
    table.row({law.law, trials_text(law), laws::name_of(law.verdict), law.how});
  out += table.text({false, true});
  for (const laws::LawReport& law : report.laws) {
    for (const std::string& note : law.notes) out += labelled("note", law.law + ": " + note);
  }
  for (const std::string& note : report.notes) out += labelled("note", note);
  for (const laws::LawReport& law : report.laws) {
    if (law.counterexample) out += counterexample_text(law);
  }
  return out + "\n";
}

}  // namespace stream::cli
