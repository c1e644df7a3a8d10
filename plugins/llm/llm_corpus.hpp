/// llm.corpus: a text file, several times over, to train on.
#pragma once

#include <optional>

#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class CorpusSource final : public Source {
 public:
  static Spec spec() {
    return Spec("llm.corpus", "Read a file several times over.")
        .output<Bytes>("out", "the file's bytes; how they are cut into packets carries no meaning")
        .path("path", nullptr, "file to read")
        .param("times", std::int64_t{1}, "how often it is read; 0: as often as `steps` ask for",
               range(0, 1e6))
        .param("steps", std::int64_t{0}, "updates of what learns from it, where times is 0", range(0, 1e9))
        .param("bytes_per_step", std::int64_t{4096}, "that each update takes", range(1, 1e9), unit("bytes"))
        .param("bytes_first", std::int64_t{0}, "that are taken before the first one", range(0, 1e12),
               unit("bytes"))
        .contract({.order = Order::kStateful})
        .about(
            "For training on texts of one's own with llm.train, which wants a longer stream than a file "
            "makes. With times = 0 it is read until all updates have had their bytes; the last pass is cut "
            "short "
            "there. "
            "Packets are stamped with the number of bytes before them, in nanoseconds.")
        .example("A file, twice", R"([nodes.text]
use   = "llm.corpus"
path  = "examples/lines.txt"
times = 2

[nodes.out]
use  = "bytes.write"
from = "text"
)");
  }
  explicit CorpusSource(const Params& p)
      : path_(p.input_path("path")),
        times_(p.get<std::int64_t>("times")),
        wanted_(p.get<std::int64_t>("steps") * p.get<std::int64_t>("bytes_per_step") +
                p.get<std::int64_t>("bytes_first")) {
    if (times_ == 0 && p.get<std::int64_t>("steps") == 0)
      throw bad_recipe("times and steps are both 0: one of them must say how much is read");
    if (path_ == "-") throw bad_recipe("path is '-': stdin cannot be read twice");
    input_.emplace(path_);
  }
  bool read(Output& out) override {
    if (times_ == 0 ? read_ >= wanted_ : round_ == times_) return false;
    if (!input_) input_.emplace(path_);
    std::vector<std::byte> block(64 << 10);
    const auto result = input_->read(block);
    if (result.status == InputFile::Status::kEnd) {
      if (read_ == 0) throw bad_data(path_ + " is empty: there is nothing to learn from");
      input_.reset();
      ++round_;
      return true;
    }
    if (result.size == 0) return true;
    block.resize(result.size);
    if (times_ == 0 && read_ + static_cast<std::int64_t>(block.size()) > wanted_)
      block.resize(static_cast<std::size_t>(wanted_ - read_));
    out.emit(Packet::of<Bytes>(Time{read_}, Buffer::own(std::move(block))));
    read_ += static_cast<std::int64_t>(result.size);
    return true;
  }
  void interrupt() override {
    if (input_) input_->interrupt();
  }
  double fraction() const override {
    if (times_ == 0) return static_cast<double>(read_) / static_cast<double>(wanted_);
    const double part = input_ && input_->size() > 0
                            ? static_cast<double>(input_->offset()) / static_cast<double>(input_->size())
                            : 0;
    return (static_cast<double>(round_) + part) / static_cast<double>(times_);
  }
  std::string progress() const override { return "pass " + std::to_string(round_ + 1); }
  void save(Archive& state) const override {
    state.set("round", round_);
    state.set("read", read_);
    state.set("offset", input_ ? input_->offset() : std::uint64_t{0});
  }
  void load(const Archive& state) override {
    round_ = state.get<std::int64_t>("round");
    read_ = state.get<std::int64_t>("read");
    if (round_ < 0 || read_ < 0 || (times_ > 0 && round_ > times_))
      throw bad_data("the saved place is in no round");
    input_.emplace(path_);
    input_->skip_to(state.get<std::uint64_t>("offset"));
  }

 private:
  std::string path_;
  std::int64_t times_, wanted_;
  std::optional<InputFile> input_;
  std::int64_t round_ = 0, read_ = 0;
};

}  // namespace stream::llm
