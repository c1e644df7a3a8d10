/// What the fuzzers and their regression test do with some bytes: read them to the end. Anything but success
/// or an Error that blames the input is a defect.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace stream::fuzz {

using Bytes = std::span<const std::uint8_t>;

struct Target {
  const char* name;  ///< also the folder of its corpus
  void (*run)(Bytes);
};

void run_text(Bytes);
void run_jsonl(Bytes);
void run_raw(Bytes);
void run_wav(Bytes);
void run_flac(Bytes);
void run_ogg(Bytes);
void run_yuv(Bytes);
void run_superres(Bytes);
void run_recipe(Bytes);
void run_manifest(Bytes);
void run_checkpoint(Bytes);
void run_archive(Bytes);
void run_safetensors(Bytes);
void run_npz(Bytes);
void run_torch(Bytes);
void run_npy(Bytes);
void run_tokenizer(Bytes);
void run_sentencepiece(Bytes);
void run_huggingface(Bytes);
void run_packed(Bytes);
void run_model(Bytes);
void run_eventlog(Bytes);

inline constexpr Target kTargets[] = {
    {"text", run_text},
    {"jsonl", run_jsonl},
    {"raw", run_raw},
    {"wav", run_wav},
    {"flac", run_flac},
    {"ogg", run_ogg},
    {"yuv", run_yuv},
    {"superres", run_superres},
    {"recipe", run_recipe},
    {"manifest", run_manifest},
    {"checkpoint", run_checkpoint},
    {"archive", run_archive},
    {"safetensors", run_safetensors},
    {"npz", run_npz},
    {"torch", run_torch},
    {"npy", run_npy},
    {"tokenizer", run_tokenizer},
    {"sentencepiece", run_sentencepiece},
    {"huggingface", run_huggingface},
    {"packed", run_packed},
    {"model", run_model},
    {"eventlog", run_eventlog},
};

/// Bytes that can be opened by a path and never touch a disk.
class MemoryFile {
 public:
  explicit MemoryFile(Bytes bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace stream::fuzz
