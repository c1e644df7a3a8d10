/// Files of other programs, written here byte by byte, whole and broken at every place.
#include "import/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "files.hpp"
#include "hdf5/archive_file.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

using ::testing::ElementsAre;
using testing::fault;
using ::testing::HasSubstr;
using testing::raw;
using testing::zip;

std::string safetensors(const std::string& header, const std::string& data) {
  return raw<std::uint64_t>({header.size()}) + header + data;
}

std::string npy(const std::string& descr, const std::string& order, const std::string& shape,
                const std::string& data) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.append(63 - (header.size() + 10) % 64, ' ').append("\n");
  return std::string("\x93NUMPY\x01\x00", 8) +
         raw<std::uint16_t>({static_cast<std::uint16_t>(header.size())}) + header + data;
}

TEST(Safetensors, KeepsValuesAndMakesGroupsOfDots) {
  const std::string data =
      raw<float>({1.5f, -2.f, 3.f, 4.f}) + raw<std::int64_t>({7}) + raw<std::int8_t>({-1, 5});
  const auto file = safetensors(
      R"({"__metadata__":{"format":"pt"},"enc.0.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
      R"("step":{"dtype":"I64","shape":[],"data_offsets":[16,24]},"enc.1":{"dtype":"I8","shape":[2],"data_offsets":[24,26]}})",
      data);
  const Archive a = read_safetensors(Buffer::own(file), "m");
  const Tensor& weight = a.group("enc").group("0").tensor("weight");
  EXPECT_THAT(weight.shape(), ElementsAre(2, 2));
  EXPECT_THAT(weight.values<float>(), ElementsAre(1.5f, -2.f, 3.f, 4.f));
  EXPECT_THAT(a.tensor("step").values<std::int64_t>(), ElementsAre(7));
  EXPECT_THAT(a.group("enc").tensor("1").values<std::int32_t>(), ElementsAre(-1, 5));
}

TEST(Safetensors, SaysWhatIsWrongAndWhere) {
  const auto read = [](const std::string& bytes) {
    return fault([&] { read_safetensors(Buffer::own(bytes), "m.safetensors"); });
  };
  EXPECT_THAT(read("abc"), HasSubstr("offset 0"));
  EXPECT_THAT(read(raw<std::uint64_t>({~0ull}) + "{}"), HasSubstr("header length at offset 0"));
  EXPECT_THAT(read(safetensors("{\"a\":", "")), HasSubstr("header at offset 8"));
  EXPECT_THAT(read(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "1234")),
              HasSubstr("not inside the 4 bytes"));
  EXPECT_THAT(read(safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12345678")),
              HasSubstr("need 3 x 4 bytes"));
  EXPECT_THAT(
      read(safetensors(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
                       "12345678")),
      HasSubstr("too large"));
  EXPECT_THAT(read(safetensors(R"({"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})", "12345678")),
              HasSubstr("Q4"));
  EXPECT_THAT(read(safetensors(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "12345678")),
              HasSubstr("lacks 'dtype'"));
  EXPECT_THAT(read(safetensors(R"({"a..b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "1")),
              HasSubstr("empty part"));
}

TEST(Safetensors, FolderWithIndexReadsEveryShard) {
  const testing::ScratchFolder folder;
  testing::write_contents(
      folder / "a.safetensors",
      safetensors(R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "\x01\x02"));
  testing::write_contents(
      folder / "b.safetensors",
      safetensors(R"({"y":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", raw<double>({0.25})));
  testing::write_contents(folder / "model.safetensors.index.json",
                          R"({"weight_map":{"x":"a.safetensors","y":"b.safetensors"}})");
  const Archive a = import_tensors(folder.path().string());
  EXPECT_THAT(a.tensor("x").values<std::uint8_t>(), ElementsAre(1, 2));
  EXPECT_THAT(a.tensor("y").values<double>(), ElementsAre(0.25));

  testing::write_contents(folder / "model.safetensors.index.json",
                          R"({"weight_map":{"x":"../a.safetensors"}})");
  EXPECT_THAT(fault([&] { import_tensors(folder.path().string()); }), HasSubstr("not a plain file name"));
  testing::write_contents(folder / "model.safetensors.index.json", R"({"weight_map":{"z":"a.safetensors"}})");
  EXPECT_THAT(fault([&] { import_tensors(folder.path().string()); }), HasSubstr("holds 0 of the 1"));
}

TEST(Numpy, ReadsOrderAndByteOrder) {
  const Tensor plain =
      read_npy(Buffer::own(npy("<f4", "False", "(2, 3)", raw<float>({0, 1, 2, 3, 4, 5}))), "a");
  EXPECT_THAT(plain.shape(), ElementsAre(2, 3));
  EXPECT_THAT(plain.values<float>(), ElementsAre(0, 1, 2, 3, 4, 5));
  const Tensor fortran =
      read_npy(Buffer::own(npy("<i4", "True", "(2, 3)", raw<std::int32_t>({0, 3, 1, 4, 2, 5}))), "a");
  EXPECT_THAT(fortran.values<std::int32_t>(), ElementsAre(0, 1, 2, 3, 4, 5));
  const Tensor big =
      read_npy(Buffer::own(npy(">i2", "False", "(2,)", std::string("\xff\xfe\x01\x00", 4))), "a");
  EXPECT_THAT(big.values<std::int32_t>(), ElementsAre(-2, 256));
  const Tensor scalar = read_npy(Buffer::own(npy("<f8", "False", "()", raw<double>({2.5}))), "a");
  EXPECT_THAT(scalar.values<double>(), ElementsAre(2.5));
}

TEST(Numpy, SaysWhatIsWrongAndWhere) {
  const auto read = [](const std::string& bytes) {
    return fault([&] { read_npy(Buffer::own(bytes), "a.npy"); });
  };
  EXPECT_THAT(read("nothing of the kind"), HasSubstr("magic at offset 0"));
  EXPECT_THAT(read(npy("<f4", "False", "(2,)", "1234")), HasSubstr("expected 2 elements of 4 bytes"));
  EXPECT_THAT(read(npy("|O", "False", "(2,)", "1234")), HasSubstr("'|O'"));
  EXPECT_THAT(read(npy("<f4", "Maybe", "(2,)", "12345678")), HasSubstr("True or False"));
  EXPECT_THAT(read(npy("<f4", "False", "(4611686018427387904, 4)", "")), HasSubstr("too large"));
  EXPECT_THAT(read(npy("<f4", "False", "(4611686018427387904,)", "")),
              HasSubstr("expected 4611686018427387904 elements"));
  EXPECT_THAT(read(npy("<u8", "False", "(1,)", std::string(8, '\xff'))), HasSubstr("does not fit"));
}

TEST(Numpy, ZipStoredAndDeflated) {
  const std::string one = npy("<f4", "False", "(2,)", raw<float>({1, 2})),
                    zeros = npy("<f4", "False", "(100000,)", std::string(400000, '\0'));
  for (const bool packed : {false, true}) {
    const Archive a =
        read_npz(Buffer::own(zip({{"one.npy", one}, {"deep/zeros.npy", zeros}}, packed)), "a.npz");
    EXPECT_THAT(a.tensor("one").values<float>(), ElementsAre(1, 2));
    EXPECT_EQ(a.group("deep").tensor("zeros").elements(), 100000);
  }
  EXPECT_THAT(fault([&] {
                read_npz(Buffer::own(zip({{"one.txt", one}}, false)), "a.npz");
              }),
              HasSubstr("not a .npy"));
  EXPECT_THAT(fault([&] {
                read_npz(Buffer::own(zip({{"one.npy", one}, {"one.npy", one}}, false)), "a.npz");
              }),
              HasSubstr("twice"));
}

TEST(Numpy, EveryCutAndEveryFlippedByteIsAnErrorOrHarmless) {
  const std::string whole = zip({{"one.npy", npy("<f4", "False", "(2,)", raw<float>({1, 2}))}}, true);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(fault([&] { read_npz(Buffer::own(whole.substr(0, size)), "a.npz"); }), "(none)") << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned char flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      fault([&] { read_npz(Buffer::own(damaged), "a.npz"); });  // kBadData or fine; never anything else
    }
  }
}

TEST(Import, RoundTripThroughAnArchiveFile) {
  const testing::ScratchFolder folder;
  testing::write_contents(folder / "w.npz",
                          zip({{"a.npy", npy("<f2", "False", "(3,)", std::string("\0<\0@\0B", 6))}}, true));
  const std::string archive_path = (folder / "w.h5").string();
  write_archive(archive_path, import_tensors((folder / "w.npz").string()));
  const Archive back = read_archive(archive_path);
  EXPECT_EQ(back.tensor("a").dtype(), DType::kF16);
  EXPECT_EQ(back.tensor("a").buffer().text(), std::string("\0<\0@\0B", 6));
}

TEST(Import, RefusesUnknownKinds) {
  EXPECT_THAT(fault([] { import_tensors("model.onnx"); }), HasSubstr(".safetensors, .bin, .pt"));
}

}  // namespace
}  // namespace stream
