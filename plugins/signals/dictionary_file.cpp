#include "signals/dictionary_file.hpp"

#include "hdf5/archive_file.hpp"
#include "stream/error.hpp"

namespace stream::signals {

namespace {
constexpr const char* kArchitecture = "orthogonal-dictionary";
}

void write_dictionary(const std::string& path, const Codebook& book, std::int64_t vectors) {
  Archive archive;
  archive.group("model").set("architecture", kArchitecture);
  archive.group("model").set("vectors", vectors);
  archive.group("weights").set("dictionary", book.tensor());
  write_archive(path, archive);
}

Codebook read_dictionary(const std::string& path) {
  const Archive archive = read_archive(path);
  if (!archive.has("model") || archive.group("model").get<std::string>("architecture") != kArchitecture)
    throw bad_data(path + ": not a dictionary of signals.dictionary");
  try {
    return Codebook::of(archive.group("weights").tensor("dictionary"));
  } catch (const Error& e) {
    throw e.within(path);
  }
}

}  // namespace stream::signals
