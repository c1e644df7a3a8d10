/// Cuts a file or pipe into lines without copying them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream {

/// A line ends with "\n" or "\r\n", or with the end of the input. A byte-order mark at the start of the input
/// is no part of the first line.
class LineReader {
 public:
  struct Options {
    std::size_t max_line = 16u << 20;  ///< bytes; a longer line is an error, so that memory stays bounded
    bool keep_cr = false;              ///< keep the "\r" of "\r\n" as part of the line
  };
  /// So many bytes after a block's last may be read, as vectorised parsers do; what they hold means nothing.
  static constexpr std::size_t kPadding = 64;
  /// Where a line lies in the batch's block, terminator left out.
  struct Line {
    std::size_t begin, size;
  };
  /// Complete lines that one read brought. Lines share the block's memory; each lies in it unchanged for
  /// ever.
  struct Batch {
    Buffer block;
    std::vector<Line> lines;
    std::uint64_t first_line = 0;    ///< index of lines[0], from 0
    std::uint64_t block_offset = 0;  ///< of the block's first byte in the input
    std::string_view text(const Line& line) const { return block.text().substr(line.begin, line.size); }
    Buffer slice(const Line& line) const { return block.slice(line.begin, line.size); }
    /// "words.txt: line 3 (byte 120)": for messages.
    std::string where(const std::string& input, std::size_t index) const;
  };

  LineReader(std::string path, Options options) : input_(std::move(path)), options_(options) {}

  /// Fills `batch` with the lines that have become complete: at least one, unless the reader was interrupted.
  /// Does not wait for more than the first. False when the input has ended and nothing is left. Throws
  /// Error(kBadData) for a line that is too long, after every line before it has been delivered.
  bool next(Batch& batch);

  /// Position after the lines delivered so far.
  std::uint64_t offset() const { return offset_; }
  std::uint64_t line() const { return line_; }
  /// Continues at a position that another reader of the same input had.
  void resume(std::uint64_t offset, std::uint64_t line);
  void interrupt() { input_.interrupt(); }
  double fraction() const;
  const std::string& name() const { return input_.name(); }

 private:
  void make_room();
  void split(std::size_t from, Batch& batch);
  void add(std::size_t begin, std::size_t end, std::size_t next, Batch& batch);

  InputFile input_;
  Options options_;
  std::shared_ptr<std::byte[]> block_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0, filled_ = 0;  ///< bytes [begin_, filled_) of the block are not delivered yet
  std::uint64_t offset_ = 0, line_ = 0;
  bool ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace stream
