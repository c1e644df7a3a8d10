/// BERT and X-CLIP through `stream import` into COPE's encoders, against what the reference computed. The
/// folder tests/golden/cope holds the checkpoints and the script that made them.
#include <gmock/gmock.h>

#include "hdf5/archive_file.hpp"
#include "nn/device.hpp"
#include "products/cope_model.hpp"
#include "products/cope_pretrained.hpp"
#include "products/products_train.hpp"
#include "program/program.hpp"
#include "stream/testing.hpp"

namespace stream::products {
namespace {

using stream::testing::ScratchFolder;
using ::testing::HasSubstr;

const std::string kGolden = STREAM_SOURCE_DIR "/tests/golden/cope/";

class CopePretrained : public ::testing::Test {
 protected:
  std::string imported(const std::string& name) const {
    std::string to = (folder_ / (name + ".h5")).string();
    const auto outcome = stream::testing::run(
        {.argv = {STREAM_BINARY_DIR "/bin/stream", "import", kGolden + name, to}, .folder = folder_.path()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return to;
  }
  CopeShape shape() const {
    CopeShape s;
    s.heads = s.text_heads = s.integration = 2, s.title = s.speech = 12;
    return s;
  }
  ScratchFolder folder_;
};

const char* const kTexts[] = {"Red mug, unbelievable!",
                              "Caf\xc3\xa9 na\xc3\xafve \xe7\xba\xa2\xe8\x89\xb2\xe6\x9d\xaf\xe5\xad\x90 50%",
                              "",
                              nullptr,  // holds a zero, below
                              "mug mug mug mug mug mug mug mug mug mug mug mug mug mug mug mug",
                              "\xc3\x85ngstr\xc3\xb6m redmugs"};

std::string text(std::size_t i) {
  return kTexts[i] ? kTexts[i] : std::string("zzz mugs\tred\xe2\x80\x8bmug x\0y", 22);
}

TEST_F(CopePretrained, BertGivesWhatTheReferenceGives) {
  const nn::ForeignTensors bert = bert_tensors(imported("bert.safetensors"));
  CopeShape s = shape();
  set_bert_sizes(bert, s);
  EXPECT_EQ(s.text_width, 16);
  EXPECT_EQ(s.text_layers, 2);
  CopeNetwork network(s, nn::generator(1));
  load_bert(bert, network.text(), s);
  network.set_vocabulary(std::make_shared<const WordPieces>(WordPieces::read(kGolden + "vocab.txt")));
  const Archive expected = read_archive(imported("expected.npz"));
  for (std::size_t i = 0; i < std::size(kTexts); ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(network.vocabulary()->tokens_of(text(i), 12),
              expected.get<std::vector<std::int64_t>>("tokens_" + number))
        << i;
    Clip clip;
    clip.text = text(i);
    const at::Tensor found =
        nn::inference([&] { return network.text().forward(network.texts({&clip}, Domain::kPage)); });
    const auto pooled = expected.get<std::vector<float>>("pooled_" + number);
    ASSERT_EQ(found.numel(), 16);
    for (std::int64_t k = 0; k < 16; ++k)
      EXPECT_NEAR(found[0][k].item<float>(), pooled[static_cast<std::size_t>(k)], 2e-5) << i << ' ' << k;
  }
}

TEST_F(CopePretrained, XClipGivesWhatTheReferenceGives) {
  const nn::ForeignTensors xclip = xclip_tensors(imported("xclip.safetensors")),
                           expected(imported("expected.npz"));
  CopeShape s = shape();
  set_xclip_sizes(xclip, s);
  EXPECT_EQ(s.size, 32);
  EXPECT_EQ(s.patch, 8);
  EXPECT_EQ(s.frames, 4);
  EXPECT_EQ(s.features, 8);
  VisualEncoder encoder(s, nn::generator(1));
  load_xclip(xclip, encoder, s);
  const at::Tensor found = nn::inference([&] { return encoder.forward(expected.get("frames")); });
  EXPECT_LT((found - expected.get("video")).abs().max().item<double>(), 1e-4);
  EXPECT_GT(expected.get("video").abs().max().item<double>(), 0.1);
}

/// Trained on from there, written and read back with its vocabulary.
TEST_F(CopePretrained, TrainingStartsFromThem) {
  Object params{{"products", 20}, {"unseen", 8}, {"twin_groups", 2},
                {"twins", 3},     {"size", 32},  {"heads", 2}};
  params.set("clips_each", 1).set("epochs", 1).set("embedding", 8).set("batch", 4).set("world_seed", 3);
  params.set("bert", imported("bert.safetensors")).set("xclip", imported("xclip.safetensors"));
  params.set("model", (folder_ / "cope.h5").string());
  const auto run = [&] {
    const auto op = stream::testing::make<CopeTrainSource>(params);
    stream::testing::Collector out(1);
    while (dynamic_cast<Source&>(*op).read(out)) {
    }
  };
  try {
    run();
    FAIL() << "a vocabulary is needed";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("needs vocabulary_file"));
  }
  params.set("vocabulary_file", kGolden + "vocab.txt").set("learning_rate", 0.0);
  // Texts of the network's own length are longer than this BERT's positions.
  try {
    run();
    FAIL() << "64 positions are needed";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("embeddings.position_embeddings.weight has not the 64 rows"));
  }
  params.set("title", 12).set("speech", 20);
  run();
  const CopeModel model((folder_ / "cope.h5").string());
  ASSERT_TRUE(model.network().vocabulary());
  EXPECT_EQ(model.shape().text_epsilon, 1e-12);
  EXPECT_EQ(model.shape().text_width, 16);
  const nn::ForeignTensors bert = bert_tensors((folder_ / "bert.safetensors.h5").string());
  const at::Tensor words = model.network().named_parameters()["text.word_embeddings"];
  EXPECT_LT((words - bert.get("embeddings.word_embeddings.weight")).abs().max().item<double>(), 2e-3)
      << "16 bits, and no step was taken";
}

TEST_F(CopePretrained, WhatIsNotThereIsNamed) {
  const std::string xclip = imported("xclip.safetensors");
  const auto says = [](const std::function<void()>& f, const std::string& what) {
    try {
      f();
      ADD_FAILURE() << "expected: " << what;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr(what));
    }
  };
  CopeShape s = shape();
  says([&] { set_bert_sizes(bert_tensors(xclip), s); },
       xclip + ": tensor 'embeddings.word_embeddings.weight' is missing");
  set_xclip_sizes(xclip_tensors(xclip), s);
  s.features = 16, s.integration = 2;
  VisualEncoder encoder(s, nn::generator(1));
  says([&] { load_xclip(xclip_tensors(xclip), encoder, s); },
       "tensor 'visual.proj' has the shape [16, 8], expected [16, 16]");
  stream::testing::write_contents(folder_ / "vocab.txt", "[UNK]\n[CLS]\nred\nred\n");
  says([&] { WordPieces::read((folder_ / "vocab.txt").string()); }, "the piece 'red' is there twice");
  stream::testing::write_contents(folder_ / "vocab.txt", "[UNK]\n[CLS]\nred\n");
  says([&] { WordPieces::read((folder_ / "vocab.txt").string()); }, "vocab.txt: the vocabulary lacks [SEP]");
}

}  // namespace
}  // namespace stream::products
