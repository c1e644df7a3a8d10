#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "events/log_document.hpp"
#include "stream/error.hpp"
#include "utf8.hpp"

namespace stream::events {

namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::size_t kMostDepth = 64, kMostAttributes = 4096;

struct Tag {
  std::string name;  ///< without a prefix
  bool closing = false, alone = false;
  std::vector<std::pair<std::string, std::string>> attributes;
  const std::string* find(std::string_view key) const {
    for (const auto& [name_, value] : attributes)
      if (name_ == key) return &value;
    return nullptr;
  }
};

void append_utf8(std::uint32_t c, std::string& out) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F));
  if (c < 0x10000) return byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
  byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
}

/// The five entities of XML and characters by number: a document cannot define more here.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<') throw bad_data("'<' within a value");
    if (text[i] != '&') {
      out += text[i];
      continue;
    }
    const std::size_t end = text.find(';', i);
    const std::string_view name = text.substr(i + 1, end == std::string_view::npos ? 0 : end - i - 1);
    std::uint32_t number = 0;
    if (name == "lt") {
      out += '<';
    } else if (name == "gt") {
      out += '>';
    } else if (name == "amp") {
      out += '&';
    } else if (name == "quot") {
      out += '"';
    } else if (name == "apos") {
      out += '\'';
    } else if (name.size() > 1 && name[0] == '#') {
      const bool hex = name[1] == 'x';
      const std::string_view digits = name.substr(hex ? 2 : 1);
      const auto [at, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
      if (error != std::errc() || at != digits.data() + digits.size() || number == 0 || number > 0x10FFFF ||
          (number >= 0xD800 && number < 0xE000))
        throw bad_data("'&" + std::string(name) + ";' is no character");
      append_utf8(number, out);
    } else {
      throw bad_data("expected one of &lt; &gt; &amp; &quot; &apos; or a number after '&'");
    }
    i = end;
  }
  return out;
}

/// What stands between < and >.
Tag parse_tag(std::string_view text) {
  Tag tag;
  const auto skip_blank = [&] { text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size())); };
  if (text.starts_with('/')) tag.closing = true, text.remove_prefix(1);
  if (text.ends_with('/')) tag.alone = true, text.remove_suffix(1);
  const auto name = [&] {
    const std::string_view found = text.substr(0, text.find_first_of(" \t\r\n=/'\"<"));
    if (found.empty()) throw bad_data("expected a name in a tag");
    text.remove_prefix(found.size());
    return std::string(found);
  };
  tag.name = name();
  if (const auto colon = tag.name.rfind(':'); colon != std::string::npos) tag.name.erase(0, colon + 1);
  for (skip_blank(); !text.empty(); skip_blank()) {
    if (tag.closing) throw bad_data("an end tag has no attributes");
    std::string key = name();
    skip_blank();
    if (!text.starts_with('=')) throw bad_data("expected '=' after '" + key + "' in a tag");
    text.remove_prefix(1);
    skip_blank();
    if (!text.starts_with('"') && !text.starts_with('\''))
      throw bad_data("expected a quoted value of '" + key + "'");
    const std::size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos) throw bad_data("the value of '" + key + "' is not closed");
    if (tag.find(key)) throw bad_data("a tag has '" + key + "' twice");
    tag.attributes.emplace_back(std::move(key), unescaped(text.substr(1, end - 1)));
    text.remove_prefix(end + 1);
  }
  return tag;
}

/// The part of XML that XES has, read by hand: where a parser of a library stands within a document cannot be
/// put into a checkpoint, and what it may define besides (entities, document types) is refused here.
class Xes final : public LogDocument {
 public:
  void take(std::string_view text, std::int64_t line, std::vector<Found>& out) override {
    line_ = line;
    try {
      if (!valid_utf8(text)) throw bad_data("not UTF-8");
      for (const char c : text) character(c, out);
      character('\n', out);
    } catch (const Error& e) {
      throw e.within("line " + std::to_string(line) + (pending_.empty() ? "" : ", at <" + shown()));
    }
  }

  void finish() override {
    if (open_.empty() && ended_ && pending_.empty()) return;
    if (!ended_ && open_.empty()) throw bad_data("the document has no <log>: expected XES");
    throw bad_data(
        "the document breaks off" + (open_.empty() ? std::string() : " within <" + open_.back() + ">") +
        (in_event_ ? ", in the event that begins in line " + std::to_string(event_.line) : std::string()));
  }

  void save(Archive& state) const override {
    state.set("pending", pending_), state.set("open", joined());
    state.set("quote", static_cast<std::int64_t>(quote_)), state.set("in_tag", in_tag_);
    state.set("ended", ended_), state.set("in_event", in_event_), state.set("line", line_);
    state.set("event_line", event_.line), state.set("fault", event_.fault),
        state.set("detail", event_.detail);
    state.set("event", Value(event_.members).dump()), state.set("trace", Value(trace_).dump());
    state.set("held", static_cast<std::uint64_t>(held_));
    state.set("event_held", static_cast<std::uint64_t>(event_held_));
  }
  void load(const Archive& state) override {
    pending_ = state.get<std::string>("pending");
    open_.clear();
    std::string all = state.get<std::string>("open");
    for (std::size_t at = 0, end = 0; at < all.size(); at = end + 1) {
      end = std::min(all.find('/', at), all.size());
      open_.push_back(all.substr(at, end - at));
    }
    quote_ = static_cast<char>(state.get<std::int64_t>("quote")), in_tag_ = state.get<bool>("in_tag");
    ended_ = state.get<bool>("ended"), in_event_ = state.get<bool>("in_event");
    line_ = state.get<std::int64_t>("line"), event_.line = state.get<std::int64_t>("event_line");
    event_.fault = state.get<std::string>("fault"), event_.detail = state.get<std::string>("detail");
    event_.members = Value::parse(state.get<std::string>("event")).as_object();
    trace_ = Value::parse(state.get<std::string>("trace")).as_object();
    held_ = state.get<std::uint64_t>("held"), event_held_ = state.get<std::uint64_t>("event_held");
    if (open_.size() > kMostDepth) throw bad_data("the checkpoint is deeper in a document than one can be");
  }
  std::size_t bytes() const override { return sizeof *this + pending_.size() + held_; }

 private:
  std::string shown() const { return pending_.size() > 60 ? pending_.substr(0, 60) + "..." : pending_; }
  std::string joined() const {
    std::string all;
    for (const std::string& name : open_) all += (all.empty() ? "" : "/") + name;
    return all;
  }

  /// What lies between tags means nothing in XES; tags, comments and instructions are collected until whole.
  void character(char c, std::vector<Found>& out) {
    if (!in_tag_) {
      if (c == '<')
        in_tag_ = true;
      else if (open_.empty() && kBlank.find(c) == std::string_view::npos)
        throw bad_data("expected '<': XES is XML");
      return;
    }
    const bool comment = pending_.starts_with("!--"), section = pending_.starts_with("![CDATA["),
               instruction = pending_.starts_with('?');
    if (quote_ != 0) {
      if (c == quote_) quote_ = 0;
    } else if (!comment && !section && !instruction && (c == '"' || c == '\'')) {
      quote_ = c;
    } else if (c == '>') {
      const std::string_view whole = pending_;
      const bool ends = comment       ? whole.size() >= 5 && whole.ends_with("--")
                        : section     ? whole.ends_with("]]")
                        : instruction ? whole.size() >= 2 && whole.ends_with('?')
                                      : true;
      if (ends) {
        if (instruction)
          declaration(whole);
        else if (!comment && !section)
          tag(out);
        pending_.clear(), in_tag_ = false;
        return;
      }
    }
    if (comment && pending_.size() > 8) pending_.erase(3, pending_.size() - 5);  // only its end matters
    pending_ += c;
    if (pending_.size() + held_ > kMostBytes) throw bad_data("an event is longer than 16 MiB");
  }

  static void declaration(std::string_view text) {
    const auto at = text.find("encoding");
    if (!text.starts_with("?xml") || at == std::string_view::npos) return;
    std::string name;
    for (const char c : text.substr(at + 8))
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (name != "utf-8" && name != "us-ascii")
      throw bad_data("the encoding is '" + name + "', expected UTF-8 (iconv makes it)");
  }

  void tag(std::vector<Found>& out) {
    if (pending_.starts_with('!'))
      throw bad_data("a document type or entities, which XES does not have, are refused");
    const Tag tag = parse_tag(pending_);
    if (tag.closing) return close(tag.name, out);
    if (open_.empty() && (ended_ || tag.name != "log"))
      throw bad_data(ended_ ? "there is more after </log>" : "expected <log>, found <" + tag.name + ">");
    if (open_.size() >= kMostDepth) throw bad_data("elements lie deeper than 64 in each other");
    begin(tag);
    open_.push_back(tag.name);
    if (tag.alone) close(tag.name, out);
  }

  void begin(const Tag& tag) {
    const bool in_log = open_.size() == 1, in_trace = open_.size() == 2 && open_[1] == "trace";
    if (in_log && tag.name == "trace") {
      trace_ = {}, held_ = 0;
    } else if (tag.name == "event" && (in_log || in_trace)) {
      if (in_log) trace_ = {}, held_ = 0;
      event_ = {.line = line_}, in_event_ = true, event_held_ = held_;
    } else if (in_event_ && open_.back() == "event") {
      attribute(tag, event_.members, {});
    } else if (in_trace) {
      attribute(tag, trace_, "case:");
    }
  }

  void attribute(const Tag& tag, Object& into, const std::string& prefix) {
    const std::string *key = tag.find("key"), *text = tag.find("value");
    if (tag.name == "list" || tag.name == "container") return;
    const auto wrong = [&](const char* fault, const std::string& detail) {
      if (in_event_ && event_.fault.empty()) event_.fault = fault, event_.detail = detail;
    };
    if (!key || !text) return wrong("missing", "<" + tag.name + "> has no " + (key ? "value" : "key"));
    if (into.size() >= kMostAttributes) throw bad_data("more than 4096 attributes");
    held_ += key->size() + text->size() + 64;
    const auto value = value_of(tag.name, *text);
    if (!value) return wrong("type", "attribute '" + *key + "' is no " + tag.name + ": '" + *text + "'");
    into.set(prefix + *key, *value);
  }

  static std::optional<Value> value_of(const std::string& type, const std::string& text) {
    const char *begin = text.data(), *end = begin + text.size();
    if (type == "int") {
      std::int64_t number = 0;
      const auto [at, error] = std::from_chars(begin, end, number);
      return error == std::errc() && at == end ? std::optional(Value(number)) : std::nullopt;
    }
    if (type == "float") {
      double number = 0;
      const auto [at, error] = std::from_chars(begin, end, number);
      return error == std::errc() && at == end && std::isfinite(number) ? std::optional(Value(number))
                                                                        : std::nullopt;
    }
    if (type == "boolean") {
      if (text == "true" || text == "1") return Value(true);
      if (text == "false" || text == "0") return Value(false);
      return std::nullopt;
    }
    return Value(text);
  }

  void close(const std::string& name, std::vector<Found>& out) {
    if (open_.empty() || open_.back() != name)
      throw bad_data("</" + name + "> closes nothing" +
                     (open_.empty() ? "" : ": <" + open_.back() + "> is open"));
    open_.pop_back();
    if (open_.empty()) ended_ = true;
    if (name != "event" || !in_event_ || open_.size() > 2) return;
    in_event_ = false, held_ = event_held_;
    for (const auto& [key, value] : trace_)
      if (!event_.members.find(key)) event_.members.set(key, value);
    out.push_back(std::move(event_));
    event_ = {};
  }

  std::string pending_;  ///< of a tag, comment or instruction that is not whole
  char quote_ = 0;       ///< of the value that is open in it
  bool in_tag_ = false, ended_ = false, in_event_ = false;
  std::vector<std::string> open_;
  std::int64_t line_ = 0;
  Found event_;
  Object trace_;
  std::size_t held_ = 0, event_held_ = 0;  ///< bytes of attributes
};

}  // namespace

std::unique_ptr<LogDocument> make_xes() { return std::make_unique<Xes>(); }

}  // namespace stream::events
