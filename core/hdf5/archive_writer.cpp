#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "hdf5/archive_file.hpp"
#include "hdf5/hdf5_call.hpp"
#include "hdf5/mapped_file.hpp"
#include "hdf5/trailer.hpp"
#include "stream/file.hpp"

namespace stream {
namespace {

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

/// Writes the HDF5 part: a new file, H5F_ACC_EXCL, or one that takes another's place, H5F_ACC_TRUNC.
void write_tree(const std::string& path, const Archive& archive, unsigned how) {
  const Library library;
  const Handle access = access_properties();
  Handle file(H5Fcreate(path.c_str(), how, timeless(H5P_FILE_CREATE), access), H5Fclose);
  take_file_failure();  // to create a file HDF5 first tries to open one that is there
  write_group(file, archive);
  check(H5Fflush(file, H5F_SCOPE_GLOBAL));
  file.close();
  check_files();
}

}  // namespace

void write_archive_beside(const std::string& temporary, const std::string& path, const Archive& archive) {
  try {
    write_tree(temporary, archive, H5F_ACC_TRUNC);
    append_trailer(temporary);
    check_trailer(temporary);  // what a failing disk swallowed shows here, before the old file is replaced
  } catch (const Error& e) {
    files().unlink(temporary.c_str());
    throw cannot_write(path + ": cannot be written: " + e.what());
  }
}

NamelessArchive write_nameless_archive(const std::string& path, const Archive& content) {
  try {
    // Nobody who can foresee the name may lead it elsewhere.
    write_tree(path, content, H5F_ACC_EXCL);
    Buffer pages = map_file(path);
    Archive archive = read_tree(path, pages);
    if (files().unlink(path.c_str()) != 0)
      throw cannot_write(std::string("cannot be removed: ") + std::strerror(errno));
    return {std::move(archive), std::move(pages)};
  } catch (const Error& e) {
    files().unlink(path.c_str());
    throw cannot_write(path + ": cannot be written: " + e.what());
  }
}

void write_archive(const std::string& path, const Archive& archive) {
  const std::string temporary = path + ".tmp";
  write_archive_beside(temporary, path, archive);
  commit_file(temporary, path);
}

}  // namespace stream
