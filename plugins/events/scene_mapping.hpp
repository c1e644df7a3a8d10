/// How logs of other shapes become scenes: one line for each node (tracking data, CSV), or one for each step
/// with lists of its own (annotations of frames, dumps of simulators).
#pragma once

#include "events/scene.hpp"

namespace stream::events {

struct SceneMapping {
  /// Where a node's members are: in each row, or in each entry of a list of the step.
  struct Nodes {
    std::string list;  ///< path to the list (or the one entry) in a step; ".": the step itself; empty: a row
    std::string id, type;               ///< paths in the entry; an id that is empty: the number in the list
    std::string as;                     ///< type of all of them, where `type` is empty
    std::string prefix;                 ///< before ids, so that two lists do not share them
    std::vector<std::string> features;  ///< paths to numbers; empty: the entry is a list of numbers
    bool optional = false;              ///< a step may lack the list
  };
  /// Edges that a step lists: paths in the entries of `list`.
  struct Edges {
    std::string list, src = "src", dst = "dst", relation = "rel", as;
    /// In place of src and dst, path to a text with the ids of several: "(A,B),(1,2)" is four edges, from
    /// each of the first to each of the second; "A,B" one from each to itself.
    std::string groups;
    bool optional = false;  ///< with the list ".": a step may lack one of the two
  };
  /// Edges by distance: from each node to the `count` nearest, or to all within `radius`.
  struct Near {
    std::string name;
    std::vector<std::string> from, to;     ///< types; empty: all
    std::vector<std::int64_t> over{0, 1};  ///< features that are coordinates
    std::int64_t count = 0;
    double radius = 0;
  };
  std::vector<Nodes> nodes;
  std::vector<Edges> edges;
  std::vector<Near> near;
  bool rows = false;  ///< one line for each node; lines of one time are a step

  /// From a JSON file. Rows: {"id", "type" or "as", "features": [paths], "near": [...]}; steps: {"nodes":
  /// [{"list", "id", "type" or "as", "prefix", "features", "optional"}], "edges": [{"list", "src" and "dst"
  /// or "groups", "relation" or "as", "optional"}], "near": [{"name", "from", "to", "over", "count" or
  /// "radius"}]}. Throws Error(kNoInput), Error(kBadData) that names the file and the member.
  static SceneMapping read(const std::string& path);

  /// A node of this record; throws EventFault.
  Object node(const Nodes& from, const Value& entry, std::size_t number) const;
  /// "nodes" and "edges" of a record that is a step; throws EventFault.
  Object step(const Object& record) const;
  /// The edges by distance among these nodes.
  void add_near(const Array& nodes, Array& edges) const;
};

}  // namespace stream::events
