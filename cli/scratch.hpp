/// A folder for files of one command, gone with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "stream/error.hpp"

namespace stream::cli {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stream-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw cannot_write(pattern + ": a temporary folder cannot be made");
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace stream::cli
