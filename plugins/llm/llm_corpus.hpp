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
        .param("times", std::int64_t{1}, "how often it is read", range(1, 1e6))
        .contract({.order = Order::kStateful})
        .about(
            "For training on texts of one's own with llm.train, which wants a longer stream than a file "
            "makes. Packets "
            "are stamped with the number of bytes before them, in nanoseconds.")
        .example("A file, twice", R"([nodes.text]
use   = "llm.corpus"
path  = "examples/lines.txt"
times = 2

[nodes.out]
use  = "bytes.write"
from = "text"
)");
  }
  explicit CorpusSource(const Params& p) : path_(p.input_path("path")), times_(p.get<std::int64_t>("times")) {
    if (path_ == "-") throw bad_recipe("path is '-': stdin cannot be read twice");
    input_.emplace(path_);
  }
  bool read(Output& out) override {
    if (round_ == times_) return false;
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
    out.emit(Packet::of<Bytes>(Time{read_}, Buffer::own(std::move(block))));
    read_ += static_cast<std::int64_t>(result.size);
    return true;
  }
  void interrupt() override {
    if (input_) input_->interrupt();
  }
  double fraction() const override {
    const double part = input_ && input_->size() > 0
                            ? static_cast<double>(input_->offset()) / static_cast<double>(input_->size())
                            : 0;
    return (static_cast<double>(round_) + part) / static_cast<double>(times_);
  }
  void save(Archive& state) const override {
    state.set("round", round_);
    state.set("read", read_);
    state.set("offset", input_ ? input_->offset() : std::uint64_t{0});
  }
  void load(const Archive& state) override {
    round_ = state.get<std::int64_t>("round");
    read_ = state.get<std::int64_t>("read");
    if (round_ < 0 || round_ > times_) throw bad_data("the saved place is in no round");
    input_.emplace(path_);
    input_->skip_to(state.get<std::uint64_t>("offset"));
  }

 private:
  std::string path_;
  std::int64_t times_;
  std::optional<InputFile> input_;
  std::int64_t round_ = 0, read_ = 0;
};

}  // namespace stream::llm
