#include "events/event_graph.hpp"

#include <cmath>
#include <map>

namespace stream::events {

void EventGraph::count_later() {
  if (nodes.empty()) return;
  const std::size_t width = features.size() / nodes.size();
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> later;
  for (std::size_t i = nodes.size(); i-- > 0;)
    features[(i + 1) * width - 1] =
        static_cast<float>(std::log1p(later[{nodes[i].level, nodes[i].entity}]++));
}

}  // namespace stream::events
