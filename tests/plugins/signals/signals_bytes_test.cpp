/// Raw numbers and arrays as vectors, codes as bytes and back, and what damage gets.
#include "signals/signals_bytes.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "stream/testing.hpp"

namespace stream::signals {
namespace {

using ::testing::HasSubstr;

std::string raw(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string npy(const std::string& header, const std::string& data) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

std::vector<Packet> whole(const std::string& bytes) {
  return {Packet::of<Bytes>(Time{0}, Buffer::own(bytes))};
}

template <typename Op>
std::string fault(const Object& params, const std::string& bytes) {
  try {
    testing::run(*testing::make<Op>(params), whole(bytes), 1);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    return e.what();
  }
  return "none";
}

TEST(BytesVectors, RawAndArraysOfNumPy) {
  const auto values = [](const Packet& p) {
    const auto v = p.as<Tensor>().values<float>();
    return std::vector<float>(v.begin(), v.end());
  };
  const auto op = testing::make<BytesVectors>({{"size", 2}});
  const auto out = testing::run(*op, whole(raw({1, 2, 3, 4})), 1).packets[0];
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(values(out[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(values(out[1]), (std::vector<float>{3, 4}));
  EXPECT_EQ(out[1].time, Time{15});

  const auto array = testing::make<BytesVectors>({{"format", "npy"}});
  const auto rows = testing::run(
      *array,
      whole(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", raw({1, 2, 3, 4, 5, 6}))),
      1);
  ASSERT_EQ(rows.packets[0].size(), 2u);
  EXPECT_EQ(values(rows.packets[0][1]), (std::vector<float>{4, 5, 6}));
}

TEST(BytesVectors, WhatIsWrongIsNamed) {
  EXPECT_THROW(testing::make<BytesVectors>(), Error) << "no size";
  EXPECT_THAT(fault<BytesVectors>({{"size", 2}}, raw({1, 2, 3})),
              HasSubstr("byte 8: the input ends inside vector 1, after 4 of 8 bytes"));
  const auto array = [](const std::string& header, const std::string& data, std::int64_t size = 0) {
    return fault<BytesVectors>({{"format", "npy"}, {"size", size}}, npy(header, data));
  };
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
  EXPECT_THAT(array(good, raw({1, 2, 3})), HasSubstr("the input ends inside vector 1"));
  EXPECT_THAT(array(good, raw({1, 2})), HasSubstr("1 rows before the array's end"));
  EXPECT_THAT(array(good, raw({1, 2, 3, 4, 5})), HasSubstr("bytes after the array's last row"));
  EXPECT_THAT(array(good, raw({1, 2, 3, 4}), 3), HasSubstr("has the shape (2, 2), expected (rows, 3)"));
  EXPECT_THAT(array("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }", ""),
              HasSubstr("holds '>f4'"));
  EXPECT_THAT(array("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", ""), HasSubstr("Fortran"));
  EXPECT_THAT(array("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999), }", ""),
              HasSubstr("99999"));
  EXPECT_THAT(fault<BytesVectors>({{"format", "npy"}}, "\x93NUM"), HasSubstr("inside the array's header"));
  EXPECT_THAT(fault<BytesVectors>({{"format", "npy"}}, "RIFF"), HasSubstr("NumPy's magic"));
}

SparseCode code(std::vector<std::int64_t> indices, std::vector<double> values) {
  return {std::move(indices), std::move(values)};
}

/// Codes through both and back.
std::vector<CodeUnpacker::Code> through(std::size_t n, bool half, const std::vector<SparseCode>& codes,
                                        std::size_t* bytes = nullptr) {
  CodePacker packer(n, half);
  CodeUnpacker unpacker;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::string packed = packer.pack(codes[i], static_cast<std::int64_t>(i / 2));
    sum += packed.size();
    unpacker.add(packed);
  }
  std::vector<CodeUnpacker::Code> out;
  while (auto next = unpacker.next()) out.push_back(std::move(*next));
  EXPECT_EQ(unpacker.left(), 0u);
  if (bytes != nullptr) *bytes = sum;
  return out;
}

TEST(CodeBytes, ComeBackAndAreAsManyAsSaid) {
  const std::vector<SparseCode> codes{code({0, 7}, {1.5, -2}), code({}, {}), code({3}, {1.0 / 3})};
  std::size_t bytes = 0;
  const auto back = through(8, true, codes, &bytes);
  // Header 12; lengths 3; three indices of one byte and values of two; a change of version, two bytes.
  EXPECT_EQ(bytes, 12u + 3 + 3 * 3 + 2);
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0].code.indices, codes[0].indices);
  EXPECT_EQ(back[0].code.values, codes[0].values) << "these are exact in binary16";
  EXPECT_EQ(back[0].version, 0);
  EXPECT_EQ(back[2].version, 1);
  EXPECT_NEAR(back[2].code.values[0], 1.0 / 3, 1.0 / 3 * 0x1p-11);
  const auto wide = through(1024, false, {code({1023}, {1e30})}, &bytes);
  EXPECT_EQ(bytes, 12u + 1 + 2 + 4);
  EXPECT_EQ(wide[0].code.indices, (std::vector<std::int64_t>{1023}));
  EXPECT_FLOAT_EQ(static_cast<float>(wide[0].code.values[0]), 1e30f);
}

TEST(CodeBytes, WhatIsWrongIsNamed) {
  CodePacker packer(8, true);
  EXPECT_THROW(packer.pack(code({0}, {1e6}), 0), Error) << "too great for binary16";
  CodePacker sound(8, true);
  const std::string good = sound.pack(code({1, 2}, {1, 2}), 0);
  EXPECT_THAT(fault<UnpackOperator>({}, good), HasSubstr("none"));
  EXPECT_THAT(fault<UnpackOperator>({}, good.substr(0, good.size() - 1)),
              HasSubstr("byte 12 of the codes: the input ends"));
  EXPECT_THAT(fault<UnpackOperator>({}, "SPCODE2\n"), HasSubstr("SPCODE1"));
  const auto with = [&](std::size_t at, char byte) {
    std::string bad = good;
    bad[at] = byte;
    return fault<UnpackOperator>({}, bad);
  };
  EXPECT_THAT(with(8, 0), HasSubstr("vectors of 0 numbers"));
  EXPECT_THAT(with(10, 3), HasSubstr("values of 3 bytes"));
  EXPECT_THAT(with(12, 100), HasSubstr("a code of 100 coefficients"));
  EXPECT_THAT(with(13, 2), HasSubstr("index 2 is not ascending"));
  EXPECT_THAT(with(14, 8), HasSubstr("index 8 is not ascending and below 8"));
  EXPECT_THAT(with(16, 0x7c), HasSubstr("not finite"));
  EXPECT_THAT(fault<UnpackOperator>({}, good.substr(0, 12) + std::string(20, '\xff')),
              HasSubstr("nine bytes"));
}

}  // namespace
}  // namespace stream::signals
