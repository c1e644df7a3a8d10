/// llm.tokens: packed token ids, as pre-training programs keep them, to train or to probe with.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>

#include "llm/packed_tokens.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class TokenSource final : public Source {
 public:
  static Spec spec() {
    return Spec("llm.tokens", "Read token ids that a pre-training program has packed into binary files.")
        .output<Tensor>("out", "[n] of int32: at most `length` ids that follow each other in a file")
        .path("path", nullptr, "file, '-' for stdin, or a folder, of which all .bin files are read by name")
        .param("length", std::int64_t{4096}, "ids of a tensor; the last of a file may have fewer",
               range(1, 1 << 16), unit("tokens"))
        .param("times", std::int64_t{1}, "how often all is read; 0: until there are `tokens`", range(0, 1e6))
        .param("tokens", std::int64_t{0}, "ids in all, after which the stream ends; 0: no limit",
               range(0, 1e15), unit("tokens"))
        .contract({.order = Order::kStateful})
        .about(
            "The files are those of lit-gpt's and TinyLlama's PackedDataset: 24 bytes of header (LITPKDS, "
            "version, "
            "kind of an id, number of ids), then ids, documents one after the other. Ids of uint8, int8, "
            "int16, "
            "uint16, int32 and int64 are read. "
            "Tensors are stamped with the number of ids before them, in nanoseconds.")
        .example("Ids, twice", R"([nodes.ids]
use   = "llm.tokens"
path  = "examples/pairs.bin"
times = 2

[nodes.out]
use  = "discard"
from = "ids"
)")
        .example("A model that learns from them", R"(title = "Training on packed ids"
[nodes.ids]
use   = "llm.tokens"
path  = "examples/pairs.bin"
times = 20
[nodes.train]
use             = "llm.train"
from            = "ids"
model           = "ids.h5"
vocabulary      = 31
begin_token     = false
length          = 8
batch           = 2
steps           = 2
tokens_per_step = 200
schedule        = "flat"
[nodes.log]
use  = "jsonl.write"
from = "train"
)");
  }
  explicit TokenSource(const Params& p)
      : path_(p.input_path("path")),
        length_(p.get<std::int64_t>("length")),
        times_(p.get<std::int64_t>("times")),
        wanted_(p.get<std::int64_t>("tokens")) {
    if (times_ == 0 && wanted_ == 0)
      throw bad_recipe("times and tokens are both 0: one of them must say how much is read");
    if (path_ == "-" && times_ != 1) throw bad_recipe("path is '-': stdin is read once, expected times = 1");
    namespace fs = std::filesystem;
    if (path_ != "-" && fs::is_directory(path_)) {
      for (const auto& entry : fs::directory_iterator(path_))
        if (entry.path().extension() == ".bin") files_.push_back(entry.path().string());
      if (files_.empty()) throw no_input(path_ + ": a folder without .bin files");
      std::sort(files_.begin(), files_.end());
    } else {
      files_.push_back(path_);
    }
    file_.emplace(files_.front());
  }
  bool read(Output& out) override {
    if (wanted_ > 0 && read_ >= wanted_) return false;
    if (!file_) {
      if (times_ > 0 && round_ == times_) return false;
      file_.emplace(files_[static_cast<std::size_t>(index_)]);
    }
    while (static_cast<std::int64_t>(block_.size()) < block_size()) {
      const auto ids = file_->read(block_size() - static_cast<std::int64_t>(block_.size()));
      if (ids.empty() && !file_->ended()) return true;  // interrupted
      if (ids.empty()) break;
      block_.insert(block_.end(), ids.begin(), ids.end());
    }
    if (!block_.empty()) {
      const auto n = static_cast<std::int64_t>(block_.size());
      out.emit(Packet::of<Tensor>(Time{read_}, Tensor::of(std::move(block_), {n})));
      block_.clear();
      read_ += n;
    }
    if (file_->ended()) next_file();
    return true;
  }
  void interrupt() override {
    if (file_) file_->interrupt();
  }
  double fraction() const override {
    if (wanted_ > 0 && times_ == 0) return static_cast<double>(read_) / static_cast<double>(wanted_);
    const double part = file_ && file_->size() > 0
                            ? static_cast<double>(file_->at()) / static_cast<double>(file_->size())
                            : 0;
    return (static_cast<double>(round_) +
            (static_cast<double>(index_) + part) / static_cast<double>(files_.size())) /
           static_cast<double>(times_);
  }
  std::string progress() const override {
    return "pass " + std::to_string(round_ + 1) + ", file " + std::to_string(index_ + 1) + " of " +
           std::to_string(files_.size());
  }
  void save(Archive& state) const override {
    state.set("round", round_);
    state.set("read", read_);
    state.set("index", index_);
    state.set("name", name_of_file());
    state.set("at", file_ ? file_->at() - block_.size() : std::uint64_t{0});
  }
  void load(const Archive& state) override {
    round_ = state.get<std::int64_t>("round");
    read_ = state.get<std::int64_t>("read");
    index_ = state.get<std::int64_t>("index");
    if (round_ < 0 || read_ < 0 || index_ < 0 || index_ >= static_cast<std::int64_t>(files_.size()) ||
        (times_ > 0 && round_ > times_))
      throw bad_data("the saved place is in no round or file");
    if (const auto name = state.get<std::string>("name"); name != name_of_file())
      throw bad_data("file " + std::to_string(index_ + 1) + " of " + path_ + " was '" + name +
                     "', and is now '" + name_of_file() + "'");
    file_.reset();
    block_.clear();
    if (times_ > 0 && round_ == times_) return;
    file_.emplace(files_[static_cast<std::size_t>(index_)]);
    file_->skip_to(state.get<std::uint64_t>("at"));
  }

 private:
  std::string name_of_file() const {
    return std::filesystem::path(files_[static_cast<std::size_t>(index_)]).filename().string();
  }
  /// Ids of the next tensor, the limit considered.
  std::int64_t block_size() const { return wanted_ > 0 ? std::min(length_, wanted_ - read_) : length_; }
  void next_file() {
    const bool empty = file_->size() == 0;
    file_.reset();
    if (++index_ < static_cast<std::int64_t>(files_.size())) return;
    index_ = 0;
    ++round_;
    if (read_ == 0 && empty) throw bad_data(path_ + " holds no ids: there is nothing to read");
  }

  std::string path_;
  std::int64_t length_, times_, wanted_;
  std::vector<std::string> files_;
  std::optional<PackedTokens> file_;
  std::vector<std::int32_t> block_;  ///< of the next tensor, while the input makes it wait
  std::int64_t round_ = 0, read_ = 0, index_ = 0;
};

}  // namespace stream::llm
