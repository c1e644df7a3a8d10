#include "llm/model_file.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <limits>

#include "hdf5/archive_file.hpp"
#include "models.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"
#include "stream/half.hpp"

namespace stream::llm {
namespace {

using stream::testing::ScratchFolder;
using ::testing::HasSubstr;
using testing::random_model;
using testing::small_config;

std::string fault(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(ModelFile, ReadsWhatItWrote) {
  const ScratchFolder folder;
  const std::string path = (folder / "model.h5").string();
  LanguageModel model = random_model(small_config());
  model.config.end_tokens = {3, 5};
  model.tokenizer_kind = "tokenizer.json";
  model.tokenizer = std::string("{\"a\": \0 1}", 10);
  write_language_model(path, model);
  const LanguageModel read = read_language_model(path);
  EXPECT_EQ(fingerprint(read), fingerprint(model));
  EXPECT_EQ(read.tokenizer, model.tokenizer);
  EXPECT_EQ(read.config.end_tokens, model.config.end_tokens);
  for (const auto& [name, tensor] : model.weights)
    EXPECT_EQ(floats(read.weights.at(name)), floats(tensor)) << name;
  write_language_model(path, model, DType::kBF16);
  const LanguageModel brief = read_language_model(path);
  EXPECT_EQ(brief.weights.at("lm_head.weight").dtype(), DType::kBF16);
  EXPECT_EQ(brief.weights.at("norm.weight").dtype(), DType::kF32);
  EXPECT_NE(fingerprint(brief), fingerprint(model));
}

TEST(ModelFile, EveryWeightThatDoesNotFitIsNamed) {
  const LanguageModel good = random_model(small_config());
  EXPECT_EQ(fault([&] { check_weights(good); }), "no error");
  LanguageModel model = good;
  auto node = model.weights.extract("layers.1.mlp.up_proj.weight");
  EXPECT_THAT(fault([&] { check_weights(model); }),
              HasSubstr("'layers.1.mlp.up_proj.weight' [20, 24] is missing"));
  node.key() = "layers.1.mlp.upproj.weight";
  model.weights.insert(std::move(node));
  EXPECT_THAT(fault([&] { check_weights(model); }), HasSubstr("did you mean 'layers.1.mlp.upproj.weight'"));
  model = good;
  model.weights.insert_or_assign("norm.weight", Tensor::of(std::vector<float>(23), {23}));
  EXPECT_THAT(fault([&] { check_weights(model); }),
              HasSubstr("'norm.weight' has the shape [23], expected [24]"));
  model = good;
  model.weights.emplace("norm.bias", Tensor::of(std::vector<float>(24), {24}));
  EXPECT_THAT(fault([&] { check_weights(model); }), HasSubstr("'norm.bias' is not part of this model"));
  model = good;
  model.weights.insert_or_assign("norm.weight", Tensor::of(std::vector<double>(24), {24}));
  EXPECT_THAT(fault([&] { check_weights(model); }),
              HasSubstr("float64, expected float32, bfloat16 or float16"));
}

TEST(ModelFile, OtherFilesAreRefused) {
  const ScratchFolder folder;
  const std::string path = (folder / "model.h5").string();
  EXPECT_THAT(fault([&] { read_language_model(path); }), HasSubstr("model.h5"));
  Archive other;
  other.group("weights");
  write_archive(path, other);
  EXPECT_THAT(fault([&] { read_language_model(path); }), HasSubstr("not a language model"));
  write_language_model(path, random_model(small_config()));
  Archive archive = read_archive(path);
  archive.group("model").set("position", "ropes");
  write_archive(path, archive);
  EXPECT_THAT(fault([&] { read_language_model(path); }), HasSubstr("unknown position 'ropes'"));
  archive.group("model").set("position", "rope");
  archive.group("model").set("kv_heads", 3);
  write_archive(path, archive);
  EXPECT_THAT(fault([&] { read_language_model(path); }), HasSubstr("4 heads cannot share 3"));
  archive.group("model").set("kv_heads", 2);
  archive.group("model").set("layers", std::int64_t{1} << 40);
  write_archive(path, archive);
  EXPECT_THAT(fault([&] { read_language_model(path); }), HasSubstr("expected 1 to 1024"));
}

TEST(Half, EveryValueReadsBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto word = static_cast<std::uint16_t>(bits);
    const float half = float_of_half(word), bfloat = float_of_bfloat(word);
    if (half == half) {
      EXPECT_EQ(half_of_float(half), word);
    }
    if (bfloat == bfloat) {
      EXPECT_EQ(bfloat_of_float(bfloat), word);
    }
  }
  EXPECT_EQ(half_of_float(65520.f), 0x7c00);  // the first that rounds to infinity
  EXPECT_EQ(half_of_float(65519.f), 0x7bff);
  EXPECT_EQ(half_of_float(1.f + 0x1p-11f), half_of_float(1.f));  // a tie goes to the even one
  EXPECT_EQ(half_of_float(1.f + 3 * 0x1p-11f), half_of_float(1.f + 0x1p-9f));
  EXPECT_EQ(half_of_float(0x1p-25f), 0);
  EXPECT_EQ(half_of_float(0x1.8p-25f), 1);
  EXPECT_EQ(bfloat_of_float(1.f + 0x1p-8f), bfloat_of_float(1.f));
  EXPECT_EQ(float_of_half(half_of_float(std::numeric_limits<float>::infinity())),
            std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace stream::llm
