#include "check/law.hpp"

namespace stream::laws {

std::string text_of(const Fault& fault) {
  std::string where = stream::laws::name_of(fault.phase);
  if (fault.phase == Phase::kProcess)
    where = "processing packet " + std::to_string(fault.step);
  else if (fault.phase == Phase::kRead)
    where = "read " + std::to_string(fault.step);
  return "in " + where + ": " + fault.message;
}

std::optional<Breach> compared(const Outcome& expected, const Outcome& got, Equality equality,
                               const std::string& what, const std::string& tried) {
  if (got.fault && (got.fault->fatal() || !expected.fault))
    return Breach{
        got.fault->fatal() ? "it did not survive" : "it was refused, though the undisturbed run was not",
        tried,
        {},
        got.fault};
  if (auto difference = first_difference(expected.emitted, got.emitted, equality))
    return Breach{what, tried, std::move(difference), {}};
  if (auto difference = first_difference(expected.written, got.written))
    return Breach{what, tried, std::move(difference), {}};
  if (expected.fault && !got.fault)
    return Breach{"it went through, though the undisturbed run was refused (" + expected.fault->message + ")",
                  tried,
                  {},
                  {}};
  return {};
}

std::optional<Breach> try_repeat(Runner& runner, const Reference& reference) {
  return compared(reference.outcome, runner.run(reference.scenario, Where::kFresh), Equality::kPackets,
                  "the same input gave another output", "the same packets again, in another process");
}

}  // namespace stream::laws
