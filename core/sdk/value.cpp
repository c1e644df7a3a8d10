#include "stream/value.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "stream/error.hpp"

namespace stream {

Object::Object(std::initializer_list<Member> members) : members_(members) {}

Object::Object(std::vector<Member> members) : members_(std::move(members)) {
  constexpr std::size_t kFew = 16;
  bool twice = members_.size() > kFew;  // where there are many, perhaps
  for (std::size_t i = 1; i < members_.size() && !twice; ++i)
    for (std::size_t k = 0; k < i; ++k) twice = twice || members_[k].first == members_[i].first;
  if (!twice) return;
  // By sorting, not by hashing: whoever writes the names could make all of them collide.
  std::vector<std::size_t> order(members_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto name = [this](std::size_t i) -> const std::string& { return members_[i].first; };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = name(a).compare(name(b));
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<bool> again;  // of each member: its name stands before it
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && name(order[end]) == name(order[i])) ++end;
    if (end - i > 1) {
      again.resize(members_.size());
      members_[order[i]].second = std::move(members_[order[end - 1]].second);
      for (std::size_t k = i + 1; k < end; ++k) again[order[k]] = true;
    }
    i = end;
  }
  if (again.empty()) return;
  std::size_t to = 0;
  for (std::size_t from = 0; from < members_.size(); ++from) {
    if (again[from]) continue;
    if (to != from) members_[to] = std::move(members_[from]);
    ++to;
  }
  members_.resize(to);
}

std::size_t Object::size() const { return members_.size(); }
std::vector<Object::Member>::const_iterator Object::begin() const { return members_.begin(); }
std::vector<Object::Member>::const_iterator Object::end() const { return members_.end(); }
bool operator==(const Object& a, const Object& b) { return a.members_ == b.members_; }

const Value* Object::find(std::string_view name) const {
  for (const auto& [key, value] : members_) {
    if (key == name) return &value;
  }
  return nullptr;
}

Object& Object::set(std::string name, Value value) {
  for (auto& member : members_) {
    if (member.first == name) {
      member.second = std::move(value);
      return *this;
    }
  }
  members_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Value::Value(std::uint64_t i) {
  if (i <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    data_ = static_cast<std::int64_t>(i);
  else
    data_ = static_cast<double>(i);
}

const char* Value::kind() const {
  static constexpr const char* kKinds[] = {"null",   "boolean", "integer", "number",
                                           "string", "array",   "object"};
  return kKinds[data_.index()];
}

namespace {

[[noreturn]] void wrong_kind(const Value& value, const char* expected) {
  throw bad_data(std::string("expected ") + expected + ", got " + value.kind());
}

}  // namespace

bool Value::as_bool() const {
  if (const auto* v = std::get_if<bool>(&data_)) return *v;
  wrong_kind(*this, "a boolean");
}

std::int64_t Value::as_integer() const {
  if (const auto* v = std::get_if<std::int64_t>(&data_)) return *v;
  if (const auto* v = std::get_if<double>(&data_); v && std::trunc(*v) == *v && std::abs(*v) < 0x1p63) {
    return static_cast<std::int64_t>(*v);
  }
  wrong_kind(*this, "an integer");
}

double Value::as_double() const {
  if (const auto* v = std::get_if<double>(&data_)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*v);
  wrong_kind(*this, "a number");
}

const std::string& Value::as_string() const {
  if (const auto* v = std::get_if<std::string>(&data_)) return *v;
  wrong_kind(*this, "a string");
}

const Array& Value::as_array() const {
  if (const auto* v = std::get_if<Array>(&data_)) return *v;
  wrong_kind(*this, "an array");
}

const Object& Value::as_object() const {
  if (const auto* v = std::get_if<Object>(&data_)) return *v;
  wrong_kind(*this, "an object");
}

// --- reading

namespace {

namespace dom = simdjson::dom;

Value convert(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::NULL_VALUE:
      return {};
    case dom::element_type::BOOL:
      return bool(element.get_bool().value());
    case dom::element_type::INT64:
      return std::int64_t{element.get_int64().value()};
    case dom::element_type::UINT64:
      return std::uint64_t{element.get_uint64().value()};
    case dom::element_type::DOUBLE:
      return double{element.get_double().value()};
    case dom::element_type::STRING:
      return std::string_view(element.get_string().value());
    case dom::element_type::ARRAY: {
      const dom::array items = element.get_array().value();
      Array out;
      out.reserve(items.size());
      for (const dom::element item : items) out.push_back(convert(item));
      return out;
    }
    case dom::element_type::OBJECT: {
      const dom::object members = element.get_object().value();
      std::vector<Object::Member> out;
      out.reserve(members.size());
      for (const auto member : members) out.emplace_back(std::string(member.key), convert(member.value));
      return Object(std::move(out));
    }
  }
  return {};
}

/// The offset up to which `json` is the beginning of something valid: simdjson gives none, so it is found by
/// a scan for the first byte that cannot stand where it stands. Only for messages.
class FaultFinder {
 public:
  explicit FaultFinder(std::string_view json) : text_(json) {}
  std::size_t find() {
    space();
    if (!value(0)) return at_;
    space();
    return at_;
  }

 private:
  bool value(int depth) {
    if (at_ >= text_.size() || depth > 1000) return false;
    const char c = text_[at_];
    if (c == '{' || c == '[') return container(c == '{', depth);
    if (c == '"') return string();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (c == word[0]) return literal(word);
    }
    return number();
  }
  bool container(bool object, int depth) {
    const char close = object ? '}' : ']';
    ++at_;
    space();
    if (at_ < text_.size() && text_[at_] == close) return ++at_, true;
    while (true) {
      space();
      if (object) {
        if (at_ >= text_.size() || text_[at_] != '"' || !string()) return false;
        space();
        if (at_ >= text_.size() || text_[at_] != ':') return false;
        ++at_;
        space();
      }
      if (!value(depth + 1)) return false;
      space();
      if (at_ >= text_.size()) return false;
      if (text_[at_] == close) return ++at_, true;
      if (text_[at_] != ',') return false;
      ++at_;
    }
  }
  bool string() {
    const std::size_t start = at_++;
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') return ++at_, true;
      if (c < 0x20) return false;
      if (c == '\\') {
        if (at_ + 1 >= text_.size()) break;
        const char escape = text_[at_ + 1];
        if (std::string_view("\"\\/bfnrtu").find(escape) == std::string_view::npos) return false;
        if (escape == 'u') {
          for (std::size_t i = 2; i < 6; ++i) {
            if (at_ + i < text_.size() && !std::isxdigit(static_cast<unsigned char>(text_[at_ + i])))
              return false;
          }
          at_ += 4;
        }
        ++at_;
      }
      ++at_;
    }
    at_ = std::min(at_, text_.size());
    if (at_ == text_.size() && start == at_) --at_;
    return false;
  }
  bool literal(std::string_view word) {
    for (const char c : word) {
      if (at_ >= text_.size() || text_[at_] != c) return false;
      ++at_;
    }
    return true;
  }
  bool number() {
    const auto digits = [&] {
      const std::size_t from = at_;
      while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
      return at_ > from;
    };
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    if (!digits()) return false;
    if (at_ < text_.size() && text_[at_] == '.' && (++at_, !digits())) return false;
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits()) return false;
    }
    return true;
  }
  void space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

/// What stands at `offset`, as a word where it is one, in place of the parser's message where that says less:
/// some programs write NaN and Infinity, which JSON does not have.
std::string unexpected(std::string_view json, std::size_t offset, simdjson::error_code error) {
  const auto of_word = [&](std::size_t i) {
    const auto c = static_cast<unsigned char>(json[i]);
    return std::isalnum(c) != 0 || c == '-' || c == '+' || c == '.' || c == '_';
  };
  std::size_t from = offset, to = offset;
  while (from > 0 && of_word(from - 1)) --from;
  while (to < json.size() && of_word(to)) ++to;
  std::string word(json.substr(from, std::min<std::size_t>(to - from, 24)));
  std::string lower = word;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.starts_with('-') || lower.starts_with('+')) lower.erase(0, 1);
  if (lower == "nan" || lower == "inf" || lower == "infinity") return word + " is no number in JSON";
  // For everything that stands where it cannot it guesses at what may be missing.
  if (error != simdjson::TAPE_ERROR) return simdjson::error_message(error);
  const auto c = static_cast<unsigned char>(json[offset]);
  if (word.empty() && c > 0x20 && c < 0x7f) word = json.substr(offset, 1);
  return word.empty() ? "unexpected byte " + std::to_string(c) : "unexpected '" + word + "'";
}

std::pair<std::size_t, std::string> fault_of(std::string_view json, simdjson::error_code error) {
  const std::size_t offset = std::min(FaultFinder(json).find(), json.size());
  std::string what;
  if (error == simdjson::UTF8_ERROR)
    what = simdjson::error_message(error);
  else if (offset >= json.size())
    what = "it ends before the value is complete";
  else
    what = unexpected(json, offset, error);
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos) what = "it is empty";
  return {offset, std::move(what)};
}

[[noreturn]] void not_json(std::string_view json, simdjson::error_code error) {
  const auto [offset, what] = fault_of(json, error);
  throw bad_data("not JSON at byte " + std::to_string(offset) + ": " + what);
}

/// The parser of this thread: its buffers grow to the largest document and are used again.
dom::parser& parser() {
  thread_local dom::parser instance;
  return instance;
}

}  // namespace

Value Value::parse(std::string_view json) {
  dom::element root;
  if (const auto error = parser().parse(json.data(), json.size()).get(root)) not_json(json, error);
  return convert(root);
}

void Value::validate(std::string_view json) {
  dom::element root;
  if (const auto error = parser().parse(json.data(), json.size()).get(root)) not_json(json, error);
}

std::optional<std::pair<std::size_t, std::string>> Value::fault(std::string_view json) {
  dom::element root;
  if (const auto error = parser().parse(json.data(), json.size()).get(root)) return fault_of(json, error);
  return std::nullopt;
}

// --- writing

namespace {

void dump_string(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char ch : text) {
    const auto c = static_cast<unsigned char>(ch);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20) {
          out += "\\u00";
          out.push_back(kHex[c >> 4]);
          out.push_back(kHex[c & 15]);
        } else {
          out.push_back(ch);
        }
    }
  }
  out.push_back('"');
}

template <typename T>
void dump_number(T number, std::string& out) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, number);
  const std::string_view text(buffer, static_cast<std::size_t>(result.ptr - buffer));
  out += text;
  // A double that holds a whole number stays a double when it is read again.
  if (std::is_same_v<T, double> && text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void new_line(std::string& out, int indent, int depth) {
  if (indent <= 0) return;
  out.push_back('\n');
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
}

}  // namespace

void Value::dump_to(std::string& out, int indent, int depth) const {
  if (is_null()) {
    out += "null";
  } else if (const auto* b = std::get_if<bool>(&data_)) {
    out += *b ? "true" : "false";
  } else if (const auto* i = std::get_if<std::int64_t>(&data_)) {
    dump_number(*i, out);
  } else if (const auto* d = std::get_if<double>(&data_)) {
    if (std::isfinite(*d))
      dump_number(*d, out);
    else
      out += "null";
  } else if (const auto* s = std::get_if<std::string>(&data_)) {
    dump_string(*s, out);
  } else if (const auto* a = std::get_if<Array>(&data_)) {
    out.push_back('[');
    for (std::size_t n = 0; n < a->size(); ++n) {
      if (n) out += indent > 0 ? "," : ", ";
      new_line(out, indent, depth + 1);
      (*a)[n].dump_to(out, indent, depth + 1);
    }
    if (!a->empty()) new_line(out, indent, depth);
    out.push_back(']');
  } else {
    const auto& object = std::get<Object>(data_);
    out.push_back('{');
    bool first = true;
    for (const auto& [key, value] : object) {
      if (!first) out += indent > 0 ? "," : ", ";
      first = false;
      new_line(out, indent, depth + 1);
      dump_string(key, out);
      out += ": ";
      value.dump_to(out, indent, depth + 1);
    }
    if (!object.empty()) new_line(out, indent, depth);
    out.push_back('}');
  }
}

std::string Value::dump(int indent) const {
  std::string out;
  dump_to(out, indent);
  return out;
}

}  // namespace stream
