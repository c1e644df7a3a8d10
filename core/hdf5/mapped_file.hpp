/// Files as memory: what is larger than memory is read where it lies.
#pragma once

#include <string>

#include "stream/archive.hpp"

namespace stream {

/// The whole file, for as long as the buffer or a slice of it lives, whatever happens to its name; it is
/// never written to. Empty where the system cannot map it: it has to be read, then.
Buffer map_file(const std::string& path);
/// The HDF5 part of an archive. Its larger tensors are slices of `mapped`, the same file whole, or are read
/// when that is empty. Without a look at the digest.
Archive read_tree(const std::string& path, const Buffer& mapped);
/// Memory that holds parts of a mapped file goes back to the system, and is filled again from the file when
/// it is looked at. What was written into it is gone: for files that nobody changes in place.
void let_go(const Buffer& mapped);

}  // namespace stream
