/// A plan as a picture or as a flat recipe: what `stream graph` prints.
#pragma once

#include <string>

#include "plan/plan.hpp"

namespace stream {

/// Graphviz; a chain of several nodes is a cluster.
std::string to_dot(const Plan& plan);
/// Mermaid flowchart.
std::string to_mermaid(const Plan& plan);
/// A self-contained drawing, left to right, that needs no other program.
std::string to_svg(const Plan& plan);
/// The recipe without includes, parameters and overrides: planning it gives the same plan. Tests with
/// parameters of their own are left out, since nothing is left to set.
std::string to_toml(const Plan& plan);

/// "audio", "frames: tensor", "errors": what an edge carries, with the name of its port when it is not the
/// first.
std::string edge_label(const Plan& plan, const PlannedEdge& edge);

}  // namespace stream
