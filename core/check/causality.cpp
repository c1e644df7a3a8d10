#include <algorithm>

#include "check/law.hpp"
#include "check/payloads.hpp"

namespace stream::laws {
namespace {

Time minus(Time time, Duration lookahead) {
  if (lookahead == kUnbounded) return kTimeMin;
  return time < kTimeMin + lookahead ? kTimeMin : time - lookahead;
}

/// Time of the first thing in which two runs differ, on any port.
std::optional<Time> first_changed(const std::vector<Emission>& a, const std::vector<Emission>& b) {
  std::optional<Time> first;
  for (const Difference& d : differences(a, b, Equality::kContent))
    first = first ? std::min(*first, d.time) : d.time;
  return first;
}

std::string at_port(const Emission& e) { return "port " + std::to_string(e.port); }

}  // namespace

std::optional<Breach> check_punctual(const Reference& reference, Duration& needed) {
  const Inputs& inputs = reference.scenario.inputs;
  const Duration lookahead = reference.contract.lookahead;
  std::vector<Time> clocks;
  for (const Emission& e : reference.outcome.emitted) {
    if (clocks.size() <= e.port) clocks.resize(e.port + 1, kTimeMin);
    if (e.packet.time < clocks[e.port]) {
      return Breach{"times on a port must not go back: a packet of " + to_string(e.packet.time) +
                        " followed one of " + to_string(clocks[e.port]) + " on " + at_port(e),
                    "the packets as they are",
                    Difference{e.port, 0, "", short_json(e.packet), "", e.packet.time},
                    {}};
    }
    clocks[e.port] = e.packet.time;
    if (inputs.empty() || e.step == 0) continue;
    const Time passed = inputs[std::min(e.step, inputs.size()) - 1].packet.time;
    needed = std::max(needed, passed - e.packet.time);
    if (e.packet.time >= minus(passed, lookahead)) continue;
    return Breach{"output of " + to_string(e.packet.time) + " came when the input had passed " +
                      to_string(passed) + ": later than the declared lookahead of " + to_string(lookahead) +
                      " allows",
                  e.step < inputs.size() ? "came with packet " + std::to_string(e.step) : "came in finish",
                  Difference{e.port, 0, "by then", short_json(e.packet), "", e.packet.time},
                  {}};
  }
  return {};
}

std::optional<Breach> check_foresight(Runner& runner, const Reference& reference, std::size_t cut,
                                      const Inputs& changed, const std::string& how, Duration& needed) {
  const Time from = reference.scenario.inputs[cut].packet.time;
  const Duration lookahead = reference.contract.lookahead;
  Scenario scenario = reference.scenario;
  scenario.inputs = changed;
  Outcome outcome = runner.run(scenario);
  const Time certain = minus(from, lookahead);
  const std::string tried = "from packet " + std::to_string(cut) + " (" + to_string(from) + ") on " + how;
  // What refuses the changed packets, or at the end finds that something is missing, is free to; what it had
  // said before stands all the same.
  if (outcome.fault && !outcome.fault->fatal() &&
      ((outcome.fault->phase == Phase::kProcess && outcome.fault->step >= cut) ||
       outcome.fault->phase == Phase::kFinish))
    outcome.fault.reset();
  else if (outcome.fault)
    return compared(reference.outcome, outcome, Equality::kContent, "", tried);
  if (const auto first = first_changed(reference.outcome.emitted, outcome.emitted); first && *first <= from)
    needed = std::max(needed, from - *first);
  if (lookahead == kUnbounded) return {};
  if (auto difference =
          first_difference(reference.outcome.emitted, outcome.emitted, Equality::kContent, certain)) {
    return Breach{"output of " + to_string(difference->time) + " depends on input of " + to_string(from) +
                      " or later: beyond the declared lookahead of " + to_string(lookahead),
                  tried,
                  std::move(difference),
                  {}};
  }
  return {};
}

std::optional<Breach> try_causality(Runner& runner, const Reference& reference, Random& random,
                                    Duration& needed) {
  if (auto breach = check_punctual(reference, needed)) return breach;
  const Inputs& inputs = reference.scenario.inputs;
  if (inputs.empty()) return {};
  const bool all = inputs.size() <= 2 * reference.samples;
  const std::size_t cuts = all ? inputs.size() : reference.samples;
  for (std::size_t i = 0; i < cuts; ++i) {
    const std::size_t cut = all ? i : random.below(inputs.size());
    Inputs changed(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(cut));
    std::string how = "nothing came";
    if (random.below(3) != 0) {
      how = "other content came";
      for (std::size_t k = cut; k < inputs.size(); ++k) {
        changed.push_back(inputs[k]);
        changed.back().packet.payload = other_payload(*inputs[k].packet.payload, random);
      }
    }
    if (auto breach = check_foresight(runner, reference, cut, changed, how, needed)) return breach;
  }
  return {};
}

}  // namespace stream::laws
