/// Files that the reference libraries of safetensors, NumPy and PyTorch wrote, through `stream import`, bit
/// by bit. The folder import/ holds them, the scripts that made them, and expected*.json: what becomes of
/// each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hdf5/archive_file.hpp"
#include "program/program.hpp"
#include "stream/value.hpp"

namespace stream::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kFolder = STREAM_SOURCE_DIR "/tests/golden/import";

const Value& expectations() {
  static const Value value = [] {
    Object all;
    for (const char* file : {"expected.json", "expected_torch.json"}) {
      const Value part = Value::parse(contents(kFolder / file));
      for (const auto& [name, expected] : part.as_object()) all.set(name, expected);
    }
    return Value(all);
  }();
  return value;
}

const Value& at(const Value& object, std::string_view name) {
  const Value* found = object.as_object().find(name);
  if (found == nullptr) throw std::runtime_error("expected.json lacks '" + std::string(name) + "'");
  return *found;
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    out += kDigits[static_cast<unsigned>(byte) >> 4];
    out += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return out;
}

/// Every tensor under its path.
void collect(const Archive& archive, const std::string& prefix, std::map<std::string, Tensor>& out) {
  for (const auto& [name, entry] : archive.entries()) {
    if (const auto* group = std::get_if<std::shared_ptr<Archive>>(&entry)) {
      collect(**group, prefix + name + "/", out);
    } else if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&entry)) {
      out.emplace(prefix + name, **tensor);
    } else {
      ADD_FAILURE() << prefix << name << " is a scalar";
    }
  }
}

class Import : public ::testing::TestWithParam<std::string> {
 protected:
  const Value& expected() const { return at(expectations(), GetParam()); }
  Outcome import() const {
    return run(
        {.argv = {STREAM_BINARY_DIR "/bin/stream", "import", (kFolder / GetParam()).string(), "out.h5"},
         .input = "",
         .folder = folder_.path()});
  }
  ScratchFolder folder_;
};

TEST_P(Import, GivesExactlyWhatTheReferenceWrote) {
  const Outcome outcome = import();
  if (const Value* refused = expected().as_object().find("refused")) {
    EXPECT_EQ(outcome.exit_code, 65) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("stream: error: " + (kFolder / GetParam()).string()));
    for (const Value& says : refused->as_array()) EXPECT_THAT(outcome.err, HasSubstr(says.as_string()));
    EXPECT_FALSE(fs::exists(folder_ / "out.h5"));
    return;
  }
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::map<std::string, Tensor> found;
  collect(read_archive((folder_ / "out.h5").string()), "", found);
  const Object& tensors = at(expected(), "tensors").as_object();
  EXPECT_EQ(found.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const auto it = found.find(name);
    ASSERT_NE(it, found.end()) << name << " is missing";
    EXPECT_EQ(name_of(it->second.dtype()), at(tensor, "dtype").as_string()) << name;
    std::vector<std::int64_t> shape;
    for (const Value& n : at(tensor, "shape").as_array()) shape.push_back(n.as_integer());
    EXPECT_THAT(it->second.shape(), ::testing::ElementsAreArray(shape)) << name;
    EXPECT_EQ(hexadecimal(it->second.buffer().bytes()), at(tensor, "bytes").as_string()) << name;
  }
}

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& [name, value] : expectations().as_object()) names.push_back(name);
  return names;
}

TEST(ImportFolder, EveryFileIsExpected) {
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("make") || name.starts_with("expected")) continue;
    EXPECT_THAT(files(), ::testing::Contains(name));
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Import, ::testing::ValuesIn(files()),
                         [](const ::testing::TestParamInfo<std::string>& info) {
                           std::string name = info.param;
                           std::replace_if(
                               name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; },
                               '_');
                           return name;
                         });

}  // namespace
}  // namespace stream::testing
