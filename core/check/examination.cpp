#include "check/examination.hpp"

#include <algorithm>

namespace stream::laws {
namespace {

constexpr double kShrinkSeconds = 10, kCostlyShrinkSeconds = 4;
constexpr std::size_t kShrinkTries = 3000;
/// So many tries are made on a slow or busy machine too, if they take no more than kPatience times as long.
constexpr std::size_t kLeastTries = 40;
constexpr double kPatience = 8;
constexpr std::size_t kShownInputs = 12;
constexpr std::size_t kMostFatal = 3;

}  // namespace

Examination::Examination(const std::string& name, const CheckOptions& options, Contract contract)
    : options_(options), contract_(std::move(contract)) {
  report_.name = name;
  report_.seed = options.seed;
}

Examination::~Examination() = default;

double Examination::elapsed() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void Examination::add(const std::string& name, const std::string& how, Question ask, std::size_t most,
                      bool fatal_too) {
  Law law;
  law.report.law = name;
  law.report.how = how;
  law.ask = std::move(ask);
  law.most = most;
  law.fatal_too = fatal_too;
  law.compares = name != "repeat" && name != "memory" && name != "robustness";
  laws_.push_back(std::move(law));
}

void Examination::add_absent(const std::string& name, const std::string& why) {
  Law law;
  law.report.law = name;
  law.report.how = why;
  law.report.verdict = Verdict::kNotApplicable;
  laws_.push_back(std::move(law));
}

Examination::Law& Examination::law(const std::string& name) {
  return *std::find_if(laws_.begin(), laws_.end(), [&](const Law& l) { return l.report.law == name; });
}

void Examination::note(const std::string& law_name, const std::string& text) {
  auto& notes = law(law_name).report.notes;
  const std::string said = printable(text);
  if (!said.empty() && std::find(notes.begin(), notes.end(), said) == notes.end()) notes.push_back(said);
}

Counterexample Examination::counterexample(const Trial& trial, const Breach& breach) const {
  Counterexample example;
  example.seed = trial.seed;
  example.what = printable(breach.what);
  example.tried = printable(breach.tried);
  example.input = shown(trial);
  if (example.input.size() > kShownInputs) {
    const std::size_t more = example.input.size() - kShownInputs;
    example.input.resize(kShownInputs);
    example.input.push_back("… " + std::to_string(more) + " more");
  }
  if (breach.fault) example.fault = printable(text_of(*breach.fault));
  if (breach.difference) {
    example.expected = breach.difference->expected;
    example.got = breach.difference->got;
    example.where = breach.difference->where;
  }
  return example;
}

Counterexample Examination::smallest(Law& law, const Trial& trial, const Breach& breach) {
  Counterexample best = counterexample(trial, breach);
  const auto begun = elapsed();
  std::size_t tries = 0;
  const bool died = breach.fault && breach.fault->fatal();
  const auto fails = [&](const Shape& shape) {
    ++tries;
    Trial small = prepare(shape, trial.seed);
    if (!small.usable() && !law.fatal_too) return false;
    const auto still = law.ask(small);
    if (!still || (still->fault && still->fault->fatal()) != died) return false;
    best = counterexample(small, *still);
    return true;
  };
  smaller(trial.seed, fails, [&] {
    const double most = law.most > 0 ? kCostlyShrinkSeconds : kShrinkSeconds;
    const double taken = elapsed() - begun;
    return tries < kLeastTries ? taken < kPatience * most : tries < kShrinkTries && taken < most;
  });
  best.smaller = tries;
  return best;
}

void Examination::ask_all(Trial& trial, const Watcher& watcher, std::size_t index) {
  for (Law& law : laws_) {
    if (law.report.verdict == Verdict::kBroken || law.report.verdict == Verdict::kNotApplicable) continue;
    if (law.most > 0 && law.report.trials >= law.most) continue;
    if (!trial.usable() && !law.fatal_too) continue;
    if (law.compares && !repeats_) {
      law.report.verdict = Verdict::kNotTried;
      continue;
    }
    if (watcher) watcher(law.report.law, index, trials());
    ++law.report.trials;
    law.report.verdict = Verdict::kHeld;
    passed_over_ = false;
    const auto breach = law.ask(trial);
    if (passed_over_) --law.report.trials;
    if (!breach) continue;
    law.report.verdict = Verdict::kBroken;
    law.report.counterexample = smallest(law, trial, *breach);
    if (law.report.law == "repeat") repeats_ = false;
  }
}

SubjectReport Examination::run(const Watcher& watcher) {
  for (std::size_t i = 0; i < trials(); ++i) {
    const std::uint64_t seed = options_.seed + i;
    Trial trial = prepare(shape_of(seed), seed);
    ++report_.trials;
    least_ = std::min(least_, size_of(trial));
    largest_ = std::max(largest_, size_of(trial));
    if (trial.usable() && trial.reference->scenario.inputs.empty() && !trial.refused.empty()) {
      ++wholly_refused_;
      last_refusal_ = trial.refused.front().message;
    }
    ask_all(trial, watcher, i);
    // Nothing more is learnt from dying again, and hangs take their time.
    if (trial.fatal && ++fatal_ == kMostFatal) break;
    const bool open = std::any_of(laws_.begin(), laws_.end(), [](const Law& law) {
      return law.report.verdict == Verdict::kHeld || law.report.verdict == Verdict::kNotTried;
    });
    if (!open || elapsed() > options_.seconds) break;
  }
  conclude();
  report_.streams =
      std::to_string(std::min(least_, largest_)) + " to " + std::to_string(largest_) + " " + unit();
  if (wholly_refused_ > 0 && wholly_refused_ >= report_.trials / 2) {
    report_.notes.push_back(std::to_string(wholly_refused_) + " of " + std::to_string(report_.trials) +
                            " streams were refused throughout (" + printable(last_refusal_) +
                            "): give a file of real input with --input");
  }
  for (Law& law : laws_) {
    if (law.report.trials == 0 && law.report.verdict == Verdict::kHeld)
      law.report.verdict = Verdict::kNotTried;
    if (law.report.verdict == Verdict::kNotTried && law.compares && !repeats_)
      law.report.how = "it does not repeat itself";
    else if (law.report.verdict == Verdict::kNotTried)
      law.report.how = "no stream got far enough: see the other laws";
    report_.laws.push_back(std::move(law.report));
  }
  report_.seconds = elapsed();
  return std::move(report_);
}

}  // namespace stream::laws
