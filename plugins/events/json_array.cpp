#include "events/log_document.hpp"
#include "stream/error.hpp"

namespace stream::events {

namespace {

class JsonArray final : public LogDocument {
 public:
  void take(std::string_view text, std::int64_t line, std::vector<Found>& out) override {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const bool blank = c == ' ' || c == '\t' || c == '\r';
      const auto here = [&] { return "line " + std::to_string(line) + ", column " + std::to_string(i + 1); };
      if (place_ == Place::kValue) {
        value(c, line, out);
      } else if (blank) {
        continue;
      } else if (place_ == Place::kBefore) {
        if (c != '[') throw bad_data(here() + ": expected '[': a JSON array of events");
        place_ = Place::kFirst;
      } else if (place_ == Place::kAfter) {
        throw bad_data(here() + ": there is more after the array's end");
      } else if (c == ']' && place_ != Place::kNext) {
        place_ = Place::kAfter;
      } else if (place_ == Place::kComma) {
        if (c != ',') throw bad_data(here() + ": expected ',' or ']' after an event");
        place_ = Place::kNext;
      } else {
        if (c == ',' || c == ']') throw bad_data(here() + ": expected an event");
        place_ = Place::kValue, begin_ = line, depth_ = 0, quoted_ = escaped_ = false;
        value(c, line, out);
      }
      if (pending_.size() > kMostBytes)
        throw bad_data("line " + std::to_string(begin_) + ": an event is longer than 16 MiB");
    }
    if (place_ != Place::kValue) return;
    if (quoted_ || depth_ > 0)
      pending_ += '\n';
    else
      complete(out);  // a bare number or word ends with its line
  }

  void finish() override {
    if (place_ == Place::kAfter) return;
    throw bad_data(place_ == Place::kBefore ? "the document is empty: expected a JSON array of events"
                   : place_ == Place::kValue
                       ? "the document breaks off within the event that begins in line " +
                             std::to_string(begin_)
                       : "the document breaks off: its array of events is not closed by ']'");
  }

  void save(Archive& state) const override {
    state.set("place", static_cast<std::int64_t>(place_));
    state.set("begin", begin_), state.set("depth", depth_);
    state.set("quoted", quoted_), state.set("escaped", escaped_);
    state.set("pending", pending_);
  }
  void load(const Archive& state) override {
    const auto place = state.get<std::int64_t>("place");
    if (place < 0 || place > static_cast<std::int64_t>(Place::kAfter))
      throw bad_data("the checkpoint is nowhere in a document");
    place_ = static_cast<Place>(place);
    begin_ = state.get<std::int64_t>("begin"), depth_ = state.get<std::int64_t>("depth");
    quoted_ = state.get<bool>("quoted"), escaped_ = state.get<bool>("escaped");
    pending_ = state.get<std::string>("pending");
  }
  std::size_t bytes() const override { return sizeof *this + pending_.size(); }

 private:
  enum class Place : std::uint8_t { kBefore, kFirst, kValue, kComma, kNext, kAfter };

  /// A character of an event: whether it is JSON is judged when it is whole, where its brackets close.
  void value(char c, std::int64_t line, std::vector<Found>& out) {
    if (!quoted_ && depth_ == 0 && (c == ',' || c == ']')) {  // after a bare number or word
      complete(out);
      place_ = c == ',' ? Place::kNext : Place::kAfter;
      return;
    }
    if (pending_.empty()) begin_ = line;
    pending_ += c;
    if (quoted_) {
      quoted_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      if (!quoted_ && depth_ == 0) complete(out);
    } else if (c == '"') {
      quoted_ = true, escaped_ = false;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ <= 0) {
      complete(out);
    }
  }

  void complete(std::vector<Found>& out) {
    Found found;
    found.line = begin_;
    if (const auto fault = Value::fault(pending_)) {
      found.fault = "not-json";
      found.detail = "byte " + std::to_string(fault->first + 1) + " of the event: not JSON: " + fault->second;
    } else if (Value value = Value::parse(pending_); value.is_object()) {
      found.members = std::move(value.object());
    } else {
      found.fault = "not-json", found.detail = std::string("expected a JSON object, found ") + value.kind();
    }
    out.push_back(std::move(found));
    pending_.clear();
    place_ = Place::kComma;
  }

  Place place_ = Place::kBefore;
  std::int64_t begin_ = 0, depth_ = 0;
  bool quoted_ = false, escaped_ = false;
  std::string pending_;  ///< of the event that has begun
};

}  // namespace

std::unique_ptr<LogDocument> make_json_array() { return std::make_unique<JsonArray>(); }

}  // namespace stream::events
