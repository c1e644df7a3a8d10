#include "events/event_graph.hpp"

#include <cmath>
#include <map>

namespace stream::events {

void EventGraph::count_later(double unit) {
  if (nodes.empty()) return;
  const std::size_t width = features.size() / nodes.size();
  struct Later {
    std::int64_t events = 0;
    double start = 0;  ///< of the next event
    std::size_t bursts = 0;
  };
  std::map<std::pair<std::int32_t, std::int32_t>, Later> later;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    Later& since = later[{nodes[i].level, nodes[i].entity}];
    if (since.events > 0 && since.start - nodes[i].start > (kBurst + 0.5) * unit) ++since.bursts;
    float* ages = features.data() + (i + 1) * width - kLater;
    ages[0] = static_cast<float>(std::log1p(since.events));
    for (std::size_t k = 0; k + 1 < kLater; ++k) ages[1 + k] = since.bursts == k ? 1.f : 0.f;
    ++since.events, since.start = nodes[i].start;
  }
}

}  // namespace stream::events
