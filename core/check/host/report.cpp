#include <algorithm>

#include "check/check.hpp"

namespace stream::laws {

const char* name_of(Verdict verdict) {
  constexpr const char* kNames[] = {"held", "BROKEN", "not applicable", "not tried"};
  return kNames[static_cast<std::size_t>(verdict)];
}

bool SubjectReport::broken() const {
  return std::any_of(laws.begin(), laws.end(),
                     [](const LawReport& l) { return l.verdict == Verdict::kBroken; });
}

namespace {

Array texts(const std::vector<std::string>& list) { return {list.begin(), list.end()}; }

const char* json_name_of(Verdict verdict) {
  return verdict == Verdict::kBroken ? "broken" : name_of(verdict);
}

}  // namespace

Value to_value(const SubjectReport& report) {
  Array laws;
  for (const LawReport& law : report.laws) {
    Object o{{"law", law.law},
             {"result", json_name_of(law.verdict)},
             {"trials", static_cast<std::int64_t>(law.trials)},
             {"how", law.how}};
    if (!law.notes.empty()) o.set("notes", texts(law.notes));
    if (const auto& c = law.counterexample) {
      Object example{
          {"seed", Value(c->seed)}, {"what", c->what}, {"tried", c->tried}, {"input", texts(c->input)}};
      for (const auto& [name, text] : {std::pair{"fault", &c->fault},
                                       {"expected", &c->expected},
                                       {"got", &c->got},
                                       {"where", &c->where}})
        if (!text->empty()) example.set(name, *text);
      o.set("counterexample", std::move(example));
    }
    laws.emplace_back(std::move(o));
  }
  Object o{{"subject", report.name},
           {"kind", report.kind},
           {"contract", report.contract},
           {"seed", Value(report.seed)},
           {"trials", static_cast<std::int64_t>(report.trials)},
           {"streams", report.streams},
           {"seconds", report.seconds},
           {"held", !report.broken()},
           {"laws", std::move(laws)}};
  if (!report.notes.empty()) o.set("notes", texts(report.notes));
  return o;
}

}  // namespace stream::laws
