/// Archives that nobody's `write_archive` made: the digest fits, the content means harm.
#include <gmock/gmock.h>
#include <hdf5.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "hdf5/archive_file.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

class HostileArchive : public ::testing::Test {
 protected:
  std::string path = (std::filesystem::temp_directory_path() /
                      ("hostile-" + std::to_string(::getpid()) + "-" +
                       ::testing::UnitTest::GetInstance()->current_test_info()->name()))
                         .string();
  void TearDown() override { std::filesystem::remove(path); }

  /// Makes a file with HDF5 itself and gives it a trailer that fits.
  void make(const std::function<void(hid_t file)>& fill, H5F_libver_t format = H5F_LIBVER_V110,
            hid_t creation = H5P_DEFAULT) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    ASSERT_GE(H5Pset_libver_bounds(access, format, H5F_LIBVER_V110), 0);
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access);
    ASSERT_GE(file, 0);
    fill(file);
    H5Fclose(file);
    H5Pclose(access);
    std::ifstream in(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(in), {}};
    std::array<unsigned char, 64> trailer{};
    std::memcpy(trailer.data(), "STREAMH5", 8);
    trailer[8] = 1;
    const std::uint64_t length = content.size();
    std::memcpy(trailer.data() + 16, &length, sizeof length);
    SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), trailer.data() + 24);
    std::ofstream(path, std::ios::binary | std::ios::app)
        .write(reinterpret_cast<const char*>(trailer.data()), trailer.size());
  }

  static hid_t dataset(hid_t where, const char* name, hid_t type, std::vector<hsize_t> dims,
                       hid_t creation = H5P_DEFAULT) {
    const hid_t space = dims.empty() ? H5Screate(H5S_SCALAR)
                                     : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    const hid_t set = H5Dcreate2(where, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Sclose(space);
    return set;
  }

  void expect_refused(const std::string& reason) {
    try {
      read_archive(path);
      ADD_FAILURE() << "was read";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadData) << e.what();
      EXPECT_THAT(e.what(), ::testing::HasSubstr(path));
      EXPECT_THAT(e.what(), ::testing::HasSubstr(reason));
    }
  }
};

TEST_F(HostileArchive, HarmlessContentIsRead) {
  make([](hid_t file) {
    const hid_t set = dataset(file, "x", H5T_IEEE_F32LE, {3});
    const float values[3] = {1, 2, 3};
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
  });
  EXPECT_EQ(read_archive(path).tensor("x").elements(), 3);
}

TEST_F(HostileArchive, SuperblocksOfTheFirstVersions) {
  // They have a block for drivers, whose length HDF5 would allocate.
  make([](hid_t file) { H5Dclose(dataset(file, "x", H5T_IEEE_F32LE, {})); }, H5F_LIBVER_EARLIEST);
  expect_refused("superblock of version 2 or 3");
}

TEST_F(HostileArchive, GroupsWhoseNamesLieInAHeap) {
  // Pages need a newer superblock; the groups are as old as they may be.
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  ASSERT_GE(H5Pset_file_space_strategy(creation, H5F_FSPACE_STRATEGY_PAGE, 0, 1), 0);
  make([](hid_t file) { H5Dclose(dataset(file, "x", H5T_IEEE_F32LE, {})); }, H5F_LIBVER_EARLIEST, creation);
  H5Pclose(creation);
  expect_refused("is a group of HDF5's first format");
}

TEST_F(HostileArchive, MoreElementsThanTheFileHasBytes) {
  // Nothing was written, so that nothing is stored; a reader that allocates what is stored and reads what is
  // claimed writes behind its buffer.
  make([](hid_t file) { H5Dclose(dataset(file, "x", H5T_IEEE_F32LE, {1000000, 1000})); });
  expect_refused("claims more elements than the file has bytes");
}

TEST_F(HostileArchive, DimensionsWhoseProductOverflows) {
  make([](hid_t file) { H5Dclose(dataset(file, "x", H5T_IEEE_F64LE, {1ull << 31, 1ull << 31, 8})); });
  expect_refused("claims more elements than the file has bytes");
}

TEST_F(HostileArchive, FewerBytesStoredThanTheShapeNeeds) {
  make([](hid_t file) { H5Dclose(dataset(file, "x", H5T_IEEE_F32LE, {10})); });
  expect_refused("its shape needs 40");
}

TEST_F(HostileArchive, CompressedChunks) {
  make([](hid_t file) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 1 << 16;
    H5Pset_chunk(creation, 1, &chunk);
    H5Pset_deflate(creation, 9);
    const hid_t set = dataset(file, "bomb", H5T_STD_U8LE, {chunk}, creation);
    const std::vector<std::uint8_t> zeros(chunk);
    H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data());
    H5Dclose(set);
    H5Pclose(creation);
  });
  expect_refused("chunks or filtered");
}

TEST_F(HostileArchive, DataInAnotherFile) {
  make([](hid_t file) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(creation, "/etc/passwd", 0, 100);
    H5Dclose(dataset(file, "x", H5T_STD_U8LE, {100}, creation));
    H5Pclose(creation);
  });
  expect_refused("in another file");
}

TEST_F(HostileArchive, LinksOutOfTheFileAndIntoItself) {
  make([](hid_t file) { H5Lcreate_external("/etc/passwd", "/", file, "x", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refused("soft or external link");
  make([](hid_t file) { H5Lcreate_soft("/", file, "x", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refused("soft or external link");
  make([](hid_t file) {
    const hid_t group = H5Gcreate2(file, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(group, ".", group, "b", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(group, ".", group, "c", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
  });
  expect_refused("linked to more than once");
}

TEST_F(HostileArchive, StringsOfVariableLength) {
  make([](hid_t file) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t set = dataset(file, "x", type, {});
    const char* text = "somewhere on the heap";
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text);
    H5Dclose(set);
    H5Tclose(type);
  });
  expect_refused("no string of fixed length");
}

TEST_F(HostileArchive, AttributesWithMoreThanOneValue) {
  make([](hid_t file) {
    const hid_t set = dataset(file, "x", H5T_STD_U16LE, {1});
    const std::uint16_t half = 0x3c00;
    H5Dwrite(set, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, &half);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 8);
    const hsize_t many = 1000;
    const hid_t space = H5Screate_simple(1, &many, nullptr);
    const hid_t attribute = H5Acreate2(set, "dtype", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, std::string(8 * many, 'x').data());
    H5Aclose(attribute), H5Sclose(space), H5Tclose(type), H5Dclose(set);
  });
  expect_refused("strange attribute");
}

TEST_F(HostileArchive, HalfPrecisionThatIsNone) {
  make([](hid_t file) {
    const hid_t set = dataset(file, "x", H5T_STD_U8LE, {4});
    const std::uint8_t values[4] = {};
    H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 7);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(set, "dtype", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, "float16");
    H5Aclose(attribute), H5Sclose(space), H5Tclose(type), H5Dclose(set);
  });
  expect_refused("is stored as another");
}

}  // namespace
}  // namespace stream
