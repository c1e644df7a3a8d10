#include "events/nested_records.hpp"

#include <string_view>

namespace stream::events {

namespace {

constexpr std::size_t kMostRepeated = std::size_t{64} << 20;

class Nest {
 public:
  explicit Nest(std::vector<NestedRecord>& out) : out_(out) {}

  /// `path`: what is left of it below `outer`; `at`: what led to it, with a dot at its end.
  void go(const Object& outer, std::string_view path, const std::string& at) {
    const std::size_t before = around_.size(), bytes = bytes_;
    const std::string_view name = path.substr(0, path.find('.'));
    for (const auto& [member, value] : outer)
      if (member != name && !value.is_array() && !value.is_object()) {
        around_.emplace_back(at + member, value);
        bytes_ += sizeof(Object::Member) + at.size() + member.size() +
                  (value.is_string() ? value.as_string().size() : 0);
      }
    const Value* within = outer.find(name);
    const std::string below = at + std::string(name);
    const std::string_view rest = name.size() == path.size() ? "" : path.substr(name.size() + 1);
    if (!within || within->is_null()) {
      fault("missing", "member '" + below + "' is missing");
    } else if (within->is_array()) {
      for (const Value& entry : within->as_array()) {
        if (repeated_ > kMostRepeated) break;
        one(entry, rest, below);
      }
    } else {
      one(*within, rest, below);
    }
    around_.resize(before), bytes_ = bytes;
  }

 private:
  void one(const Value& entry, std::string_view rest, const std::string& at) {
    if (!entry.is_object())
      return fault("type", "an entry of '" + at + "' is of type " + entry.kind() + ", expected an object");
    if (!rest.empty()) return go(entry.as_object(), rest, at + ".");
    if ((repeated_ += bytes_) > kMostRepeated)
      return fault("too-many", "what is around the entries of '" + at + "' would fill more than 64 MiB");
    // Of a name that occurs twice the last one counts, which is the entry's own.
    std::vector<Object::Member> members = around_;
    members.insert(members.end(), entry.as_object().begin(), entry.as_object().end());
    out_.push_back({Object(std::move(members)), std::nullopt});
  }
  void fault(const char* name, const std::string& detail) { out_.push_back({{}, EventFault(name, detail)}); }

  std::vector<NestedRecord>& out_;
  std::vector<Object::Member> around_;
  std::size_t bytes_ = 0, repeated_ = 0;
};

}  // namespace

std::vector<NestedRecord> nested_records(const Object& record, const std::string& path) {
  std::vector<NestedRecord> out;
  Nest(out).go(record, path, "");
  return out;
}

}  // namespace stream::events
