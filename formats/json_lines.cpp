#include "json_lines.hpp"

#include <simdjson.h>

#include <algorithm>

namespace stream {

static_assert(LineReader::kPadding >= simdjson::SIMDJSON_PADDING);

struct JsonLines::Parser {
  simdjson::dom::parser dom;
};

JsonLines::JsonLines() : parser_(std::make_unique<Parser>()) {
  // A thread of its own per reader would look ahead into text that is not there yet.
  parser_->dom.threaded = false;
}
JsonLines::~JsonLines() = default;
JsonLines::JsonLines(JsonLines&&) noexcept = default;
JsonLines& JsonLines::operator=(JsonLines&&) noexcept = default;

std::size_t JsonLines::sound(const LineReader::Batch& batch) {
  const auto& lines = batch.lines;
  if (lines.empty()) return 0;
  const std::size_t from = lines.front().begin, size = lines.back().begin + lines.back().size - from;
  const char* text = batch.block.text().data() + from;
  // Documents may lie anywhere between blanks: several on a line, one on several. Each line is one document
  // if the documents begin where the lines that are not blank do, one for one: the rest of one that goes on
  // in the next line would be there before the next document, and so would a second on the same line.
  std::size_t line = 0;
  const auto skip_blank = [&] {
    for (; line < lines.size(); ++line) {
      const std::size_t start = first_not_blank(batch.text(lines[line]));
      if (start != std::string_view::npos) return lines[line].begin + start - from;
    }
    return size;
  };
  if (skip_blank() == size) return lines.size();
  simdjson::dom::document_stream documents;
  if (parser_->dom.parse_many(text, size, std::max<std::size_t>(size, 64)).get(documents)) return 0;
  std::size_t sound = 0;  // lines before the document that was seen last: it may still go on in the next line
  for (auto it = documents.begin(); it != documents.end(); ++it) {
    const std::size_t start = skip_blank();
    if (start == size || it.current_index() != start || text[start] != '{') return sound;
    sound = line;
    if ((*it).error()) return sound;
    ++line;
  }
  if (skip_blank() != size || documents.truncated_bytes() != 0) return sound;
  return lines.size();
}

}  // namespace stream
