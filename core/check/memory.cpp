#include <algorithm>

#include "check/law.hpp"

namespace stream::laws {
namespace {

/// What an allocator may keep or a text may vary by.
constexpr std::uint64_t kHeapSlack = 64 << 10, kHeavyHeapSlack = 1 << 20, kResidentSlack = 32 << 20;
constexpr std::uint64_t kStateSlack = 256;

std::uint64_t held(const Measure& m) { return std::max(m.stated, m.saved); }
std::uint64_t growth(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

Breach grown(const std::string& what, const Measures& measures, std::uint64_t (*figure)(const Measure&)) {
  std::string got;
  const auto& points = measures.points;
  for (std::size_t i = points.size() - std::min<std::size_t>(points.size(), 4); i < points.size(); ++i)
    got += (got.empty() ? "" : ", ") + std::to_string(figure(points[i])) + " bytes after " +
           std::to_string(points[i].packets) + " packets";
  return Breach{what,
                "the stream again and again, each round later in time",
                Difference{0, 0, "no such growth", got, "", Time{0}},
                {}};
}

/// True when it has grown with every one of the last doublings: what merely varies (a block that is half full
/// at one place and empty at another) does not.
bool keeps_growing(const std::vector<Measure>& points, std::uint64_t (*figure)(const Measure&)) {
  constexpr std::size_t kDoublings = 4;
  for (std::size_t i = points.size() - std::min(points.size() - 1, kDoublings); i < points.size(); ++i) {
    if (figure(points[i]) <= figure(points[i - 1])) return false;
  }
  return true;
}

/// Bytes that one doubling of the stream may add to the state.
std::uint64_t allowed(Growth declared, const Measure& a, const Measure& b) {
  switch (declared) {
    case Growth::kConstant:
      return std::max(kStateSlack, held(b) / 100);
    case Growth::kLogarithmic:
      return kStateSlack + 3 * growth(held(a), held(b)) / 2;
    default:  // a doubling may double it
      return kStateSlack + held(b) + held(b) / 5;
  }
}

}  // namespace

std::optional<Breach> judge_memory(const Measures& measures, const Contract& contract, std::string& note) {
  const auto& points = measures.points;
  if (points.size() < 3) return {};
  const Measure &a = points[points.size() - 3], &b = points[points.size() - 2], &c = points.back();
  const std::string declared = stream::name_of(contract.state);
  const std::uint64_t more = growth(held(b), held(c));
  if (more > allowed(contract.state, a, b) && keeps_growing(points, &held))
    return grown("the state grows faster than the declared " + declared + " growth", measures, &held);

  const std::uint64_t slack = contract.cost == Cost::kHeavy ? kHeavyHeapSlack : kHeapSlack;
  const std::uint64_t packets = c.packets - b.packets;
  const std::uint64_t heap = growth(b.heap, c.heap);
  // Linear growth may cost more than the state's bytes (nodes, headers), but not ever more.
  const bool linear = contract.state == Growth::kLinear;
  const auto grace = [&](std::uint64_t before) { return linear ? 5 * before / 2 : 8 * more; };
  const auto in_heap = [](const Measure& m) { return m.heap; };
  if (c.heap > 0 && heap > slack + 2 * packets + grace(growth(a.heap, b.heap)) &&
      keeps_growing(points, in_heap))
    return grown("memory grows by what neither state_bytes() nor save() shows", measures, in_heap);
  const auto resident = [](const Measure& m) { return m.resident; };
  if (growth(b.resident, c.resident) > kResidentSlack + 2 * heap + grace(growth(a.resident, b.resident)) &&
      keeps_growing(points, resident))
    return grown("the process grows by what neither state_bytes() nor the heap shows", measures, resident);
  if (linear && c.stated > 0 && heap > slack + 16 * growth(b.stated, c.stated))
    note = "each byte more that state_bytes() shows takes " +
           std::to_string(heap / std::max<std::uint64_t>(1, growth(b.stated, c.stated))) + " bytes of memory";
  constexpr std::uint64_t kWorthSaying = 256;
  if (c.stated == 0 && c.saved > kWorthSaying)
    note = "state_bytes() says 0, a checkpoint holds " + std::to_string(c.saved) + " bytes";
  return {};
}

std::optional<Breach> try_memory(Runner& runner, const Reference& reference, std::uint64_t packets,
                                 double seconds, std::string& note, Judged judged) {
  Measures measures = runner.measure(reference.scenario, packets, seconds);
  if (measures.fault && measures.fault->fatal())
    return Breach{"it did not survive a longer stream",
                  "the stream again and again, each round later in time",
                  {},
                  measures.fault};
  if (judged == Judged::kProcess) {
    std::uint64_t most = 0;
    for (const Measure& m : measures.points) most = std::max(most, held(m));
    for (Measure& m : measures.points) m.stated = m.saved = most;
  }
  return judge_memory(measures, reference.contract, note);
}

}  // namespace stream::laws
