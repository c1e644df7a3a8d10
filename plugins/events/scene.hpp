/// Scene graphs: who is there at a step, in which state, and how they are related.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "events/event_gate.hpp"
#include "stream/archive.hpp"
#include "stream/payload.hpp"

namespace stream::events {

/// Of a step: what one line may ask of memory and time.
inline constexpr std::size_t kMostNodes = 4096, kMostEdges = 65536;

struct SceneNode {
  std::string id;
  std::int32_t type = 0;  ///< index into the vocabulary
  std::vector<float> x;
};

struct SceneEdge {
  std::int32_t src, dst;  ///< indices of nodes
  std::int32_t relation;  ///< index into the vocabulary
};

/// One step of one stream.
struct Scene {
  double time = 0;  ///< seconds
  std::vector<SceneNode> nodes;
  std::vector<SceneEdge> edges;
};

/// What scenes are made of: the names of types and relations, and how many numbers a node has.
struct SceneVocabulary {
  std::vector<std::string> types, relations;
  std::int64_t features = 0;

  /// {"nodes": [{"id", "type", "x": [numbers]}], "edges": [{"src", "dst", "rel"}]}. Throws EventFault
  /// "missing", "type", "unknown-type", "unknown-relation", "duplicate-id", "unknown-id", "features" or
  /// "too-many" that names the node or edge. An id is a string or an integer, and of one kind within a step:
  /// "id-kind".
  Scene scene(const Object& record, double time) const;
  /// The types, relations and number of features that a scene's record shows are added to this.
  void learn(const Object& record);
  void save(Archive& group) const;
  /// Throws Error(kBadData).
  static SceneVocabulary load(const Archive& group);
};

/// The inverse of SceneVocabulary::scene: members "t", "nodes" and "edges".
Object record_of(const Scene& scene, const SceneVocabulary& vocabulary);

}  // namespace stream::events
