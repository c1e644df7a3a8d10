#include "import/pickle.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "stream/error.hpp"

namespace stream {
namespace {

using PickleValue = Pickle::Value;
using PickleKind = PickleValue::Kind;

/// Of a name or a module.
constexpr std::size_t kLongestName = 256;

std::string hexadecimal(unsigned value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[value >> 4 & 15], kDigits[value & 15]};
}

/// Instructions that make objects of any class, or leave the pickle.
const char* refused_instruction(unsigned char code) {
  switch (code) {
    case 'i':
      return "INST";
    case 'o':
      return "OBJ";
    case 0x81:
      return "NEWOBJ";
    case 0x92:
      return "NEWOBJ_EX";
    case 0x82:
    case 0x83:
    case 0x84:
      return "EXT";
    case 'P':
      return "PERSID";
    default:
      return nullptr;
  }
}

constexpr const char* kData = "a model file is data and can run no code";

}  // namespace

class PickleMachine {
 public:
  PickleMachine(Pickle& out, std::string_view bytes, const std::string& name,
                std::span<const Pickle::Name> known)
      : out_(out), bytes_(bytes), name_(name), known_(known) {}

  void run() {
    while (true) {
      start_ = at_;
      const auto code = static_cast<unsigned char>(take(1).front());
      if (code == '.') break;
      step(code);
    }
    if (stack_.size() != 1 || !marks_.empty())
      wrong("one value in the end, found " + std::to_string(stack_.size()));
    out_.root_ = stack_.front();
    out_.at_ = at_;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw bad_data(name_ + ": " + what + " at offset " + std::to_string(start_));
  }
  [[noreturn]] void wrong(const std::string& expected) const { refuse("expected " + expected); }

  // --- the bytes
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_)
      refuse("an instruction needs " + std::to_string(size) + " bytes, " +
             std::to_string(bytes_.size() - at_) + " are left,");
    const std::string_view out = bytes_.substr(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return out;
  }
  std::uint64_t little_endian(std::size_t width) {
    std::uint64_t value = 0;
    const std::string_view raw = take(width);
    for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(raw[i]);
    return value;
  }
  std::string_view line() {
    const auto end = bytes_.substr(at_, kLongestName + 1).find('\n');
    if (end == std::string_view::npos)
      wrong("a name of at most " + std::to_string(kLongestName) + " bytes and a line's end");
    const std::string_view out = take(end);
    take(1);
    return out;
  }

  // --- the stack
  void push(PickleValue value) { stack_.push_back(value); }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleValue pop() {
    if (stack_.size() <= floor()) wrong("a value before this instruction");
    const PickleValue out = stack_.back();
    stack_.pop_back();
    return out;
  }
  PickleValue& top(PickleKind kind, const char* what) {
    if (stack_.size() <= floor() || !stack_.back().is(kind))
      wrong(std::string(what) + " before this instruction");
    return stack_.back();
  }
  /// Values above the last mark, which goes with them.
  std::vector<PickleValue> above_mark() {
    if (marks_.empty()) wrong("a mark before this instruction");
    std::vector<PickleValue> out(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return out;
  }
  std::vector<PickleValue> last(std::size_t count) {
    std::vector<PickleValue> out(count);
    for (std::size_t i = count; i-- > 0;) out[i] = pop();
    return out;
  }

  // --- making values
  PickleValue with_node(PickleKind kind, std::vector<PickleValue> values) {
    PickleValue out;
    out.kind = kind;
    out.node = &out_.nodes_.emplace_back();
    out.node->values = std::move(values);
    return out;
  }
  static PickleValue integer(std::int64_t n, PickleKind kind = PickleKind::kInteger) {
    PickleValue out;
    out.kind = kind;
    out.integer = n;
    return out;
  }
  static PickleValue text(std::string_view view, PickleKind kind = PickleKind::kText) {
    PickleValue out;
    out.kind = kind;
    out.size = static_cast<std::uint32_t>(view.size());
    out.text = view.data();
    return out;
  }
  PickleValue long_integer(std::uint64_t width) {
    if (width > 8) refuse("an integer of " + std::to_string(width) + " bytes, expected at most 8,");
    if (width == 0) return integer(0);
    const auto unused = static_cast<unsigned>(64 - 8 * width);
    return integer(static_cast<std::int64_t>(little_endian(static_cast<std::size_t>(width)) << unused) >>
                   unused);
  }
  PickleValue name(std::string_view module, std::string_view word) {
    if (module.size() > kLongestName || word.size() > kLongestName) wrong("a shorter name");
    const std::string whole = std::string(module) + "." + std::string(word);
    for (const Pickle::Name& known : known_)
      if (known.name == whole) return text(known.name, PickleKind::kName);
    if (whole == kOrderedDict) return text(kOrderedDict, PickleKind::kName);
    refuse("refers to '" + printable(whole) + "', which is no part of a state dict (" + kData + ")");
  }
  static std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 32 || c >= 127; }, '?');
    return text;
  }

  void call() {
    const PickleValue arguments = pop(), callee = pop();
    if (!callee.is(PickleKind::kName) || !arguments.is(PickleKind::kTuple))
      wrong("a name and a tuple to call it with");
    if (callee.view() == kOrderedDict) {
      if (!arguments.node->values.empty()) wrong("an OrderedDict that begins empty");
      return push(with_node(PickleKind::kDictionary, {}));
    }
    for (const Pickle::Name& known : known_)
      if (known.name == callee.view() && known.callable) {
        // Not a copy: one tuple may be used by any number of calls.
        PickleValue out = with_node(PickleKind::kCall, {arguments});
        out.node->callee = callee;
        return push(out);
      }
    refuse("calls '" + std::string(callee.view()) + "' (" + kData + ")");
  }

  void put(std::uint64_t index, const PickleValue& value) {
    // Python numbers them one after the other: there cannot be more than instructions.
    if (index >= bytes_.size())
      refuse("memo " + std::to_string(index) + " in a pickle of " + std::to_string(bytes_.size()) + " bytes");
    memo_[static_cast<std::uint32_t>(index)] = value;
  }
  void get(std::uint64_t index) {
    const auto found = memo_.find(static_cast<std::uint32_t>(index));
    if (index > UINT32_MAX || found == memo_.end())
      wrong("a memo that was stored before, found " + std::to_string(index));
    push(found->second);
  }
  void extend(const std::vector<PickleValue>& values, PickleKind kind, const char* what) {
    if (kind == PickleKind::kDictionary && values.size() % 2 != 0) wrong("as many values as keys");
    auto& all = top(kind, what).node->values;
    all.insert(all.end(), values.begin(), values.end());
  }
  /// Attributes of a dictionary (state dicts have their versions there) are no part of it.
  void build() {
    const PickleValue state = pop();
    if (!state.is(PickleKind::kDictionary)) wrong("a dictionary of attributes");
    top(PickleKind::kDictionary, "a dictionary");
  }

  void step(unsigned char code) {
    switch (code) {
      case 0x80: {  // PROTO
        const std::uint64_t version = little_endian(1);
        if (version < 2 || version > 5) wrong("pickle protocol 2 to 5, found " + std::to_string(version));
        return;
      }
      case 0x95:  // FRAME
        little_endian(8);
        return;
      case '(':
        marks_.push_back(stack_.size());
        return;
      case 'N':
        return push({});
      case 0x88:
      case 0x89:
        return push(integer(code == 0x88 ? 1 : 0, PickleKind::kBoolean));
      case 'J':  // BININT
        return push(long_integer(4));
      case 'K':
        return push(integer(static_cast<std::int64_t>(little_endian(1))));
      case 'M':
        return push(integer(static_cast<std::int64_t>(little_endian(2))));
      case 0x8a:  // LONG1
        return push(long_integer(little_endian(1)));
      case 0x8b:  // LONG4
        return push(long_integer(little_endian(4)));
      case 'G': {  // BINFLOAT, most significant byte first
        PickleValue out;
        out.kind = PickleKind::kFloat;
        out.number = std::bit_cast<double>(__builtin_bswap64(little_endian(8)));
        return push(out);
      }
      case 'X':  // BINUNICODE
        return push(text(take(little_endian(4))));
      case 0x8c:
        return push(text(take(little_endian(1))));
      case 0x8d: {
        const std::uint64_t size = little_endian(8);
        if (size > UINT32_MAX) wrong("a text of less than 4 GiB");
        return push(text(take(size)));
      }
      case 'c': {  // GLOBAL
        const std::string_view module = line(), word = line();
        return push(name(module, word));
      }
      case 0x93: {  // STACK_GLOBAL
        const PickleValue word = pop(), module = pop();
        if (!word.is(PickleKind::kText) || !module.is(PickleKind::kText))
          wrong("two texts that name something");
        return push(name(module.view(), word.view()));
      }
      case ')':
        return push(with_node(PickleKind::kTuple, {}));
      case 't':
        return push(with_node(PickleKind::kTuple, above_mark()));
      case 0x85:
      case 0x86:
      case 0x87:
        return push(with_node(PickleKind::kTuple, last(code - 0x84u)));
      case ']':
        return push(with_node(PickleKind::kList, {}));
      case 'a':
        return extend(last(1), PickleKind::kList, "a list");
      case 'e':
        return extend(above_mark(), PickleKind::kList, "a list");
      case '}':
        return push(with_node(PickleKind::kDictionary, {}));
      case 's':
        return extend(last(2), PickleKind::kDictionary, "a dictionary");
      case 'u':
        return extend(above_mark(), PickleKind::kDictionary, "a dictionary");
      case 'b':
        return build();
      case 'R':
        return call();
      case 'Q':  // BINPERSID
        out_.persistent_.push_back(with_node(PickleKind::kPersistent, last(1)));
        return push(out_.persistent_.back());
      case 'q':
        return put(little_endian(1), peek());
      case 'r':
        return put(little_endian(4), peek());
      case 0x94:  // MEMOIZE
        return put(memo_.size(), peek());
      case 'h':
        return get(little_endian(1));
      case 'j':
        return get(little_endian(4));
      default:
        if (const char* const what = refused_instruction(code))
          refuse(std::string("instruction ") + what + " (" + kData + ")");
        refuse("instruction " + hexadecimal(code) + ", which no state dict needs,");
    }
  }
  PickleValue peek() {
    if (stack_.size() <= floor()) wrong("a value before this instruction");
    return stack_.back();
  }

  static constexpr std::string_view kOrderedDict = "collections.OrderedDict";

  Pickle& out_;
  std::string_view bytes_;
  const std::string& name_;
  std::span<const Pickle::Name> known_;
  std::size_t at_ = 0, start_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleValue> memo_;
};

Pickle::Pickle(std::string_view bytes, const std::string& name, std::span<const Name> known) {
  PickleMachine(*this, bytes, name, known).run();
}

}  // namespace stream
