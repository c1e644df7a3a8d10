/// NumPy's .npy (format versions 1 to 3) and .npz (a zip of them).
#include <algorithm>
#include <charconv>

#include "import/elements.hpp"
#include "import/import.hpp"
#include "import/zip.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

/// NumPy itself writes some hundred bytes.
constexpr std::size_t kLongestHeader = std::size_t{1} << 20;

/// A cursor over the header, which is the text of a Python dictionary with exactly three keys:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Header {
 public:
  Header(std::string_view text, const std::string& name, std::size_t offset)
      : text_(text), name_(name), start_(offset) {}

  [[noreturn]] void wrong(const std::string& expected) const {
    throw bad_data(name_ + ": expected " + expected + " in the header at offset " +
                   std::to_string(start_ + at_));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) wrong(std::string("'") + c + "'");
  }
  std::string_view quoted() {
    const char quote = accept('\'') ? '\'' : (expect('"'), '"');
    const auto end = text_.find(quote, at_);
    if (end == std::string_view::npos) wrong("the end of a string");
    const auto word = text_.substr(at_, end - at_);
    at_ = end + 1;
    return word;
  }
  bool boolean() {
    skip_blanks();
    for (const auto& [word, value] :
         {std::pair{std::string_view("True"), true}, {std::string_view("False"), false}}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    wrong("True or False");
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> out;
    expect('(');
    while (!accept(')')) {
      std::int64_t n = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), n);
      if (error != std::errc() || n < 0) wrong("a dimension");
      at_ = static_cast<std::size_t>(end - text_.data());
      out.push_back(n);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return out;
  }

 private:
  std::string_view text_;
  const std::string& name_;
  std::size_t start_, at_ = 0;
};

using Reading = ElementKind::Reading;

struct NumpyKind {
  std::string_view code;
  ElementKind elements;
};
constexpr NumpyKind kNumpyKinds[] = {
    {"f8", {8, DType::kF64}},
    {"f4", {4, DType::kF32}},
    {"f2", {2, DType::kF16}},
    {"i8", {8, DType::kI64}},
    {"i4", {4, DType::kI32}},
    {"u2", {2, DType::kU16}},
    {"u1", {1, DType::kU8}},
    {"b1", {1, DType::kU8}},
    {"i2", {2, DType::kI32, Reading::kSigned}},
    {"i1", {1, DType::kI32, Reading::kSigned}},
    {"u4", {4, DType::kI64, Reading::kUnsigned}},
    {"u8", {8, DType::kI64, Reading::kUnsigned}},
};

/// Fortran order has the first dimension fastest.
std::vector<std::uint64_t> fortran_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::uint64_t> strides;
  std::uint64_t stride = 1;
  for (const auto n : shape) strides.push_back(stride), stride *= static_cast<std::uint64_t>(n);
  return strides;
}

}  // namespace

std::optional<NpyHeader> npy_header(std::string_view begin, const std::string& name) {
  constexpr std::string_view kMagic("\x93NUMPY", 6);
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(begin[i]));
  };
  if (begin.substr(0, 6) != kMagic.substr(0, begin.size()))
    throw bad_data(name + ": expected NumPy's magic at offset 0");
  if (begin.size() < 10) return {};
  const std::size_t version = byte(6), prefix = version == 1 ? 10 : 12;
  if (version < 1 || version > 3)
    throw bad_data(name + ": format version " + std::to_string(version) + " at offset 6 is not 1, 2 or 3");
  if (begin.size() < prefix) return {};
  const std::size_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > kLongestHeader) {
    throw bad_data(name + ": the header length at offset 8, " + std::to_string(length) + ", is more than " +
                   std::to_string(kLongestHeader));
  }
  if (length > begin.size() - prefix) return {};
  NpyHeader out{.size = prefix + length};
  Header header(begin.substr(prefix, length), name, prefix);
  bool seen[3] = {};
  header.expect('{');
  while (!header.accept('}')) {
    const auto key = header.quoted();
    header.expect(':');
    if (key == "descr" && header.accept('['))
      throw bad_data(name + ": elements with fields are not supported (floats, integers and booleans are)");
    if (key == "descr")
      out.descr = header.quoted(), seen[0] = true;
    else if (key == "fortran_order")
      out.fortran = header.boolean(), seen[1] = true;
    else if (key == "shape")
      out.shape = header.tuple(), seen[2] = true;
    else
      header.wrong("descr, fortran_order or shape before this place");
    if (!header.accept(',')) {
      header.expect('}');
      break;
    }
  }
  if (!seen[0] || !seen[1] || !seen[2]) header.wrong("descr, fortran_order and shape before this place");
  return out;
}

Tensor read_npy(const Buffer& file, const std::string& name) {
  const auto header = npy_header(file.text(), name);
  if (!header)
    throw bad_data(name + ": ends inside NumPy's header, after " + std::to_string(file.size()) + " bytes");
  const auto& [descr, fortran, shape, start] = *header;
  const std::string_view code = std::string_view(descr).substr(descr.empty() ? 0 : 1);
  const auto* kind = std::find_if(std::begin(kNumpyKinds), std::end(kNumpyKinds),
                                  [&](const NumpyKind& k) { return k.code == code; });
  if (kind == std::end(kNumpyKinds) || std::string_view("<>|=").find(descr[0]) == std::string_view::npos) {
    throw bad_data(name + ": elements of kind '" + descr +
                   "' are not supported (floats, integers and booleans are)");
  }
  const ElementKind& elements = kind->elements;
  const std::uint64_t count = count_elements(shape, name);
  std::uint64_t bytes = 0;
  const Buffer data = file.slice(start, file.size() - start);
  if (__builtin_mul_overflow(count, elements.width, &bytes) || bytes != data.size()) {
    throw bad_data(name + ": expected " + std::to_string(count) + " elements of " +
                   std::to_string(elements.width) + " bytes at offset " + std::to_string(start) + ", found " +
                   std::to_string(data.size()) + " bytes");
  }
  ElementPlaces places{
      .shape = shape, .strides = {}, .first = 0, .swap = descr[0] == '>' && elements.width > 1};
  if (fortran) places.strides = fortran_strides(shape);
  return gather(data, elements, std::move(places), name);
}

Archive read_npz(const Buffer& file, const std::string& name) {
  Archive archive;
  for (const ZipMember& member : read_zip_directory(file, name)) {
    std::string_view stem = member.name;
    if (!stem.ends_with(".npy")) throw bad_data(name + ": member '" + member.name + "' is not a .npy array");
    stem.remove_suffix(4);
    put_tensor(archive, stem, read_npy(extract(file, member, name), name + ": " + member.name), name);
  }
  return archive;
}

}  // namespace stream
