/// Products in files: tables of pages and clips, and the text files of the ROPE data set.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>

#include "line_reader.hpp"
#include "products/product_set.hpp"
#include "stream/archive.hpp"

namespace stream::products {

/// What is wrong with a line, or with the file that it names.
struct RowFault {
  std::string file;
  std::int64_t line;   ///< from 1
  std::string fault;   ///< what it is counted under: "missing-image", "duplicate-id", ...
  std::string detail;  ///< the id, or the file's name and the reason
};

/// Faults by kind, and the first few in full.
class FaultCount {
 public:
  void add(const RowFault& fault);
  std::int64_t total() const { return total_; }
  const std::map<std::string, std::int64_t>& counts() const { return counts_; }
  /// "3 missing-image, 1 duplicate-id (the first: pages.csv, line 4: ...)", or empty.
  std::string summary() const;
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  std::map<std::string, std::int64_t> counts_;
  std::int64_t total_ = 0;
  std::string first_;
};

/// Rows of a table: JSON lines, or CSV whose first line names the columns (told by the first character).
class TableReader {
 public:
  /// `columns`: those that are read; the first `required` of them must be there. Throws Error(kNoInput).
  TableReader(std::string path, std::vector<std::string> columns, std::size_t required);
  struct Row {
    std::int64_t line = 0;
    std::vector<std::string> fields;  ///< by columns; empty where there is none
    bool number_id = false;           ///< the first column was a number of JSON
  };
  /// The rows that have become complete; what is wrong goes to `faults`. False at the end. Throws
  /// Error(kBadData) when a CSV file's first line lacks a column.
  bool next(std::vector<Row>& rows, std::vector<RowFault>& faults);
  void interrupt() { lines_.interrupt(); }
  double fraction() const { return lines_.fraction(); }
  const std::string& name() const { return lines_.name(); }
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  std::optional<Row> row_of(std::string_view text, std::int64_t line, std::vector<RowFault>& faults);
  std::vector<std::string> columns_;
  std::size_t required_;
  LineReader lines_;
  LineReader::Batch batch_;
  bool begun_ = false, json_ = false;
  std::vector<std::int64_t> places_;  ///< of each column in a line of CSV, or -1
  std::size_t width_ = 0;             ///< fields of the first line
};

/// Refuses ids that are there already, empty, or of another kind than the first (numbers among strings).
class IdGate {
 public:
  /// The fault's name, or null when the id is welcome and now taken.
  const char* take(const std::string& id, bool number);
  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t bytes() const { return bytes_; }

 private:
  std::unordered_set<std::string> taken_;
  std::optional<bool> numbers_;
  std::size_t bytes_ = 0;
};

/// A file's name in a table: as it is when absolute, else in `folder`, else beside the table.
std::string beside(const std::string& table, const std::string& folder, const std::string& name);

/// Pages {"id", "title", "image"} and clips {"id": of the product, "domain": "video" or "live", "path",
/// "text"}: products with all pictures in memory, `size` x `size`. Several pages of one product have the same
/// id. Faults: those of TableReader, "id-kind", "missing-image", "unreadable-picture", "empty-title",
/// "domain", "unknown-id", "missing-video", "unreadable-video", "empty-text", "frame-size".
ProductSet read_tables(const std::string& pages, const std::string& clips, const std::string& folder,
                       int size, FaultCount& faults);

/// The ROPE data set's text files in one folder, comma separated and without a header, with `part`
/// ("training", "test") in front: _product_pages_pair.txt, _product_videos_pair.txt, _product_lives_pair.txt
/// (product, page, video or live stream); _page_titles.txt, _video_asrs.txt, _live_asrs.txt (id, text to the
/// end of the line); _page_images.txt (page, image); _video_frames.txt (video, frame number, image),
/// _live_clips.txt (live stream, milliseconds, image). Images are looked for in `images` by the last part of
/// their address. Faults: "fields", "number", "negative-time", "time-order", "duplicate-id", "unknown-id",
/// "empty-text", "missing-image", "unreadable-picture".
ProductSet read_rope(const std::string& folder, const std::string& part, const std::string& images, int size,
                     FaultCount& faults);

}  // namespace stream::products
