/// Dictionaries as HDF5 files.
#pragma once

#include <string>

#include "signals/sparse_code.hpp"

namespace stream::signals {

/// Groups "model" (architecture, vectors learnt) and "weights" (dictionary [n + 1, n], the last row the
/// mean).
void write_dictionary(const std::string& path, const Codebook& book, std::int64_t vectors);
/// Throws Error(kNoInput) or Error(kBadData) that names the file.
Codebook read_dictionary(const std::string& path);

}  // namespace stream::signals
