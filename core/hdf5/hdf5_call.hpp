/// How archives call HDF5: under one lock, with failures as errors, with handles that close.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

#include "hdf5/file_driver.hpp"
#include "stream/error.hpp"
#include "stream/payload.hpp"

namespace stream {

/// One lock for all calls (the library's own covers single calls only), and its error stack turned off for
/// the thread that calls, because it would print on its own.
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

[[noreturn]] inline void refused() {
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

inline void check(herr_t result) {
  if (result < 0) refused();
}

/// Whether every call on files has succeeded, which HDF5 itself cannot tell.
inline void check_files() {
  if (const std::string why = take_file_failure(); !why.empty()) throw no_input(why);
}

/// Access properties of every archive.
inline Handle access_properties() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  check(H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110));
  // Tensors that may be mapped have to lie where their elements are aligned.
  check(H5Pset_alignment(access, 4096, 64));
  if (!use_stream_files(access)) refused();
  return access;
}

/// Creation properties without times of creation, so that equal archives are equal files.
inline Handle timeless(hid_t kind) {
  const hid_t properties = H5Pcreate(kind);
  if (properties >= 0) H5Pset_obj_track_times(properties, false);
  return Handle(properties, H5Pclose);
}

/// 16-bit floats are stored as unsigned 16-bit integers with an attribute that says what they are.
inline hid_t file_type(DType type) {
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

}  // namespace stream
