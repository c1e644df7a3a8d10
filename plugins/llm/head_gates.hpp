/// Which heads need the whole context: DuoAttention's gates, and the files that they are published in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stream/value.hpp"

namespace stream::llm {

/// One gate for each kv head of each layer: 1, a retrieval head, to 0.
struct HeadGates {
  std::vector<std::vector<double>> layers;

  /// Which heads keep everything: those whose gate is at least the `sparsity` quantile of all. 0: all; 1:
  /// none. Equal gates are parted by a little noise, drawn from `seed`, as the released code does it.
  std::vector<std::vector<bool>> full(double sparsity, std::uint64_t seed) const;
};

/// One line for each layer, a number for each kv head, separated by tabs: the format of the published tables
/// (full_attention_heads.tsv). Throws Error(kNoInput), or Error(kBadData) with file and line for what is no
/// such table.
HeadGates read_gates(const std::string& path);
/// Throws Error(kCannotWrite).
void write_gates(const std::string& path, const HeadGates& gates);

struct HeadTable {
  HeadGates gates;
  std::optional<std::int64_t> sinks, recent;  ///< of config.json: what the gates were found with
};
/// A table by itself, or a folder as they are published: full_attention_heads.tsv, and config.json with
/// "sink_size" and "recent_size". Throws what read_gates throws.
HeadTable read_head_table(const std::string& path);
/// Writes such a folder, which need not be there. Throws Error(kCannotWrite).
void write_head_table(const std::string& folder, const HeadGates& gates, const Object& config);

}  // namespace stream::llm
