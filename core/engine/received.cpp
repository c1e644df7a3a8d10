#include "engine/received.hpp"

#include <algorithm>

namespace stream {
namespace {

std::vector<std::string> sinks_of(const Plan& plan) {
  std::vector<std::string> ids;
  for (const auto& node : plan.nodes) {
    if (node.op->spec.outputs().empty()) ids.push_back(node.id);
  }
  return ids;
}

}  // namespace

Delivered received_by_node(const std::vector<RunOptions::Received>& received, const Plan& plan) {
  const std::vector<std::string> sinks = sinks_of(plan);
  Delivered resolved;
  for (const auto& [named, bytes] : received) {
    std::string node = named;
    if (node.empty() && plan.output_node != Plan::npos) node = plan.nodes[plan.output_node].id;
    if (node.empty() && sinks.size() == 1) node = sinks.front();
    if (node.empty())
      throw Error(ExitCode::kUsage,
                  "--received " + std::to_string(bytes) + ": the recipe has several outputs; say NODE=BYTES");
    if (std::find(sinks.begin(), sinks.end(), node) == sinks.end())
      throw Error(ExitCode::kUsage, "--received " + node + "=" + std::to_string(bytes) + ": no such output" +
                                        did_you_mean(node, sinks));
    resolved[node] = bytes;
  }
  return resolved;
}

void require_made(const Delivered& received, const Delivered& made) {
  for (const auto& [node, bytes] : received) {
    if (const auto found = made.find(node); found != made.end() && found->second < bytes) {
      throw bad_data("--received " + node + "=" + std::to_string(bytes) + ": the whole output has " +
                     std::to_string(found->second) + " bytes; the reader holds something else's");
    }
  }
}

}  // namespace stream
