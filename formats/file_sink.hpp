/// What every sink that appends to one file or pipe has in common: the position that a checkpoint takes back.
#pragma once

#include "prompt_output.hpp"
#include "stream/delivery.hpp"
#include "stream/operator.hpp"

namespace stream {

class FileSink : public Sink, public Delivery {
 public:
  explicit FileSink(std::string path) : file_(std::move(path)) {}
  void flush() override { file_.flush(); }
  void sync() override { file_.sync(); }
  void save(Archive& state) const override { state.set("offset", file_.offset()); }
  void load(const Archive& state) override { file_.resume_at(state.get<std::uint64_t>("offset")); }
  std::optional<std::uint64_t> delivered() const override {
    return file_.irrevocable() ? std::optional(file_.offset()) : std::nullopt;
  }
  void skip_delivered(std::uint64_t bytes) override { file_.skip_delivered(bytes); }

 protected:
  void write(std::string_view item, std::string_view terminator = {}) { file_.write(item, terminator); }

 private:
  PromptOutput file_;
};

/// For the descriptions of such sinks.
inline constexpr const char* kFileSinkAbout =
    "A file is created, or emptied, when the first output is written. Output appears soon: an item after a "
    "pause at once, the rest of a burst within 2 ms on a terminal or pipe and within half a second in a "
    "file. "
    "Resuming from a checkpoint cuts a file back to what the checkpoint covers, so that nothing is there "
    "twice. What went into a pipe cannot be taken back: it is repeated from the checkpoint on, the same "
    "bytes, unless `--received` says how many of them the reader has. See delivery(7).";

}  // namespace stream
