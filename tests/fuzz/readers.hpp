/// What the fuzzers and their regression test do with some bytes: read them to the end. Anything but success
/// or Error(kBadData) is a defect.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "audio_read.hpp"
#include "jsonl_read.hpp"
#include "stream/testing.hpp"
#include "text_read.hpp"

namespace stream::fuzz {

/// Bytes that can be opened by a path and never touch a disk.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (fd_ < 0 || ::write(fd_, data, size) != static_cast<ssize_t>(size)) throw std::runtime_error("memfd");
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

/// Counts and forgets, so that long output needs no memory.
class Drop final : public Output {
 public:
  bool unused(std::size_t) const override { return false; }

 protected:
  void put(std::size_t, Packet&& packet) override {
    if (packet.time < newest_) throw std::logic_error("time goes back");
    newest_ = packet.time;
  }
  void mark(std::size_t, Time) override {}

 private:
  Time newest_ = kTimeMin;
};

template <typename Reader>
void read_all(const std::uint8_t* data, std::size_t size, Object params) {
  const MemoryFile file(data, size);
  params.set("path", file.path());
  Drop out;
  try {
    const auto op = testing::make<Reader>(params);
    auto& source = dynamic_cast<Source&>(*op);
    while (source.read(out)) {
    }
  } catch (const Error& e) {
    if (e.code() != ExitCode::kBadData) throw;
  }
}

using Target = void (*)(const std::uint8_t*, std::size_t);
inline constexpr struct {
  const char* name;
  Target run;
} kTargets[] = {
    {"text",
     [](const std::uint8_t* data, std::size_t size) {
       read_all<TextRead>(data, size, {{"max_line", 1000}});
       read_all<TextRead>(data, size, {{"invalid", "replace"}});
     }},
    {"jsonl",
     [](const std::uint8_t* data, std::size_t size) {
       read_all<JsonlRead>(data, size, {});
       read_all<JsonlRead>(data, size, {{"time", "t"}, {"key", "k"}});
     }},
    {"raw",
     [](const std::uint8_t* data, std::size_t size) {
       read_all<AudioRead>(
           data, size, {{"format", "raw"}, {"raw_channels", 3}, {"raw_encoding", "f32le"}, {"rate", 11025}});
     }},
    {"wav",
     [](const std::uint8_t* data, std::size_t size) {
       read_all<AudioRead>(data, size, {{"format", "wav"}});
     }},
    {"flac",
     [](const std::uint8_t* data, std::size_t size) {
       read_all<AudioRead>(data, size, {{"format", "flac"}});
     }},
    {"ogg",
     [](const std::uint8_t* data, std::size_t size) {
       read_all<AudioRead>(data, size, {{"format", "ogg"}});
     }},
};

}  // namespace stream::fuzz
