/// The states of many keys as one archive, column by column, so that a million of them are a few datasets.
///
///     keys        u8     the keys' bytes, one after the other
///     key_ends    i64    [n] where each ends
///     layout_of   i32    [n] which of `layouts` each key's state has
///     layouts/L/columns  text: of each entry of such a state a line "KIND PATH"
///     layouts/L/entries/PATH/values, ends, shapes
///                        what the states of this layout hold there, in the order of their keys. `ends`, of
///                        texts in bytes and of tensors in elements, and `shapes` [n, rank] are there when
///                        sizes differ; tensors of one shape have it as `shapes` [1, rank]
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "stream/archive.hpp"

namespace stream {

/// Makes such an archive of one state after the other, each of which it copies at once.
class StatePacker {
 public:
  StatePacker();
  ~StatePacker();
  /// Throws Error(kFailed) for a tensor that is not contiguous, as writing it would, with nothing added.
  void add(std::string_view key, const Archive& state);
  std::size_t size() const { return key_ends_.size(); }
  /// What was added, and begins anew.
  Archive take();

 private:
  struct Layout;
  std::string keys_, columns_;
  std::vector<std::int64_t> key_ends_;
  std::vector<std::int32_t> layout_of_;
  std::map<std::string, std::size_t> by_columns_;
  std::vector<std::unique_ptr<Layout>> layouts_;
  std::vector<std::pair<std::string, const Archive::Entry*>> leaves_;
};

/// Reads what a packer made, any state at any time.
class PackedStates {
 public:
  /// Throws Error(kBadData) when the archive is no such thing; the ends and shapes of its columns are checked
  /// as they are read.
  explicit PackedStates(const Archive& packed);
  std::size_t size() const { return place_.size(); }
  /// Valid as long as this object is.
  std::string_view key(std::size_t i) const;
  /// Its values are copies: the archive's memory may be a file's, of which nobody should keep a page for one
  /// key, and into which nobody should write.
  Archive state(std::size_t i) const;
  const Archive& archive() const { return packed_; }

 private:
  struct Column {
    char kind;
    std::vector<std::string> path;
    Buffer values;
    DType type = DType::kU8;
    std::span<const std::int64_t> ends, shapes;
    std::size_t rank = 0;
    bool one_shape = false;
  };
  static void open(Column& column, const Archive& entry);
  static Tensor tensor_at(const Column& column, std::size_t row);
  struct Place {
    std::uint32_t layout, row;
  };
  Archive packed_;
  std::string_view keys_;
  std::span<const std::int64_t> key_ends_;
  std::vector<std::vector<Column>> layouts_;
  std::vector<std::uint32_t> rows_of_;  ///< of each layout
  std::vector<Place> place_;
};

}  // namespace stream
