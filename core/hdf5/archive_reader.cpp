#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <vector>

#include "hdf5/archive_file.hpp"
#include "hdf5/hdf5_call.hpp"
#include "hdf5/mapped_file.hpp"
#include "hdf5/trailer.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

// Reading. The digest tells damage, not malice: whoever writes a file can give it a digest that fits. So
// nothing is believed here: only what `write_archive` makes is read (hard links, contiguous datasets in this
// file, no filters, fixed-length strings), and every size is held against the file's before memory is taken
// for it.

class Reader {
 public:
  /// `mapped`: the whole file, of which larger tensors are to be parts; empty: they are read.
  explicit Reader(std::uint64_t file_size, Buffer mapped = {})
      : file_size_(file_size), mapped_(std::move(mapped)) {}

  void group(hid_t group, Archive& into, int depth) {
    if (depth > kDeepest) throw bad_data("has groups nested deeper than " + std::to_string(kDeepest));
    for (const auto& [name, type] : links_of(group)) {
      try {
        if (type != H5L_TYPE_HARD) throw bad_data("is a soft or external link, which archives do not use");
        const Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
        H5O_info_t about{};
        check(H5Oget_info2(object, &about, H5O_INFO_BASIC));
        if (!seen_.insert(about.addr).second) throw bad_data("is linked to more than once");
        if (about.type == H5O_TYPE_GROUP)
          this->group(object, into.group(name), depth + 1);
        else if (about.type == H5O_TYPE_DATASET)
          dataset(object, name, into);
      } catch (const Error& e) {
        throw e.within("'" + name + "'");
      }
    }
  }

 private:
  static constexpr int kDeepest = 64;
  static constexpr std::size_t kLongestName = 4096;

  struct Links {
    std::vector<std::pair<std::string, H5L_type_t>> found;
    std::uint64_t left;  ///< bytes that names may still have
  };
  /// Called by HDF5, through which no exception may pass.
  static herr_t note_link(hid_t, const char* name, const H5L_info_t* info, void* links) noexcept {
    auto& [found, left] = *static_cast<Links*>(links);
    const std::size_t length = std::strlen(name);
    if (length == 0 || length > kLongestName || length > left) return -1;
    left -= length;
    found.emplace_back(name, info->type);
    return 0;
  }

  /// In the order in which the file has them. In the order of names HDF5 1.10 would sort all links anew for
  /// each one asked for, and free what it has not set when a link is damaged.
  std::vector<std::pair<std::string, H5L_type_t>> links_of(hid_t group) const {
    // The old kind keeps its names in a heap whose size HDF5 believes: it would take a gigabyte on a file's
    // word.
    H5G_info_t about{};
    check(H5Gget_info(group, &about));
    if (about.storage_type == H5G_STORAGE_TYPE_SYMBOL_TABLE)
      throw bad_data("is a group of HDF5's first format, which archives do not use");
    Links links{{}, file_size_};
    hsize_t at = 0;
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, &at, &note_link, &links) < 0) {
      check_files();
      throw bad_data("has links that cannot be read, or with names of no length or more than " +
                     std::to_string(kLongestName) + " bytes");
    }
    return std::move(links.found);
  }

  /// The length of a fixed-length string type, which the file must be able to hold.
  std::size_t string_size(hid_t type) const {
    const std::size_t size = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 || size == 0 || size > file_size_)
      throw bad_data("is no string of fixed length");
    return size;
  }

  std::string attribute(hid_t where, const char* name) const {
    if (H5Aexists(where, name) <= 0) return {};
    const Handle attribute(H5Aopen(where, name, H5P_DEFAULT), H5Aclose);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    const Handle space(H5Aget_space(attribute), H5Sclose);
    if (H5Sget_simple_extent_npoints(space) != 1)
      throw bad_data(std::string("has a strange attribute ") + name);
    std::string text(string_size(type), '\0');
    check(H5Aread(attribute, type, text.data()));
    return text;
  }

  DType element_type(hid_t set, hid_t type) const {
    const std::string named = attribute(set, "dtype");
    if (!named.empty()) {
      const DType half = dtype(named);
      if ((half != DType::kF16 && half != DType::kBF16) || H5Tequal(type, file_type(half)) <= 0)
        throw bad_data("is said to be of type " + named + ", and is stored as another");
      return half;
    }
    for (const DType candidate :
         {DType::kU8, DType::kU16, DType::kI32, DType::kI64, DType::kF32, DType::kF64}) {
      if (H5Tequal(type, file_type(candidate)) > 0) return candidate;
    }
    throw bad_data("has an element type that archives do not use");
  }

  /// Refuses storage outside of the file, filters, and chunks: what is read then is what lies in the file.
  static void check_layout(hid_t set) {
    const Handle creation(H5Dget_create_plist(set), H5Pclose);
    if (H5Pget_external_count(creation) != 0) throw bad_data("keeps its data in another file");
    const H5D_layout_t layout = H5Pget_layout(creation);
    if ((layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) || H5Pget_nfilters(creation) != 0)
      throw bad_data("is stored in chunks or filtered, which archives do not use");
  }

  void dataset(hid_t set, const std::string& name, Archive& into) {
    check_layout(set);
    const Handle type(H5Dget_type(set), H5Tclose);
    const Handle space(H5Dget_space(set), H5Sclose);
    const H5S_class_t extent = H5Sget_simple_extent_type(space);
    if (extent == H5S_SCALAR && H5Aexists(set, "tensor") <= 0)
      scalar(set, type, name, into);
    else if (extent == H5S_SCALAR || extent == H5S_SIMPLE)
      into.set(name, tensor(set, type, space));
    else
      throw bad_data("has no extent");
  }

  void scalar(hid_t set, hid_t type, const std::string& name, Archive& into) const {
    const auto read = [&](hid_t memory, auto value) {
      check(H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value));
      return value;
    };
    switch (H5Tget_class(type)) {
      case H5T_STRING: {
        std::string text(string_size(type), '\0');
        check(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()));
        text.pop_back();
        into.set(name, text);
        return;
      }
      case H5T_BITFIELD:
        if (H5Tget_size(type) != 1) throw bad_data("is a bit field of more than one byte");
        into.set(name, read(H5T_NATIVE_B8, std::uint8_t{0}) != 0);
        return;
      case H5T_INTEGER:
        if (H5Tget_size(type) > sizeof(std::int64_t)) throw bad_data("is an integer of more than 64 bits");
        into.set(name, read(H5T_NATIVE_INT64, std::int64_t{0}));
        return;
      case H5T_FLOAT:
        if (H5Tget_size(type) > sizeof(double)) throw bad_data("is a float of more than 64 bits");
        into.set(name, read(H5T_NATIVE_DOUBLE, 0.0));
        return;
      default:
        throw bad_data("has a type that archives do not use");
    }
  }

  Tensor tensor(hid_t set, hid_t type, hid_t space) const {
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > H5S_MAX_RANK) throw bad_data("has no dimensions that can be read");
    std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
    if (rank > 0) check(H5Sget_simple_extent_dims(space, dims.data(), nullptr));
    const DType element = element_type(set, type);
    std::uint64_t bytes = size_of(element);
    bool empty = false;
    for (const hsize_t d : dims) {
      empty = empty || d == 0;
      if (d > file_size_ || (d != 0 && bytes > file_size_ / d))
        throw bad_data("claims more elements than the file has bytes");
      bytes *= std::max<hsize_t>(1, d);
    }
    if (empty) bytes = 0;
    if (bytes > 0 && H5Dget_storage_size(set) != bytes)
      throw bad_data("has " + std::to_string(H5Dget_storage_size(set)) + " bytes, its shape needs " +
                     std::to_string(bytes));
    if (bytes >= kMappedFrom && !mapped_.empty()) {
      const haddr_t at = H5Dget_offset(set);
      if (at != HADDR_UNDEF && at % size_of(element) == 0 && at <= mapped_.size() &&
          bytes <= mapped_.size() - at)
        return {mapped_.slice(at, bytes), element, {dims.begin(), dims.end()}};
    }
    std::vector<std::byte> data(bytes);
    if (bytes > 0) check(H5Dread(set, file_type(element), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()));
    return {Buffer::own(std::move(data)), element, {dims.begin(), dims.end()}};
  }

  static constexpr std::uint64_t kMappedFrom = 4096;  ///< bytes: a page
  std::uint64_t file_size_;
  Buffer mapped_;
  std::set<haddr_t> seen_;  ///< objects read so far: hard links can make circles
};

/// HDF5 would look for its signature further back, too, and the first two versions of what follows it name
/// the length of a block for drivers, which it believes: four gigabytes on a file's word. `write_archive`
/// makes version 3, at the beginning.
void check_signature(const std::string& path) {
  constexpr std::array<unsigned char, 8> kSignature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  InputFile in(path);
  std::array<std::byte, kSignature.size() + 1> found{};
  std::size_t have = 0;
  while (have < found.size()) {
    const auto [status, size] = in.read(std::span(found).subspan(have));
    if (status != InputFile::Status::kData) break;
    have += size;
  }
  if (std::memcmp(found.data(), kSignature.data(), kSignature.size()) != 0 ||
      (found.back() != std::byte{2} && found.back() != std::byte{3}))
    throw bad_data("does not begin as HDF5 files with a superblock of version 2 or 3 do");
}

}  // namespace

Archive read_tree(const std::string& path, const Buffer& mapped) {
  const Library library;
  Archive archive;
  try {
    check_signature(path);
    const Handle access = access_properties();
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
    const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
    Reader(size_on_disk(path), mapped).group(root, archive, 0);
    check_files();
  } catch (const Error& e) {
    throw e.within(path);
  }
  return archive;
}

Archive read_archive(const std::string& path) {
  check_trailer(path);
  return read_tree(path, {});
}

Archive map_archive(const std::string& path) {
  check_trailer(path);
  return read_tree(path, map_file(path));
}

}  // namespace stream
