#include "line_reader.hpp"

#include <algorithm>
#include <cstring>

namespace stream {
namespace {

/// What one line that somebody keeps holds in memory at most, beyond long lines: small enough that a thousand
/// lines in flight, each from another block, stay within the graph's budget; large enough that a read costs
/// nothing for a line.
constexpr std::size_t kBlock = std::size_t{64} << 10;
/// A block with less room than this is replaced rather than filled to the brim by tiny reads.
constexpr std::size_t kLeastRoom = std::size_t{4} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::string LineReader::Batch::where(const std::string& input, std::size_t index) const {
  return input + ": line " + std::to_string(first_line + index + 1) + " (byte " +
         std::to_string(block_offset + lines[index].begin) + ")";
}

bool LineReader::next(Batch& batch) {
  batch.lines.clear();
  batch.first_line = line_;
  if (failure_) throw *failure_;
  while (batch.lines.empty()) {
    if (ended_) return false;
    make_room();
    const auto result = input_.read({block_.get() + filled_, capacity_ - filled_});
    if (result.status == InputFile::Status::kInterrupted) return true;
    const std::size_t fresh = filled_;
    filled_ += result.size;
    ended_ = result.status == InputFile::Status::kEnd;
    batch.block_offset = offset_ - begin_;
    split(fresh, batch);
    if (failure_ && batch.lines.empty()) throw *failure_;
    batch.block = Buffer(block_, block_.get(), filled_);
  }
  return true;
}

/// Leaves room to read into; bytes that were delivered are never moved or written again.
void LineReader::make_room() {
  if (block_ && capacity_ - filled_ >= kLeastRoom) return;
  const std::size_t rest = filled_ - begin_;
  const std::size_t wanted = std::max(kBlock, 2 * rest);
  auto block = std::make_shared_for_overwrite<std::byte[]>(wanted + kPadding);
  if (rest > 0) std::memcpy(block.get(), block_.get() + begin_, rest);
  block_ = std::move(block);
  capacity_ = wanted;
  begin_ = 0;
  filled_ = rest;
}

/// Adds the lines that end in [from, filled_), and the unterminated last one when the input has ended.
void LineReader::split(std::size_t from, Batch& batch) {
  const char* data = reinterpret_cast<const char*>(block_.get());
  while (!failure_) {
    const void* hit = std::memchr(data + from, '\n', filled_ - from);
    if (!hit) break;
    const std::size_t end = static_cast<std::size_t>(static_cast<const char*>(hit) - data);
    add(begin_, end, end + 1, batch);
    from = end + 1;
  }
  if (!failure_ && ended_ && begin_ < filled_) add(begin_, filled_, filled_, batch);
  // One byte more than allowed, for a "\r" that may turn out to belong to the terminator.
  if (!failure_ && filled_ - begin_ > options_.max_line + 1) add(begin_, filled_, filled_, batch);
}

void LineReader::add(std::size_t begin, std::size_t end, std::size_t next, Batch& batch) {
  const char* data = reinterpret_cast<const char*>(block_.get());
  const bool terminated = next > end;
  if (terminated && !options_.keep_cr && end > begin && data[end - 1] == '\r') --end;
  if (end - begin > options_.max_line) {
    failure_ = bad_data(name() + ": line " + std::to_string(line_ + 1) + " (byte " + std::to_string(offset_) +
                        ") is longer than max_line = " + std::to_string(options_.max_line) + " bytes");
    return;
  }
  if (offset_ == 0 && std::string_view(data + begin, end - begin).starts_with(kByteOrderMark)) {
    begin += kByteOrderMark.size();
  }
  batch.lines.push_back({begin, end - begin});
  offset_ += next - begin_;
  begin_ = next;
  ++line_;
}

void LineReader::resume(std::uint64_t offset, std::uint64_t line) {
  input_.skip_to(offset);
  offset_ = offset;
  line_ = line;
}

double LineReader::fraction() const {
  return input_.size() > 0 ? static_cast<double>(offset_) / static_cast<double>(input_.size()) : -1;
}

}  // namespace stream
