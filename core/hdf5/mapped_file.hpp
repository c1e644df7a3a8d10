/// Files as memory: what is larger than memory is read where it lies.
#pragma once

#include <string>

#include "stream/archive.hpp"

namespace stream {

/// The whole file, for as long as the buffer or a slice of it lives, whatever happens to its name; it is
/// never written to. Empty where the system cannot map it: it has to be read, then.
Buffer map_file(const std::string& path);
/// The HDF5 part of an archive, its larger tensors mapped. Without a look at the digest.
Archive map_tree(const std::string& path);

}  // namespace stream
