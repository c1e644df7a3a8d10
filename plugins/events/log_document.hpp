/// Logs that are one document: a JSON array of objects (StatsBomb's event files), or XES (process mining).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stream/archive.hpp"
#include "stream/value.hpp"

namespace stream::events {

/// Cuts a document, which arrives line by line, into records, and holds no more than one of them.
class LogDocument {
 public:
  /// Of a record, in bytes of the document.
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20;
  struct Found {
    std::int64_t line = 0;  ///< at which it begins, from 1
    Object members;
    std::string fault, detail;  ///< what is wrong with this one, while others can be read
  };
  virtual ~LogDocument() = default;
  /// Adds the records that this line completes. Throws Error(kBadData) that says what was expected where the
  /// rest of the document cannot be read; the records before that have been added.
  virtual void take(std::string_view text, std::int64_t line, std::vector<Found>& out) = 0;
  /// The document has ended: throws Error(kBadData) where it breaks off.
  virtual void finish() = 0;
  virtual void save(Archive& state) const = 0;
  virtual void load(const Archive& state) = 0;
  virtual std::size_t bytes() const = 0;

  /// For the formats "json" and "xes"; null for those that have a record in a line.
  static std::unique_ptr<LogDocument> of_format(const std::string& format);
};

std::unique_ptr<LogDocument> make_json_array();
/// XES (IEEE 1849): an event's attributes by key, and those of its trace as "case:KEY", as process-mining
/// tools name them. Attributes of attributes, lists and what a log says of itself are passed over.
std::unique_ptr<LogDocument> make_xes();

}  // namespace stream::events
