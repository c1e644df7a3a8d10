/// text.read: lines of text from a file or pipe.
#pragma once

#include "line_reader.hpp"
#include "stream/plugin.hpp"
#include "utf8.hpp"

namespace stream {

class TextRead final : public Source {
 public:
  static Spec spec() {
    return Spec{"text.read", "Read lines of UTF-8 text from a file or stdin."}
        .output<Text>("out", "one packet for each line, without its terminator")
        .path("path", "-", "file to read; - is stdin")
        .param("invalid", "error", "what to do with bytes that are not UTF-8", choices({"error", "replace"}))
        .param("keep_cr", false, "keep the carriage return of lines that end in CR LF")
        .param("max_line", std::int64_t{16} << 20, "longest line allowed", range(1, 1 << 30), unit("bytes"))
        .about(
            "Lines end with LF or CR LF; the last one may lack its terminator. A line is passed on as soon "
            "as its "
            "terminator has been read, so that a live pipe is never held up. A byte-order mark at the start "
            "is dropped. "
            "Lines are stamped with their index, from 0, in nanoseconds. Invalid UTF-8 ends the run with "
            "exit code 65 "
            "and a message that names line and byte; with `invalid = \"replace\"` every maximal invalid part "
            "becomes "
            "U+FFFD. A checkpoint records the offset of the next line: resuming seeks to it in a file, and "
            "on a pipe "
            "reads and drops the same number of bytes.")
        .contract({.order = Order::kStateful})
        .example("Copy lines",
                 "[nodes.lines]\nuse  = \"text.read\"\npath = \"-\"\n\n"
                 "[nodes.copy]\nuse  = \"text.write\"\nfrom = \"lines\"\npath = \"-\"\n");
  }

  explicit TextRead(const Params& p)
      : lines_(p.input_path("path"),
               {.max_line = p.get<std::size_t>("max_line"), .keep_cr = p.get<bool>("keep_cr")}),
        replace_(p.get<std::string>("invalid") == "replace") {}

  bool read(Output& out) override {
    if (!lines_.next(batch_)) return false;
    if (batch_.lines.empty()) return true;
    const auto& first = batch_.lines.front();
    const auto& last = batch_.lines.back();
    // One check for the whole batch: a terminator cannot lie inside a character, so all lines are valid if it
    // is.
    const bool valid =
        valid_utf8(batch_.block.text().substr(first.begin, last.begin + last.size - first.begin));
    // All payloads of a batch live in one allocation.
    const auto texts = std::make_shared<std::vector<Text>>();
    texts->reserve(batch_.lines.size());
    for (std::size_t i = 0; i < batch_.lines.size(); ++i) {
      if (valid)
        texts->emplace_back(batch_.slice(batch_.lines[i]));
      else
        texts->emplace_back(checked(i));
      out.emit(Packet{std::shared_ptr<const Payload>(texts, &texts->back()),
                      Time{static_cast<std::int64_t>(batch_.first_line + i)}});
    }
    return true;
  }

  void interrupt() override { lines_.interrupt(); }
  double fraction() const override { return lines_.fraction(); }
  void save(Archive& state) const override {
    state.set("offset", lines_.offset());
    state.set("line", lines_.line());
  }
  void load(const Archive& state) override {
    lines_.resume(state.get<std::uint64_t>("offset"), state.get<std::uint64_t>("line"));
  }

 private:
  Buffer checked(std::size_t index) const {
    const std::string_view text = batch_.text(batch_.lines[index]);
    const std::size_t good = valid_utf8_prefix(text);
    if (good == text.size()) return batch_.slice(batch_.lines[index]);
    if (replace_) return Buffer::own(replace_invalid_utf8(text));
    const std::uint64_t offset = batch_.block_offset + batch_.lines[index].begin + good;
    throw bad_data(lines_.name() + ": line " + std::to_string(batch_.first_line + index + 1) +
                   ": invalid UTF-8 at byte " + std::to_string(offset) + " (byte " +
                   std::to_string(good + 1) + " of the line)");
  }

  LineReader lines_;
  LineReader::Batch batch_;
  bool replace_;
};

}  // namespace stream
