#include <algorithm>
#include <set>

#include "check/law.hpp"

namespace stream::laws {
namespace {

std::set<std::size_t> stops_of(const Reference& reference, Random& random) {
  const Inputs& inputs = reference.scenario.inputs;
  const bool source = reference.scenario.feed.has_value() || reference.outcome.reads > 0;
  const std::size_t end = source ? reference.outcome.reads : inputs.size();
  std::set<std::size_t> stops{0, end};
  if (source && reference.scenario.stop == kToTheEnd) stops.insert(end + 1);
  if (end <= 2 * reference.samples) {
    for (std::size_t i = 0; i <= end; ++i) stops.insert(i);
    return stops;
  }
  for (std::size_t i = 0; i < reference.samples; ++i) stops.insert(random.below(end + 1));
  // Between two packets of one time, where a state that goes by time alone goes wrong.
  std::vector<std::size_t> twins;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].packet.time == inputs[i - 1].packet.time) twins.push_back(i);
  }
  if (!twins.empty()) stops.insert(twins[random.below(twins.size())]);
  return stops;
}

}  // namespace

std::optional<Breach> check_resume(Runner& runner, const Reference& reference, std::size_t stop, bool twice,
                                   std::size_t lost) {
  const bool source = reference.scenario.inputs.empty() && reference.outcome.reads > 0;
  const std::string tried =
      (source ? "stopped after read " : "stopped before packet ") + std::to_string(stop) +
      (lost > 0 ? ", " + std::to_string(lost) + " more written and lost" : "") +
      (twice ? ", resumed, stopped again at once" : "") + ", resumed in another process";
  const auto fail = [&](const Outcome& outcome, const std::string& what) -> std::optional<Breach> {
    return Breach{what, tried, {}, outcome.fault};
  };
  Scenario first = reference.scenario;
  first.stop = stop;
  first.lost = lost;
  Outcome before = runner.run(first);
  if (before.fault) return fail(before, "its state cannot be saved");
  if (!before.state) return {};  // the input ended before

  Scenario second = reference.scenario;
  second.inputs.erase(second.inputs.begin(), second.inputs.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                         stop, second.inputs.size())));
  if (second.stop != kToTheEnd) second.stop -= std::min(stop, second.stop);  // a source that is cut off
  second.state = std::move(before.state);
  if (twice) {
    Scenario between = second;
    between.stop = 0;
    Outcome again = runner.run(between, Where::kFresh);
    if (again.fault) return fail(again, "a resumed state cannot be saved again");
    second.state = std::move(again.state);
  }
  Outcome after = runner.run(second, Where::kFresh);
  if (after.fault && !reference.outcome.fault)
    return fail(after, after.fault->phase == Phase::kLoad
                           ? "the saved state cannot be loaded"
                           : "what went through before was refused after resuming");
  Outcome whole = std::move(after);
  whole.emitted.insert(whole.emitted.begin(), before.emitted.begin(), before.emitted.end());
  return compared(reference.outcome, whole, Equality::kPackets,
                  "the output of the resumed run differs from that of the undisturbed one", tried);
}

std::optional<Breach> try_resume(Runner& runner, const Reference& reference, Random& random) {
  for (const std::size_t stop : stops_of(reference, random)) {
    const bool sink = !reference.scenario.output.empty();
    if (auto breach = check_resume(runner, reference, stop, random.below(3) == 0, sink ? random.below(4) : 0))
      return breach;
  }
  return {};
}

}  // namespace stream::laws
