#include "hdf5/archive_file.hpp"

#include <hdf5.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <set>

#include "hdf5/file_driver.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

// --- trailer

struct Trailer {
  char magic[8];
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t length;
  unsigned char sha256[32];
  unsigned char padding[8];
};
static_assert(sizeof(Trailer) == 64);
constexpr char kMagic[8] = {'S', 'T', 'R', 'E', 'A', 'M', 'H', '5'};
constexpr std::uint32_t kFormatVersion = 1;

/// SHA-256 of the first `length` bytes of a file, read in pieces.
std::array<unsigned char, 32> digest_of(const std::string& path, std::uint64_t length) {
  InputFile in(path);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  std::vector<std::byte> piece(std::size_t{1} << 18);
  try {
    while (length > 0) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), length));
      const auto [status, size] = in.read(std::span(piece).first(want));
      if (status != InputFile::Status::kData) throw bad_data(path + ": is cut short");
      EVP_DigestUpdate(context, piece.data(), size);
      length -= size;
    }
  } catch (...) {
    EVP_MD_CTX_free(context);
    throw;
  }
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  EVP_MD_CTX_free(context);
  return digest;
}

std::uint64_t size_on_disk(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void append_trailer(const std::string& path) {
  Trailer trailer{};
  std::memcpy(trailer.magic, kMagic, sizeof kMagic);
  trailer.version = kFormatVersion;
  trailer.length = size_on_disk(path);
  const auto digest = digest_of(path, trailer.length);
  std::memcpy(trailer.sha256, digest.data(), digest.size());
  OutputFile out(path);
  out.resume_at(trailer.length);
  out.write(std::as_bytes(std::span(&trailer, 1)));
  out.flush();
}

/// The last bytes of a file that is long enough to have them.
Trailer read_trailer(InputFile& in) {
  in.skip_to(in.size() - sizeof(Trailer));
  Trailer trailer{};
  std::size_t have = 0;
  while (have < sizeof trailer) {
    const auto [status, size] = in.read(std::as_writable_bytes(std::span(&trailer, 1)).subspan(have));
    if (status != InputFile::Status::kData) throw bad_data(in.name() + ": is cut short");
    have += size;
  }
  return trailer;
}

bool has_magic(const Trailer& trailer) { return std::memcmp(trailer.magic, kMagic, sizeof kMagic) == 0; }

/// Throws unless the file is whole and of a version that we read.
void check_trailer(const std::string& path) {
  InputFile in(path);
  if (in.size() < sizeof(Trailer)) throw bad_data(path + ": is too short for an archive of stream");
  const Trailer trailer = read_trailer(in);
  if (!has_magic(trailer)) {
    throw bad_data(path + ": is no archive of stream, or is cut short: its last 64 bytes are no trailer");
  }
  if (trailer.version > kFormatVersion) {
    throw bad_data(path + ": has format version " + std::to_string(trailer.version) +
                   ", this program reads up to " + std::to_string(kFormatVersion) + ": use a newer stream");
  }
  if (trailer.version != kFormatVersion || trailer.reserved != 0 ||
      std::any_of(std::begin(trailer.padding), std::end(trailer.padding), [](auto b) { return b != 0; })) {
    throw bad_data(path + ": is damaged: its trailer holds what no version of it does");
  }
  if (trailer.length != in.size() - sizeof(Trailer)) {
    throw bad_data(path + ": should have " + std::to_string(trailer.length + sizeof(Trailer)) +
                   " bytes, has " + std::to_string(in.size()));
  }
  const auto digest = digest_of(path, trailer.length);
  if (std::memcmp(digest.data(), trailer.sha256, digest.size()) != 0) {
    throw bad_data(path + ": is damaged: its content does not match its SHA-256 digest");
  }
}

// --- HDF5: one lock for all calls (the library's own covers single calls only), and its error stack turned
// off for the thread that calls, because it would print on its own.

class Library {
 public:
  Library() : lock_(mutex()) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);  // a file may name a filter, but not have code loaded for it
    take_file_failure();
  }

 private:
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex m;
    return m;
  }
  std::scoped_lock<std::recursive_mutex> lock_;
};

[[noreturn]] void refused() {
  const std::string why = take_file_failure();
  throw why.empty() ? bad_data("HDF5 refused an operation") : no_input(why);
}

class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {
    if (id_ < 0) refused();
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  /// For what writes when it is closed, and may fail.
  void close() {
    if (close_(std::exchange(id_, -1)) < 0) refused();
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void check(herr_t result) {
  if (result < 0) refused();
}

/// Whether every call on files has succeeded, which HDF5 itself cannot tell.
void check_files() {
  if (const std::string why = take_file_failure(); !why.empty()) throw no_input(why);
}

/// Access properties of every archive.
Handle access_properties() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  check(H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110));
  if (!use_stream_files(access)) refused();
  return access;
}

/// Creation properties without times of creation, so that equal archives are equal files.
Handle timeless(hid_t kind) {
  const hid_t properties = H5Pcreate(kind);
  if (properties >= 0) H5Pset_obj_track_times(properties, false);
  return Handle(properties, H5Pclose);
}

// 16-bit floats are stored as unsigned 16-bit integers with an attribute that says what they are.
hid_t file_type(DType type) {
  switch (type) {
    case DType::kU8:
      return H5T_STD_U8LE;
    case DType::kU16:
    case DType::kF16:
    case DType::kBF16:
      return H5T_STD_U16LE;
    case DType::kI32:
      return H5T_STD_I32LE;
    case DType::kI64:
      return H5T_STD_I64LE;
    case DType::kF32:
      return H5T_IEEE_F32LE;
    case DType::kF64:
      return H5T_IEEE_F64LE;
  }
  return -1;
}

void write_attribute(hid_t where, const char* name, const std::string& text) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  check(H5Tset_size(type, text.empty() ? 1 : text.size()));
  check(H5Tset_cset(type, H5T_CSET_UTF8));
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle attribute(H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  check(H5Awrite(attribute, type, text.empty() ? "\0" : text.data()));
}

void write_scalar(hid_t group, const std::string& name, const Archive::Scalar& scalar) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const auto write = [&](hid_t stored, hid_t memory, const void* data) {
    const Handle set(H5Dcreate2(group, name.c_str(), stored, space, H5P_DEFAULT, timeless(H5P_DATASET_CREATE),
                                H5P_DEFAULT),
                     H5Dclose);
    check(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    return 0;
  };
  if (const auto* b = std::get_if<bool>(&scalar)) {
    const std::uint8_t byte = *b;
    write(H5T_STD_B8LE, H5T_NATIVE_B8, &byte);
  } else if (const auto* i = std::get_if<std::int64_t>(&scalar)) {
    write(H5T_STD_I64LE, H5T_NATIVE_INT64, i);
  } else if (const auto* d = std::get_if<double>(&scalar)) {
    write(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, d);
  } else {
    // Fixed-length UTF-8; the empty string is one NUL, which no string that we read back keeps.
    const auto& text = std::get<std::string>(scalar);
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    check(H5Tset_size(type, text.size() + 1));
    check(H5Tset_cset(type, H5T_CSET_UTF8));
    check(H5Tset_strpad(type, H5T_STR_NULLPAD));
    write(type, type, text.c_str());
  }
}

void write_tensor(hid_t group, const std::string& name, const Tensor& tensor) {
  if (!tensor.contiguous()) throw failed("'" + name + "': only contiguous tensors can be stored");
  std::vector<hsize_t> dims(tensor.shape().begin(), tensor.shape().end());
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose);
  const hid_t type = file_type(tensor.dtype());
  const Handle set(
      H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, timeless(H5P_DATASET_CREATE), H5P_DEFAULT),
      H5Dclose);
  if (tensor.elements() > 0)
    check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.buffer().data()));
  if (tensor.dtype() == DType::kF16 || tensor.dtype() == DType::kBF16)
    write_attribute(set, "dtype", name_of(tensor.dtype()));
  // A tensor without dimensions would read back as a scalar.
  if (dims.empty()) write_attribute(set, "tensor", "0");
}

void write_group(hid_t group, const Archive& archive) {
  for (const auto& [name, entry] : archive.entries()) {
    if (const auto* scalar = std::get_if<Archive::Scalar>(&entry)) {
      write_scalar(group, name, *scalar);
    } else if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
      write_tensor(group, name, **tensor);
    } else {
      const Handle inner(
          H5Gcreate2(group, name.c_str(), H5P_DEFAULT, timeless(H5P_GROUP_CREATE), H5P_DEFAULT), H5Gclose);
      write_group(inner, *std::get<std::shared_ptr<Archive>>(entry));
    }
  }
}

// Reading. The digest tells damage, not malice: whoever writes a file can give it a digest that fits. So
// nothing is believed here: only what `write_archive` makes is read (hard links, contiguous datasets in this
// file, no filters, fixed-length strings), and every size is held against the file's before memory is taken
// for it.

class Reader {
 public:
  explicit Reader(std::uint64_t file_size) : file_size_(file_size) {}

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
    std::vector<std::byte> data(bytes);
    if (bytes > 0) check(H5Dread(set, file_type(element), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()));
    return {Buffer::own(std::move(data)), element, {dims.begin(), dims.end()}};
  }

  std::uint64_t file_size_;
  std::set<haddr_t> seen_;  ///< objects read so far: hard links can make circles
};

/// Writes the HDF5 part.
void write_tree(const std::string& path, const Archive& archive) {
  const Library library;
  const Handle access = access_properties();
  Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, timeless(H5P_FILE_CREATE), access), H5Fclose);
  take_file_failure();  // to create a file HDF5 first tries to open one that is there
  write_group(file, archive);
  check(H5Fflush(file, H5F_SCOPE_GLOBAL));
  file.close();
  check_files();
}

}  // namespace

void write_archive_beside(const std::string& temporary, const std::string& path, const Archive& archive) {
  try {
    write_tree(temporary, archive);
    append_trailer(temporary);
    check_trailer(temporary);  // what a failing disk swallowed shows here, before the old file is replaced
  } catch (const Error& e) {
    files().unlink(temporary.c_str());
    throw cannot_write(path + ": cannot be written: " + e.what());
  }
}

void write_archive(const std::string& path, const Archive& archive) {
  const std::string temporary = path + ".tmp";
  write_archive_beside(temporary, path, archive);
  commit_file(temporary, path);
}

bool is_archive(const std::string& path) {
  InputFile in(path);
  return in.size() >= sizeof(Trailer) && has_magic(read_trailer(in));
}

Archive read_archive(const std::string& path) {
  check_trailer(path);
  const Library library;
  Archive archive;
  try {
    const Handle access = access_properties();
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
    const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
    Reader(size_on_disk(path)).group(root, archive, 0);
    check_files();
  } catch (const Error& e) {
    throw e.within(path);
  }
  return archive;
}

}  // namespace stream
