/// Topological order and chains.
#include <algorithm>
#include <functional>
#include <queue>

#include "plan/resolve.hpp"

namespace stream {
namespace {

/// One cycle among the nodes that have edges left, each followed by the one it feeds. Walks backwards along
/// edges: every such node has a predecessor among them, so the walk must meet itself.
std::vector<std::size_t> find_cycle(const Plan& plan, const std::vector<std::size_t>& waiting) {
  const std::size_t count = plan.nodes.size();
  std::vector<std::size_t> before(count, Plan::npos);
  for (const PlannedEdge& e : plan.edges) {
    if (waiting[e.to_node] > 0 && waiting[e.from_node] > 0)
      before[e.to_node] = std::min(before[e.to_node], e.from_node);
  }
  std::size_t at = 0;
  while (waiting[at] == 0) ++at;
  std::vector<bool> seen(count);
  while (!seen[at]) seen[at] = true, at = before[at];
  std::vector<std::size_t> cycle = {at};
  for (std::size_t n = before[at]; n != at; n = before[n]) cycle.push_back(n);
  std::reverse(cycle.begin(), cycle.end());
  std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
  return cycle;
}

/// Maximal runs of nodes that one thread may carry a packet through. A heavy operator begins a chain of its
/// own, so that it computes beside what feeds it; the cheap ones behind it join it.
std::vector<std::vector<std::size_t>> chains_of(const Plan& plan) {
  const std::size_t count = plan.nodes.size();
  std::vector<std::size_t> in(count), out(count);
  std::vector<const PlannedEdge*> only(count);
  for (const PlannedEdge& e : plan.edges) {
    ++out[e.from_node];
    ++in[e.to_node];
    only[e.to_node] = &e;
  }
  std::vector<std::vector<std::size_t>> chains;
  std::vector<std::size_t> chain_of(count);
  for (std::size_t n = 0; n < count; ++n) {
    const PlannedEdge* e = in[n] == 1 ? only[n] : nullptr;
    const bool joins = e && out[e->from_node] == 1 && !e->live &&
                       plan.nodes[n].contract.cost != Cost::kHeavy &&
                       e->from_port != plan.nodes[e->from_node].error_port();
    if (joins) {
      chain_of[n] = chain_of[e->from_node];
      chains[chain_of[n]].push_back(n);
    } else {
      chain_of[n] = chains.size();
      chains.push_back({n});
    }
  }
  return chains;
}

}  // namespace

std::vector<std::size_t> order_plan(Plan& plan) {
  const std::size_t count = plan.nodes.size();
  std::vector<std::size_t> waiting(count);
  std::vector<std::vector<std::size_t>> users(count);
  for (const PlannedEdge& e : plan.edges) {
    ++waiting[e.to_node];
    users[e.from_node].push_back(e.to_node);
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t n = 0; n < count; ++n) {
    if (waiting[n] == 0) ready.push(n);
  }
  std::vector<std::size_t> order, place(count);
  while (!ready.empty()) {
    const std::size_t n = ready.top();
    ready.pop();
    place[n] = order.size();
    order.push_back(n);
    for (const std::size_t user : users[n]) {
      if (--waiting[user] == 0) ready.push(user);
    }
  }
  if (order.size() < count) return find_cycle(plan, waiting);

  std::vector<PlannedNode> nodes;
  nodes.reserve(order.size());
  for (const std::size_t n : order) nodes.push_back(std::move(plan.nodes[n]));
  plan.nodes = std::move(nodes);
  for (PlannedEdge& e : plan.edges) e.from_node = place[e.from_node], e.to_node = place[e.to_node];
  std::stable_sort(plan.edges.begin(), plan.edges.end(), [](const PlannedEdge& a, const PlannedEdge& b) {
    return std::pair(a.to_node, a.to_port) < std::pair(b.to_node, b.to_port);
  });
  for (std::size_t* end : {&plan.input_node, &plan.output_node}) {
    if (*end != Plan::npos) *end = place[*end];
  }
  plan.chains = chains_of(plan);
  return {};
}

}  // namespace stream
