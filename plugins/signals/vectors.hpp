/// Vectors as packets carry them.
#pragma once

#include <vector>

#include "signals/sparse_code.hpp"
#include "stream/packet.hpp"
#include "stream/value.hpp"

namespace stream::signals {

/// A tensor [n] of float32 or float64 as n doubles; throws Error(kBadData) for another shape or type.
std::vector<double> vector_of(const Packet& packet, std::size_t n);
/// {"version", "indices", "values"} and back; `of` throws Error(kBadData) for indices that are not ascending
/// and below n, values that are not finite, and lists of different length.
Object code_record(const SparseCode& code, std::int64_t version);
SparseCode code_of(const Record& record, std::size_t n);

}  // namespace stream::signals
