/// llm.corpus: text files, several times over, to train on.
#pragma once

#include <optional>

#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class CorpusSource final : public Source {
 public:
  static Spec spec() {
    return Spec("llm.corpus", "Read text files one after the other, several times over.")
        .output<Bytes>("out", "the files' bytes; how they are cut into packets carries no meaning")
        .required<std::vector<std::string>>("files", "files to read, in this order")
        .param("times", std::int64_t{1}, "how often all of them are read", range(1, 1e6))
        .contract({.order = Order::kStateful})
        .about(
            "For training on texts of one's own with llm.train, which wants a longer stream than a few files "
            "make.")
        .example("A file, twice", R"([nodes.text]
use   = "llm.corpus"
files = ["examples/lines.txt"]
times = 2

[nodes.out]
use  = "bytes.write"
from = "text"
)");
  }
  explicit CorpusSource(const Params& p)
      : files_(p.get<std::vector<std::string>>("files")), times_(p.get<std::int64_t>("times")) {
    if (files_.empty()) throw bad_recipe("files is empty: there is nothing to read");
  }
  bool read(Output& out) override {
    if (file_ == static_cast<std::int64_t>(files_.size())) {
      if (read_ == 0) throw bad_data("the files are empty: there is nothing to learn from");
      file_ = 0;
      ++round_;
    }
    if (round_ == times_) return false;
    if (!input_) input_.emplace(files_[static_cast<std::size_t>(file_)]);
    std::vector<std::byte> block(64 << 10);
    const auto result = input_->read(block);
    if (result.status == InputFile::Status::kEnd) {
      input_.reset();
      ++file_;
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
    return (static_cast<double>(round_) + static_cast<double>(file_) / static_cast<double>(files_.size())) /
           static_cast<double>(times_);
  }
  void save(Archive& state) const override {
    state.set("round", round_);
    state.set("file", file_);
    state.set("read", read_);
    state.set("offset", input_ ? input_->offset() : std::uint64_t{0});
  }
  void load(const Archive& state) override {
    round_ = state.get<std::int64_t>("round");
    file_ = state.get<std::int64_t>("file");
    read_ = state.get<std::int64_t>("read");
    const auto offset = state.get<std::uint64_t>("offset");
    if (round_ < 0 || file_ < 0 || file_ > static_cast<std::int64_t>(files_.size()))
      throw bad_data("the saved place is in no file");
    if (offset == 0 || file_ == static_cast<std::int64_t>(files_.size())) return;
    input_.emplace(files_[static_cast<std::size_t>(file_)]);
    input_->skip_to(offset);
  }

 private:
  std::vector<std::string> files_;
  std::int64_t times_;
  std::optional<InputFile> input_;
  std::int64_t round_ = 0, file_ = 0, read_ = 0;
};

}  // namespace stream::llm
