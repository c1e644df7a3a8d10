/// PyTorch's files, written here byte by byte: whole, broken at every place, and hostile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.hpp"
#include "import/import.hpp"
#include "program/program.hpp"

namespace stream {
namespace {

using ::testing::AllOf;
using testing::contents;
using ::testing::ElementsAre;
using testing::fault;
using ::testing::HasSubstr;
using testing::raw;
using testing::zip;

// --- a pickle, instruction by instruction
std::string number(std::int32_t n) { return "J" + raw<std::int32_t>({n}); }
std::string text(const std::string& value) {
  return "X" + raw<std::uint32_t>({static_cast<std::uint32_t>(value.size())}) + value;
}
std::string name(const std::string& module, const std::string& word) {
  return "c" + module + "\n" + word + "\n";
}
std::string tuple(const std::string& values) { return "(" + values + "t"; }
std::string numbers(std::initializer_list<std::int32_t> values) {
  std::string out;
  for (const std::int32_t n : values) out += number(n);
  return tuple(out);
}
std::string dictionary(const std::string& items) { return "}(" + items + "u"; }
std::string pickle(const std::string& value) { return "\x80\x02" + value + "."; }

std::string storage(const std::string& key, std::int32_t elements, const std::string& type = "FloatStorage") {
  return tuple(text("storage") + name("torch", type) + text(key) + text("cpu") + number(elements)) + "Q";
}
std::string tensor(const std::string& stored, std::int32_t first, std::initializer_list<std::int32_t> shape,
                   std::initializer_list<std::int32_t> strides) {
  return name("torch._utils", "_rebuild_tensor_v2") +
         tuple(stored + number(first) + numbers(shape) + numbers(strides) + "\x89" +
               name("collections", "OrderedDict") + ")R") +
         "R";
}
std::string of(const std::string& program, bool deflate = false) {
  return zip({{"m/data.pkl", program}, {"m/data/0", raw<float>({0, 1, 2, 3, 4, 5})}}, deflate);
}
Archive read(const std::string& file) { return read_torch(Buffer::own(file), "m.bin"); }
std::string fault_of(const std::string& program) {
  return fault([&] { read(of(program)); });
}
std::string fault_of_value(const std::string& value) { return fault_of(pickle(value)); }
std::string fault_of_tensor(const std::string& value) {
  return fault_of_value(dictionary(text("w") + value));
}

TEST(Torch, TensorsByKeysAndPlaces) {
  const std::string whole = tensor(storage("0", 6), 0, {2, 3}, {3, 1});
  for (const bool packed : {false, true}) {
    const Archive a =
        read(of(pickle(dictionary(text("enc.weight") + whole + text("step") + number(7) +  //
                                  text("more") + tuple(tensor(storage("0", 6), 0, {3, 2}, {1, 3})))),
                packed));
    EXPECT_THAT(a.group("enc").tensor("weight").shape(), ElementsAre(2, 3));
    EXPECT_THAT(a.group("enc").tensor("weight").values<float>(), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_FALSE(a.has("step"));
    EXPECT_EQ(fault([&] { a.group("more").tensor("0").shape(); }), "(none)");
  }
}

TEST(Torch, ViewsOfAStorage) {
  const auto values = [](const std::string& view) {
    const Archive a = read(of(pickle(view)));
    const auto all = a.tensor("tensor").values<float>();
    return std::vector<float>(all.begin(), all.end());
  };
  EXPECT_THAT(values(tensor(storage("0", 6), 0, {3, 2}, {1, 3})), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(values(tensor(storage("0", 6), 2, {2}, {3})), ElementsAre(2, 5));
  EXPECT_THAT(values(tensor(storage("0", 6), 5, {}, {})), ElementsAre(5));
  EXPECT_THAT(values(tensor(storage("0", 6), 100, {0, 7}, {1, 1})), ElementsAre());
  EXPECT_THAT(values(tensor(storage("0", 6), 1, {1, 2}, {0, 1})), ElementsAre(1, 2));
}

TEST(Torch, MostSignificantByteFirst) {
  const std::string file = zip({{"m/data.pkl", pickle(tensor(storage("0", 2, "ShortStorage"), 0, {2}, {1}))},
                                {"m/byteorder", "big"},
                                {"m/data/0", std::string("\xff\xfe\x01\x00", 4)}},
                               false);
  EXPECT_THAT(read(file).tensor("tensor").values<std::int32_t>(), ElementsAre(-2, 256));
}

TEST(Torch, PlacesOutsideOfAStorage) {
  const auto at = [](std::int32_t first, std::initializer_list<std::int32_t> shape,
                     std::initializer_list<std::int32_t> strides, std::int32_t elements = 6) {
    return fault_of_tensor(tensor(storage("0", elements), first, shape, strides));
  };
  EXPECT_EQ(at(1, {5}, {1}), "(none)");
  EXPECT_THAT(at(2, {5}, {1}),
              HasSubstr("m.bin: tensor 'w': shape and strides need more than the 6 elements"));
  EXPECT_THAT(at(0, {2, 2}, {5, 1}), HasSubstr("need more than the 6 elements"));
  EXPECT_THAT(at(-1, {2}, {1}), HasSubstr("expected the place of the first element"));
  EXPECT_THAT(at(0, {-2}, {1}), HasSubstr("expected a tuple of sizes"));
  EXPECT_THAT(at(0, {2}, {-1}), HasSubstr("expected a tuple of strides"));
  EXPECT_THAT(at(0, {2, 3}, {1}), HasSubstr("a stride for each size"));
  EXPECT_THAT(at(0, {2147483647, 2147483647, 2147483647}, {0, 0, 0}),
              HasSubstr("shape is negative or too large"));
  // Zero strides would make any number of elements of one.
  EXPECT_THAT(at(0, {1000000000}, {0}), HasSubstr("need more than the 6 elements"));
  EXPECT_THAT(at(0, {2, 2}, {2147483647, 2147483647}), HasSubstr("need more than"));
  EXPECT_THAT(at(0, {6}, {1}, 7), HasSubstr("its storage 'm/data/0' has 24 bytes, expected 7 elements of 4"));
  EXPECT_THAT(at(0, {6}, {1}, -1), HasSubstr("has 24 bytes, expected -1"));
  EXPECT_THAT(fault_of_tensor(tensor(storage("1", 6), 0, {6}, {1})),
              HasSubstr("its storage 'm/data/1' is not in the file"));
}

TEST(Torch, WhatMakesATensorIsChecked) {
  const std::string rebuild = name("torch._utils", "_rebuild_tensor_v2");
  EXPECT_THAT(fault_of_tensor(rebuild + ")R"), HasSubstr("six or seven values"));
  EXPECT_THAT(fault_of_tensor(rebuild + tuple("NNNNNN") + "R"), HasSubstr("place of the first element"));
  EXPECT_THAT(fault_of_tensor(rebuild + tuple("N" + number(0) + numbers({1}) + numbers({1}) + "\x89N") + "R"),
              HasSubstr("expected a storage"));
  EXPECT_THAT(
      fault_of_tensor(rebuild +
                      tuple(tuple(text("module")) + "Q" + number(0) + numbers({1}) + numbers({1}) + "\x89N") +
                      "R"),
      HasSubstr("its type, key, device"));
  EXPECT_THAT(fault_of_tensor(rebuild +
                              tuple(storage("0", 6) + number(0) + numbers({6}) + numbers({1}) + "\x89N" +
                                    dictionary(text("neg") + "\x88")) +
                              "R"),
              HasSubstr("no further attributes"));
  const std::string parameter = name("torch._utils", "_rebuild_parameter");
  const std::string one = tensor(storage("0", 6), 0, {6}, {1});
  EXPECT_EQ(fault_of_tensor(parameter + tuple(one + "\x88N") + "R"), "(none)");
  EXPECT_THAT(fault_of_tensor(parameter + tuple(parameter + tuple(one + "\x88N") + "R" + "\x88N") + "R"),
              HasSubstr("a parameter of a tensor"));
  EXPECT_THAT(fault_of_tensor(parameter + tuple("N\x88N") + "R"), HasSubstr("expected a tensor"));
}

TEST(Torch, NothingIsCalled) {
  // Through every instruction that imports, makes or calls something.
  for (const auto& [module, word] : std::initializer_list<std::pair<const char*, const char*>>{
           {"os", "system"},
           {"posix", "system"},
           {"builtins", "eval"},
           {"__builtin__", "exec"},
           {"subprocess", "Popen"},
           {"torch", "load"},
           {"torch._utils", "_rebuild_tensor_v2.__globals__"},
           {"collections", "OrderedDict.fromkeys"},
           {"torch.nn.modules.linear", "Linear"}}) {
    const std::string full = std::string(module) + "." + word;
    const auto refused = AllOf(HasSubstr("m.bin: m/data.pkl: refers to '" + full + "'"),
                               HasSubstr("a model file is data and can run no code) at offset "));
    EXPECT_THAT(fault_of_value(name(module, word) + tuple(text("touch owned")) + "R"), refused);
    EXPECT_THAT(
        fault_of("\x80\x04\x8c" + std::string(1, static_cast<char>(std::string(module).size())) + module +
                 "\x8c" + std::string(1, static_cast<char>(std::string(word).size())) + word + "\x93)R."),
        refused);
  }
  const std::string data = " (a model file is data and can run no code) at offset";
  EXPECT_THAT(fault_of_value("(" + text("touch owned") + "ios\nsystem\n"),
              HasSubstr("instruction INST" + data));
  EXPECT_THAT(fault_of_value("(" + text("x") + "o"), HasSubstr("instruction OBJ" + data));
  EXPECT_THAT(fault_of_value(name("collections", "OrderedDict") + ")\x81"),
              HasSubstr("instruction NEWOBJ" + data));
  EXPECT_THAT(fault_of_value("Pstorage\n"), HasSubstr("instruction PERSID" + data));
  EXPECT_THAT(fault_of_value(std::string("\x82\x01", 2)), HasSubstr("instruction EXT" + data));
  // Names that are known, but are no functions, and attributes of what is no dictionary.
  EXPECT_THAT(fault_of_value(name("torch", "FloatStorage") + tuple(number(1000000000)) + "R"),
              HasSubstr("calls 'torch.FloatStorage'" + data));
  EXPECT_THAT(fault_of_value(text("f") + ")R"), HasSubstr("expected a name and a tuple to call it with"));
  EXPECT_THAT(fault_of_value("]}b"), HasSubstr("expected a dictionary before this instruction"));
  EXPECT_THAT(fault_of_value("}" + text("state") + "b"), HasSubstr("expected a dictionary of attributes"));
}

TEST(Torch, MachineFaults) {
  EXPECT_THAT(fault_of("\x80\x02"), HasSubstr("needs 1 bytes, 0 are left, at offset 2"));
  EXPECT_THAT(fault_of("\x80\x07N."), HasSubstr("expected pickle protocol 2 to 5, found 7 at offset 0"));
  EXPECT_THAT(fault_of_value("NN"), HasSubstr("expected one value in the end, found 2"));
  EXPECT_THAT(fault_of_value("(N"), HasSubstr("expected one value in the end"));
  EXPECT_THAT(fault_of("."), HasSubstr("expected one value in the end, found 0"));
  EXPECT_THAT(fault_of(pickle("}") + "junk"), HasSubstr("expected its end at offset 4, found 4 bytes more"));
  EXPECT_THAT(fault_of_value("t"), HasSubstr("expected a mark"));
  EXPECT_THAT(fault_of_value("N(\x85"), HasSubstr("expected a value before this instruction at offset 4"));
  EXPECT_THAT(fault_of_value("NNs"), HasSubstr("expected a dictionary before"));
  EXPECT_THAT(fault_of_value("}(Nu"), HasSubstr("as many values as keys"));
  EXPECT_THAT(fault_of_value("Na"), HasSubstr("expected a list before"));
  EXPECT_THAT(fault_of_value("h\x05"), HasSubstr("expected a memo that was stored before, found 5"));
  EXPECT_THAT(fault_of_value("0"), HasSubstr("instruction 0x30, which no state dict needs,"));
  EXPECT_THAT(fault_of_value("ctorch\n"), HasSubstr("expected a name of at most 256 bytes"));
  EXPECT_THAT(fault_of_value("c" + std::string(10000, 'a') + "\nb\n"),
              HasSubstr("expected a name of at most 256 bytes"));
  EXPECT_THAT(fault_of_value(name("a\x1b[2J", "b")), HasSubstr("refers to 'a?[2J.b'"));
}

TEST(Torch, SizesAreBoundedBeforeAnythingIsMade) {
  EXPECT_THAT(fault_of_value("Nr" + raw<std::uint32_t>({0xfffffff0u})),
              HasSubstr("memo 4294967280 in a pickle of"));
  EXPECT_THAT(fault_of_value("\x8b" + raw<std::uint32_t>({0x7fffffffu})),
              HasSubstr("an integer of 2147483647 bytes"));
  EXPECT_THAT(fault_of_value("\x8a\x09" + std::string(9, '\1')),
              HasSubstr("an integer of 9 bytes, expected at most 8"));
  EXPECT_THAT(fault_of_value("X" + raw<std::uint32_t>({0xffffffffu}) + "a"),
              HasSubstr("needs 4294967295 bytes"));
  EXPECT_THAT(fault_of_value("\x8d" + raw<std::uint64_t>({~0ull}) + "a"),
              HasSubstr("a text of less than 4 GiB"));
  // Nested without end, in itself, and by sharing what is below again and again.
  const std::string deep(100000, ']');
  EXPECT_THAT(fault_of_value(deep + std::string(99999, 'a')), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(fault_of_value(std::string(100000, '(') + std::string(100000, 't')),
              HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(fault_of_value(std::string("]q\0h\0a", 6)), HasSubstr("or hold themselves"));
  EXPECT_THAT(fault_of_value(std::string("}q\0", 3) + text("a") + std::string("h\0s", 3)),
              HasSubstr("or hold themselves"));
  std::string laughs = number(1) + std::string("q\0", 2);
  for (char level = 1; level < 40; ++level) {
    const std::string below = std::string("h") + static_cast<char>(level - 1);
    laughs += tuple(below + below) + "q" + level;
  }
  EXPECT_THAT(fault_of_value("(" + laughs + "t"), HasSubstr("the same values stand in too many places"));
  std::string many;
  for (int i = 0; i < 300; ++i) many += text("w" + std::to_string(i)) + tensor(storage("0", 6), 0, {6}, {1});
  EXPECT_THAT(fault_of_value(dictionary(many)), HasSubstr("of 24 that are stored"));
  const std::string large = zip({{"m/data.pkl", std::string(9 << 20, 'N')}}, true);
  EXPECT_THAT(fault([&] { read(large); }),
              HasSubstr("m/data.pkl has 9437184 bytes, expected at most 8388608"));
}

TEST(Torch, WhatIsInTheZip) {
  const std::string program = pickle("}");
  const auto of_members = [](const std::vector<std::pair<std::string, std::string>>& members) {
    return fault([&] { read(zip(members, false)); });
  };
  EXPECT_EQ(of_members({{"m/data.pkl", program}}), "(none)");
  EXPECT_THAT(of_members({{"data.pkl", program}}), HasSubstr("without NAME/data.pkl"));
  EXPECT_THAT(of_members({{"a/b/data.pkl", program}}), HasSubstr("without NAME/data.pkl"));
  EXPECT_THAT(of_members({{"a/data.pkl", program}, {"b/data.pkl", program}}),
              HasSubstr("more than one data.pkl"));
  EXPECT_THAT(of_members({{"a/data.pkl", program}, {"a/data.pkl", program}}),
              HasSubstr("two members have the same name"));
  EXPECT_THAT(of_members({{"a/data.pkl", program}, {"a/byteorder", "middle"}}),
              HasSubstr("neither little nor big"));
  EXPECT_THAT(fault([] { read("LITPKDS and so on"); }), HasSubstr("packed tokens hold no tensors"));
  EXPECT_THAT(fault([] { read("not a zip archive at all, but long enough"); }),
              HasSubstr("no end of zip directory"));
}

TEST(Torch, KeysThatCannotNameATensor) {
  const std::string one = tensor(storage("0", 6), 0, {6}, {1});
  EXPECT_THAT(fault_of_value(dictionary(text("") + one)), HasSubstr("has an empty part"));
  EXPECT_THAT(fault_of_value(dictionary(text("") + dictionary(text("") + one))),
              HasSubstr("has an empty part"));
  EXPECT_THAT(fault_of_value(dictionary("N" + one)), HasSubstr("has an empty part"));
  EXPECT_THAT(fault_of_value(dictionary(text("a") + one + text("a") + one)), HasSubstr("is there twice"));
  EXPECT_THAT(fault_of_value(dictionary(text("a") + one + text("a.b") + one)),
              HasSubstr("is a tensor and a group"));
  EXPECT_THAT(fault_of_value(dictionary(text(std::string("a\0b", 3)) + one)),
              HasSubstr("goes on behind a NUL"));
  const Archive by_number = read(of(pickle(dictionary(number(3) + one))));
  EXPECT_TRUE(by_number.has("3"));
}

/// The format before version 1.6: pickles one after the other, and the storages.
std::string before_1_6(const std::string& content, const std::string& keys, const std::string& data,
                       const std::string& version = "M\xe9\x03", const std::string& little = "\x88") {
  return std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 15) + pickle(version) +
         pickle(dictionary(text("protocol_version") + "M\xe9\x03" + text("little_endian") + little)) +
         pickle(content) + pickle("](" + keys + "e") + data;
}
std::string old_storage(const std::string& key, std::int32_t elements) {
  return tuple(text("storage") + name("torch", "FloatStorage") + text(key) + text("cpu") + number(elements) +
               "N") +
         "Q";
}

TEST(Torch, PicklesThatFollowEachOther) {
  const std::string two = dictionary(text("a") + tensor(old_storage("7", 3), 0, {3}, {1}) + text("b") +
                                     tensor(old_storage("8", 2), 1, {1}, {1}));
  const std::string seven = raw<std::uint64_t>({3}) + raw<float>({1, 2, 3}),
                    eight = raw<std::uint64_t>({2}) + raw<float>({4, 5});
  const Archive a = read(before_1_6(two, text("8") + text("7"), eight + seven));
  EXPECT_THAT(a.tensor("a").values<float>(), ElementsAre(1, 2, 3));
  EXPECT_THAT(a.tensor("b").values<float>(), ElementsAre(5));
  const auto fault_with = [&](const std::string& keys, const std::string& data) {
    return fault([&] { read(before_1_6(two, keys, data)); });
  };
  const std::string both = text("7") + text("8");
  EXPECT_THAT(fault_with(both, seven + eight + "x"), HasSubstr("found 1 bytes more"));
  EXPECT_THAT(fault_with(both, eight + seven),
              HasSubstr("m.bin: tensor 'a': its storage '7' has 8 bytes, expected 3 elements of 4"));
  EXPECT_THAT(fault_with(text("7"), seven),
              HasSubstr("m.bin: tensor 'b': its storage '8' is not in the file"));
  EXPECT_THAT(fault_with(text("9"), seven), HasSubstr("the list of storages names one that no tensor has"));
  EXPECT_THAT(fault_with("N", seven), HasSubstr("the list of storages names one that no tensor has"));
  EXPECT_THAT(fault_with(text("7") + text("7"), seven + seven), HasSubstr("storage '7' is there twice"));
  for (const std::uint64_t count : {std::uint64_t{4}, std::uint64_t{1} << 62, ~std::uint64_t{0}})
    EXPECT_THAT(fault_with(text("7"), raw<std::uint64_t>({count}) + raw<float>({1, 2, 3})),
                HasSubstr("expected the number of a storage's elements and those at offset"));
  const auto of_machine = [&](const std::string& version, const std::string& little) {
    return fault([&] { read(before_1_6(two, both, seven + eight, version, little)); });
  };
  EXPECT_EQ(of_machine("M\xe9\x03", "\x88"), "(none)");
  EXPECT_THAT(of_machine("K\x05", "\x88"), HasSubstr("expected version 1001"));
  EXPECT_THAT(of_machine("M\xe9\x03", "\x89"), HasSubstr("not little-endian"));
  EXPECT_THAT(
      fault([&] {
        read(before_1_6(name("os", "system") + tuple(text("touch owned")) + "R", both, seven + eight));
      }),
      AllOf(HasSubstr("the content, which begins at offset "), HasSubstr("refers to 'os.system'")));
  // A view of a storage that is stored as a part of another one.
  const std::string view = tuple(text("storage") + name("torch", "FloatStorage") + text("7") + text("cpu") +
                                 number(3) + tuple(text("8") + number(0) + number(2))) +
                           "Q";
  EXPECT_THAT(fault([&] { read(before_1_6(tensor(view, 0, {1}, {1}), text("7"), seven)); }),
              HasSubstr("the list of storages names one that no tensor has"));
  const std::string whole = before_1_6(two, both, seven + eight);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(fault([&] { read(whole.substr(0, size)); }), "(none)") << size;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const unsigned char flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      fault([&] { read(damaged); });  // kBadData or fine; never anything else
    }
}

/// A file that PyTorch wrote.
TEST(Torch, EveryCutAndEveryFlippedByteIsAnErrorOrHarmless) {
  const std::string whole = contents(STREAM_SOURCE_DIR "/tests/golden/import/torch-module.bin");
  ASSERT_GT(whole.size(), 1000u);
  EXPECT_EQ(fault([&] { read(whole); }), "(none)");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(fault([&] { read(whole.substr(0, size)); }), "(none)") << size;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const unsigned char flip : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      fault([&] { read(damaged); });  // kBadData or fine; never anything else
    }
}

/// The same below the checksums: what is malicious, not damaged, gets past them.
TEST(Torch, EveryCutAndEveryChangeOfThePickle) {
  const std::string program = pickle(dictionary(text("a") + tensor(storage("0", 6), 0, {2, 3}, {3, 1}) +
                                                text("b") + tuple(number(1) + "N")));
  EXPECT_EQ(fault_of(program), "(none)");
  for (std::size_t size = 0; size < program.size(); ++size)
    EXPECT_NE(fault_of(program.substr(0, size)), "(none)") << size;
  for (std::size_t at = 0; at < program.size(); ++at)
    for (int value = 0; value < 256; value += 3) {
      std::string changed = program;
      changed[at] = static_cast<char>(value);
      fault_of(changed);
    }
}

}  // namespace
}  // namespace stream
