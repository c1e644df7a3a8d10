#include "events/log_document.hpp"

namespace stream::events {

std::unique_ptr<LogDocument> LogDocument::of_format(const std::string& format) {
  if (format == "json") return make_json_array();
  if (format == "xes") return make_xes();
  return nullptr;
}

}  // namespace stream::events
