#include "engine/packed_states.hpp"

#include <algorithm>
#include <utility>

namespace stream {
namespace {

// Kinds of entries. A group is listed only when it is empty: others show in the paths of what they hold.
constexpr char kBool = 'b', kInteger = 'i', kNumber = 'n', kText = 's', kTensor = 't', kGroup = 'g';

using Leaf = std::pair<std::string, const Archive::Entry*>;  // path and entry

/// The kind, and of a tensor its type and rank.
void append_kind(const Archive::Entry& entry, std::string& to) {
  if (const auto* scalar = std::get_if<Archive::Scalar>(&entry)) {
    constexpr char kScalars[] = {kBool, kInteger, kNumber, kText};
    to += kScalars[scalar->index()];
  } else if (const auto* held = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
    if (!(*held)->contiguous()) throw failed("only contiguous tensors can be stored");
    to += kTensor;
    to += name_of((*held)->dtype());
    to += std::to_string((*held)->shape().size());
  } else {
    to += kGroup;
  }
}

void leaves_of(const Archive& archive, const std::string& prefix, std::vector<Leaf>& into) {
  for (const auto& [name, entry] : archive.entries()) {
    if (name.find('\n') != std::string::npos) throw failed("'" + name + "' is no name for a key's state");
    const std::string path = prefix + name;
    const auto* group = std::get_if<std::shared_ptr<Archive>>(&entry);
    if (group != nullptr && !(*group)->entries().empty())
      leaves_of(**group, path + "/", into);
    else
      into.emplace_back(path, &entry);
  }
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash + 1);
  }
  parts.emplace_back(path);
  return parts;
}

Archive& group_at(Archive& from, const std::vector<std::string>& path) {
  Archive* at = &from;
  for (const std::string& part : path) at = &at->group(part);
  return *at;
}

/// One entry of all states of a layout, as columns.
class ColumnWriter {
 public:
  void add(const Archive::Entry& entry) {
    if (const auto* scalar = std::get_if<Archive::Scalar>(&entry)) {
      if (const auto* b = std::get_if<bool>(scalar)) bytes_.push_back(std::byte(*b ? 1 : 0));
      if (const auto* i = std::get_if<std::int64_t>(scalar)) append(i, sizeof *i);
      if (const auto* d = std::get_if<double>(scalar)) append(d, sizeof *d);
      if (const auto* s = std::get_if<std::string>(scalar)) {
        append(s->data(), s->size());
        ends_.push_back(static_cast<std::int64_t>(bytes_.size()));
      }
    } else if (const auto* held = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
      const Tensor& tensor = **held;
      dtype_ = tensor.dtype();
      rank_ = static_cast<std::int64_t>(tensor.shape().size());
      const auto elements = static_cast<std::size_t>(tensor.elements());
      append(tensor.buffer().data(), elements * size_of(dtype_));
      ends_.push_back((ends_.empty() ? 0 : ends_.back()) + static_cast<std::int64_t>(elements));
      one_shape_ = one_shape_ &&
                   (rows_ == 0 || std::equal(tensor.shape().begin(), tensor.shape().end(), shapes_.begin()));
      shapes_.insert(shapes_.end(), tensor.shape().begin(), tensor.shape().end());
    }
    ++rows_;
  }

  void write(char kind, Archive& into) && {
    if (kind == kGroup) return;
    const DType type = kind == kInteger ? DType::kI64 : kind == kNumber ? DType::kF64 : dtype_;
    const auto count = static_cast<std::int64_t>(bytes_.size() / size_of(type));
    into.set("values", Tensor(Buffer::own(std::move(bytes_)), type, {count}));
    if (kind == kText) into.set("ends", ends_);
    if (kind != kTensor) return;
    if (one_shape_) {
      shapes_.resize(static_cast<std::size_t>(rank_));
      into.set("shapes", Tensor::of(std::move(shapes_), {1, rank_}));
    } else {
      into.set("ends", ends_);
      into.set("shapes", Tensor::of(std::move(shapes_), {rows_, rank_}));
    }
  }

 private:
  void append(const void* data, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), from, from + size);
  }
  std::vector<std::byte> bytes_;
  std::vector<std::int64_t> ends_, shapes_;
  DType dtype_ = DType::kU8;
  std::int64_t rank_ = 0, rows_ = 0;
  bool one_shape_ = true;
};

/// Where row `row` begins and ends. Throws Error(kBadData).
std::pair<std::size_t, std::size_t> between(std::span<const std::int64_t> ends, std::size_t row,
                                            std::size_t most) {
  if (row >= ends.size()) throw bad_data("a column of the keys' states is too short");
  const std::int64_t begin = row == 0 ? 0 : ends[row - 1], end = ends[row];
  if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > most)
    throw bad_data("a column of the keys' states does not fit its ends");
  return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end)};
}

template <typename T>
T value_at(const Buffer& values, std::size_t row) {
  const auto all = values.as<T>();
  if (row >= all.size()) throw bad_data("a column of the keys' states is too short");
  return all[row];
}

}  // namespace

struct StatePacker::Layout {
  std::vector<std::string> paths;
  std::string kinds;
  std::vector<ColumnWriter> columns;
};

StatePacker::StatePacker() = default;
StatePacker::~StatePacker() = default;

void StatePacker::add(std::string_view key, const Archive& state) {
  leaves_.clear(), columns_.clear();
  leaves_of(state, "", leaves_);
  for (const auto& [path, entry] : leaves_) {
    append_kind(*entry, columns_);
    columns_ += ' ';
    columns_ += path;
    columns_ += '\n';
  }
  const auto [found, fresh] = by_columns_.try_emplace(columns_, layouts_.size());
  if (fresh) {
    Layout& layout = *layouts_.emplace_back(std::make_unique<Layout>());
    for (const auto& [path, entry] : leaves_) {
      std::string kind;
      append_kind(*entry, kind);
      layout.kinds += kind[0];
      layout.paths.push_back(path);
    }
    layout.columns.resize(leaves_.size());
  }
  Layout& layout = *layouts_[found->second];
  for (std::size_t c = 0; c < leaves_.size(); ++c) layout.columns[c].add(*leaves_[c].second);
  keys_ += key;
  key_ends_.push_back(static_cast<std::int64_t>(keys_.size()));
  layout_of_.push_back(static_cast<std::int32_t>(found->second));
}

Archive StatePacker::take() {
  Archive packed;
  packed.set("keys", std::span(reinterpret_cast<const std::uint8_t*>(keys_.data()), keys_.size()));
  packed.set("key_ends", std::exchange(key_ends_, {}));
  packed.set("layout_of", std::exchange(layout_of_, {}));
  Archive& all = packed.group("layouts");
  for (const auto& [text, number] : by_columns_) {
    Archive& group = all.group(std::to_string(number));
    group.set("columns", text);
    Archive& entries = group.group("entries");
    Layout& layout = *layouts_[number];
    for (std::size_t c = 0; c < layout.columns.size(); ++c)
      std::move(layout.columns[c]).write(layout.kinds[c], group_at(entries, split(layout.paths[c])));
  }
  keys_.clear(), by_columns_.clear(), layouts_.clear();
  return packed;
}

PackedStates::PackedStates(const Archive& packed) : packed_(packed) {
  keys_ = packed_.tensor("keys").buffer().text();
  key_ends_ = packed_.tensor("key_ends").values<std::int64_t>();
  const auto layout_of = packed_.tensor("layout_of").values<std::int32_t>();
  if (layout_of.size() != key_ends_.size()) throw bad_data("the keys' states are incomplete");
  const Archive& all = std::as_const(packed_).group("layouts");
  for (std::size_t l = 0; all.has(std::to_string(l)); ++l) {
    const Archive& layout = all.group(std::to_string(l));
    const Archive& entries = layout.group("entries");
    const auto text = layout.get<std::string>("columns");
    auto& columns = layouts_.emplace_back();
    std::string_view left = text;
    while (!left.empty()) {
      const std::size_t end = left.find('\n'), blank = left.find(' ');
      if (end == std::string_view::npos || blank == std::string_view::npos || blank == 0 || blank + 1 >= end)
        throw bad_data("the keys' states have a column without kind or name");
      Column column{.kind = left[0], .path = split(left.substr(blank + 1, end - blank - 1))};
      const Archive* entry = &entries;
      for (const std::string& part : column.path) entry = &entry->group(part);
      open(column, *entry);
      columns.push_back(std::move(column));
      left.remove_prefix(end + 1);
    }
  }
  rows_of_.resize(layouts_.size());
  place_.reserve(layout_of.size());
  for (const std::int32_t l : layout_of) {
    if (l < 0 || static_cast<std::size_t>(l) >= layouts_.size())
      throw bad_data("the keys' states are of a layout that is not there");
    place_.push_back({static_cast<std::uint32_t>(l), rows_of_[static_cast<std::size_t>(l)]++});
  }
}

/// Finds once what every state asks for.
void PackedStates::open(Column& column, const Archive& entry) {
  const auto of_type = [&](DType type) {
    if (column.type != type) throw bad_data("a column of the keys' states has values of another type");
  };
  if (column.kind == kGroup) return;
  const Tensor& values = entry.tensor("values");
  if (!values.contiguous()) throw bad_data("a column of the keys' states is not contiguous");
  column.type = values.dtype();
  column.values =
      values.buffer().slice(0, static_cast<std::size_t>(values.elements()) * size_of(column.type));
  switch (column.kind) {
    case kBool:
      return of_type(DType::kU8);
    case kInteger:
      return of_type(DType::kI64);
    case kNumber:
      return of_type(DType::kF64);
    case kText:
      column.ends = entry.tensor("ends").values<std::int64_t>();
      return of_type(DType::kU8);
    case kTensor:
      break;
    default:
      throw bad_data(std::string("the keys' states have a column of unknown kind '") + column.kind + "'");
  }
  const Tensor& shapes = entry.tensor("shapes");
  column.shapes = shapes.values<std::int64_t>();
  if (shapes.shape().size() != 2 || shapes.shape()[1] > 64)
    throw bad_data("a column of the keys' states has no shapes");
  column.rank = static_cast<std::size_t>(shapes.shape()[1]);
  column.one_shape = !entry.has("ends");
  if (!column.one_shape) column.ends = entry.tensor("ends").values<std::int64_t>();
}

Tensor PackedStates::tensor_at(const Column& column, std::size_t row) {
  const std::size_t size = size_of(column.type), held = column.values.size() / size;
  const std::size_t from = column.one_shape ? 0 : row * column.rank;
  if (from + column.rank > column.shapes.size()) throw bad_data("a column of the keys' states is too short");
  const auto shape = column.shapes.subspan(from, column.rank);
  std::uint64_t elements = 1;
  for (const std::int64_t d : shape) {
    if (d < 0 || (d != 0 && elements > held / static_cast<std::uint64_t>(d)))
      throw bad_data("a key's state claims more elements than there are");
    elements *= static_cast<std::uint64_t>(d);
  }
  std::size_t begin = row * elements;
  if (!column.one_shape) {
    const auto [first, end] = between(column.ends, row, held);
    if (end - first != elements) throw bad_data("a key's state does not fit its shape");
    begin = first;
  } else if (elements != 0 && row >= held / elements) {
    throw bad_data("a column of the keys' states is too short");
  }
  return {Buffer::copy(column.values.bytes().subspan(begin * size, elements * size)),
          column.type,
          {shape.begin(), shape.end()}};
}

std::string_view PackedStates::key(std::size_t i) const {
  const auto [begin, end] = between(key_ends_, i, keys_.size());
  return keys_.substr(begin, end - begin);
}

Archive PackedStates::state(std::size_t i) const {
  const auto [layout, row] = place_.at(i);
  Archive out;
  for (const Column& column : layouts_[layout]) {
    const auto& path = column.path;
    if (column.kind == kGroup) {
      group_at(out, path);
      continue;
    }
    Archive* at = &out;
    for (std::size_t p = 0; p + 1 < path.size(); ++p) at = &at->group(path[p]);
    const std::string& name = path.back();
    switch (column.kind) {
      case kBool:
        at->set(name, value_at<std::uint8_t>(column.values, row) != 0);
        break;
      case kInteger:
        at->set(name, value_at<std::int64_t>(column.values, row));
        break;
      case kNumber:
        at->set(name, value_at<double>(column.values, row));
        break;
      case kText: {
        const std::string_view all = column.values.text();
        const auto [begin, end] = between(column.ends, row, all.size());
        at->set(name, all.substr(begin, end - begin));
        break;
      }
      default:
        at->set(name, tensor_at(column, row));
    }
  }
  return out;
}

}  // namespace stream
