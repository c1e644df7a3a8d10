#include "archive_tree.hpp"

#include <algorithm>
#include <cstring>

#include "stream/value.hpp"

namespace stream::cli {
namespace {

std::string shape_text(const Tensor& tensor) {
  std::string out = "[";
  for (std::size_t i = 0; i < tensor.shape().size(); ++i)
    out += (i > 0 ? ", " : "") + std::to_string(tensor.shape()[i]);
  return out + "]";
}

std::string shortened(std::string text) {
  constexpr std::size_t kLongest = 60;
  if (text.size() <= kLongest) return text;
  text.resize(kLongest);
  while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
  return text + "...";
}

ArchiveLine line_of(const Archive::Scalar& scalar) {
  ArchiveLine line;
  if (const auto* b = std::get_if<bool>(&scalar))
    line.kind = "boolean", line.value = *b ? "true" : "false", line.bytes = 1;
  else if (const auto* i = std::get_if<std::int64_t>(&scalar))
    line.kind = "int64", line.value = std::to_string(*i), line.bytes = 8;
  else if (const auto* d = std::get_if<double>(&scalar))
    line.kind = "float64", line.value = Value(*d).dump(), line.bytes = 8;
  else {
    const auto& s = std::get<std::string>(scalar);
    line.kind = "string", line.value = shortened(Value(s).dump()), line.bytes = s.size();
  }
  return line;
}

void collect(const Archive& archive, const std::string& prefix, std::vector<ArchiveLine>& lines) {
  for (const auto& [name, entry] : archive.entries()) {
    const std::string path = prefix + name;
    if (const auto* group = std::get_if<std::shared_ptr<Archive>>(&entry)) {
      lines.push_back({path + "/", "group", "", "", (*group)->bytes()});
      collect(**group, path + "/", lines);
    } else if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
      lines.push_back(
          {path, name_of((*tensor)->dtype()), shape_text(**tensor), "", (*tensor)->buffer().size()});
    } else {
      ArchiveLine line = line_of(std::get<Archive::Scalar>(entry));
      line.path = path;
      lines.push_back(std::move(line));
    }
  }
}

std::string compare(const Archive::Entry& a, const Archive::Entry& b) {
  if (a.index() != b.index()) return "is of another kind";
  if (const auto* x = std::get_if<Archive::Scalar>(&a)) {
    const auto& y = std::get<Archive::Scalar>(b);
    return *x == y ? "" : line_of(*x).value + " became " + line_of(y).value;
  }
  const Tensor& x = *std::get<std::shared_ptr<const Tensor>>(a);
  const Tensor& y = *std::get<std::shared_ptr<const Tensor>>(b);
  if (x.dtype() != y.dtype() || !std::ranges::equal(x.shape(), y.shape())) {
    return std::string(name_of(x.dtype())) + shape_text(x) + " became " + name_of(y.dtype()) + shape_text(y);
  }
  const std::size_t size = std::min(x.buffer().size(), y.buffer().size()), width = size_of(x.dtype());
  if (x.buffer().size() == y.buffer().size() && std::memcmp(x.buffer().data(), y.buffer().data(), size) == 0)
    return "";
  std::size_t differing = 0;
  for (std::size_t at = 0; at + width <= size; at += width) {
    differing += std::memcmp(x.buffer().data() + at, y.buffer().data() + at, width) != 0;
  }
  return std::to_string(differing) + " of " + std::to_string(size / width) + " values differ";
}

void compare_groups(const Archive& a, const Archive& b, const std::string& prefix,
                    std::vector<ArchiveDifference>& out) {
  for (const auto& [name, entry] : a.entries()) {
    const auto other = b.entries().find(name);
    if (other == b.entries().end()) {
      out.push_back({prefix + name, "is only in the first"});
      continue;
    }
    const auto* x = std::get_if<std::shared_ptr<Archive>>(&entry);
    const auto* y = std::get_if<std::shared_ptr<Archive>>(&other->second);
    if (x != nullptr && y != nullptr) {
      compare_groups(**x, **y, prefix + name + "/", out);
      continue;
    }
    if (std::string what = compare(entry, other->second); !what.empty())
      out.push_back({prefix + name, std::move(what)});
  }
  for (const auto& [name, entry] : b.entries()) {
    if (!a.has(name)) out.push_back({prefix + name, "is only in the second"});
  }
}

}  // namespace

std::vector<ArchiveLine> lines_of(const Archive& archive) {
  std::vector<ArchiveLine> lines;
  collect(archive, "", lines);
  return lines;
}

std::vector<ArchiveDifference> differences(const Archive& a, const Archive& b) {
  std::vector<ArchiveDifference> out;
  compare_groups(a, b, "", out);
  return out;
}

}  // namespace stream::cli
