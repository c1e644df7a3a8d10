/// The laws for the operators of plugins/llm.
#include <gmock/gmock.h>

#include <fstream>

#include "laws.hpp"
#include "llm/llm_corpus.hpp"
#include "llm/llm_generate.hpp"
#include "llm/llm_identify.hpp"
#include "llm/llm_needles.hpp"
#include "llm/llm_pair_samples.hpp"
#include "llm/llm_pair_text.hpp"
#include "llm/llm_passkeys.hpp"
#include "llm/llm_probe.hpp"
#include "llm/llm_score.hpp"
#include "llm/llm_throws.hpp"
#include "llm/llm_tokens.hpp"
#include "llm/llm_train.hpp"
#include "llm/memory_duo.hpp"
#include "llm/study_duo.hpp"
#include "llm/study_inf.hpp"
#include "llm/study_sink.hpp"
#include "llm/study_sir.hpp"
#include "llm/study_streaming.hpp"
#include "plugins/llm/models.hpp"
#include "plugins/llm/variants.hpp"
#include "program/program.hpp"

namespace stream::llm {
namespace {

using stream::testing::ScratchFolder;
using testing::random_model;
using testing::small_config;

template <typename Op>
void expect_resumable(const Object& params) {
  laws::resuming_a_source_is_exact([&params] {
    auto made = stream::testing::make<Op>(params, Context{.node = "source", .seed = 3});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(made.release()));
  });
}

std::string byte_model(const ScratchFolder& folder) {
  ModelConfig c = small_config();
  c.vocabulary = kByteVocabulary, c.begin_token = kByteBegin, c.context = 64;
  LanguageModel model = random_model(c, 5, 3);
  model.tokenizer_kind = "bytes";
  std::string path = (folder / "bytes.h5").string();
  write_language_model(path, model);
  return path;
}

std::vector<Packet> lines() {
  std::vector<Packet> packets;
  for (int i = 0; i < 12; ++i)
    packets.push_back(
        Packet::of<Text>(Time{10 * i}, "line " + std::to_string(i * i) + (i % 3 ? "" : " longer")));
  return packets;
}

std::vector<Packet> few_lines() {
  std::vector<Packet> packets = lines();
  packets.resize(4);
  return packets;
}

std::vector<Packet> texts_of_ids() {
  std::vector<Packet> packets;
  Random random(4);
  for (int i = 0; i < 12; ++i) {
    std::vector<std::int32_t> ids;
    for (int k = 0; k < 3 + i % 4; ++k) ids.push_back(static_cast<std::int32_t>(random.below(31)));
    const auto size = static_cast<std::int64_t>(ids.size());
    packets.push_back(Packet::of<Tensor>(Time{10 * i}, Tensor::of(std::move(ids), {size})));
  }
  return packets;
}

const std::vector<std::string> kMemories{"full", "window", "recompute", "sink", "sir",
                                         "inf",  "duo",    "h2o",       "tova"};

/// A table of heads for models of small_config.
std::string head_table(const ScratchFolder& folder) {
  std::string path = (folder / "heads.tsv").string();
  write_gates(path, {{{1, 0}, {0, 0.5}}});
  return path;
}

TEST(Laws, LlmGenerate) {
  const ScratchFolder folder;
  const std::string heads = head_table(folder);
  const std::string bytes = byte_model(folder), ids = (folder / "ids.h5").string();
  write_language_model(ids, random_model(small_config(), 6, 3));
  for (const std::string& memory : kMemories) {
    for (const double temperature : {0.0, 1.0})
      laws::check_all(laws::subject<GenerateOperator>({{"model", bytes},
                                                       {"memory", memory},
                                                       {"block", 2},
                                                       {"blocks", 3},
                                                       {"execution", 4},
                                                       {"heads", heads},
                                                       {"sinks", 2},
                                                       {"recent", 40},
                                                       {"heavy", 9},
                                                       {"max_tokens", 9},
                                                       {"temperature", temperature}}),
                      lines());
    laws::check_all(laws::subject<GenerateOperator>({{"model", ids},
                                                     {"memory", memory},
                                                     {"block", 2},
                                                     {"blocks", 3},
                                                     {"execution", 4},
                                                     {"heads", heads},
                                                     {"sinks", 1},
                                                     {"recent", 20},
                                                     {"heavy", 9},
                                                     {"max_tokens", 5}}),
                    texts_of_ids());
  }
}

TEST(Laws, LlmGenerateChoices) {
  const ScratchFolder folder;
  const std::string bytes = byte_model(folder), ids = (folder / "ids.h5").string();
  write_language_model(ids, random_model(small_config(), 6, 3));
  std::vector<Packet> questions, numbers;
  for (int i = 0; i < 8; ++i) {
    Object text{{"text", "is it " + std::to_string(i)}}, list{{"ids", Array{3, 4 + i}}};
    if (i % 4 == 0) {
      text.set("read", true), list.set("read", true);
    } else {
      text.set("choices", Array{"yes", "no", "maybe"}).set("answer", i % 3).set("number", i);
      list.set("choices", Array{Array{5}, Array{6, 7}, Array{8}});
    }
    questions.push_back(Packet::of<Record>(Time{10 * i}, text));
    numbers.push_back(Packet::of<Record>(Time{10 * i}, list));
  }
  for (const char* memory : {"full", "sink", "sir", "inf"}) {
    const Object params{{"memory", memory}, {"block", 2}, {"blocks", 3}, {"execution", 4}, {"sinks", 1}};
    Object of_bytes = params, of_ids = params;
    of_bytes.set("model", bytes).set("recent", 40), of_ids.set("model", ids).set("recent", 20);
    laws::check_all(laws::subject<GenerateOperator>(of_bytes), questions);
    laws::check_all(laws::subject<GenerateOperator>(of_ids), numbers);
  }
}

TEST(Laws, LlmScore) {
  const ScratchFolder folder;
  const std::string heads = head_table(folder);
  const std::string bytes = byte_model(folder);
  for (const std::string& memory : kMemories) {
    const Object params{{"model", bytes}, {"memory", memory}, {"block", 2},
                        {"blocks", 3},    {"execution", 4},   {"heads", heads},
                        {"sinks", 2},     {"recent", 20},     {"threshold", 4.0}};
    laws::check_all(laws::subject<ScoreOperator>(params), lines());
    std::vector<Packet> raw;
    for (int i = 0; i < 8; ++i)
      raw.push_back(Packet::of<Bytes>(Time{4 * i}, Buffer::own("ab" + std::to_string(10 + i))));
    laws::check_all(laws::subject<ScoreOperator>(params), raw);
  }
}

/// Every switch of a model, and the memories that it decides about.
TEST(Laws, LlmModelVariants) {
  const ScratchFolder folder;
  const std::string path = (folder / "variant.h5").string();
  for (const testing::Variant& v : testing::variants()) {
    ModelConfig c = v.config;
    c.vocabulary = kByteVocabulary, c.begin_token = kByteBegin, c.context = 128;
    LanguageModel model = random_model(c, 5, 3);
    model.tokenizer_kind = "bytes";
    write_language_model(path, model);
    const std::int64_t recent = c.sliding_window > 0 ? c.sliding_window - 1 : 20;
    std::vector<std::string> memories{"full"};
    if (c.position != Position::kLearned) memories.emplace_back("sink");
    if (!c.scores_by_distance()) memories.emplace_back("sir");
    for (const std::string& memory : memories)
      laws::check_all(laws::subject<ScoreOperator>(
                          {{"model", path}, {"memory", memory}, {"sinks", 2}, {"recent", recent}}),
                      few_lines());
  }
  laws::check_all(laws::subject<GenerateOperator>(
                      {{"model", path}, {"memory", "sink"}, {"sinks", 2}, {"recent", 60}, {"max_tokens", 9}}),
                  few_lines());
}

TEST(Laws, LlmTrain) {
  const ScratchFolder folder;
  Object params{{"model", (folder / "model.h5").string()},
                {"vocabulary", 31},
                {"begin_id", 0},
                {"steps", 6},
                {"batch", 2},
                {"length", 8},
                {"hidden", 8},
                {"ffn", 8},
                {"tokens_per_step", 6},
                {"pool", 60},
                {"report", 1}};
  std::vector<Packet> texts;
  Random random(4);
  for (int i = 0; i < 12; ++i) {
    std::vector<std::int32_t> text;
    for (int k = 0; k < 14; ++k) text.push_back(static_cast<std::int32_t>(random.below(31)));
    texts.push_back(Packet::of<Tensor>(Time{10 * i}, Tensor::of(std::move(text), {14})));
  }
  for (const char* bias : {"none", "key", "key_value"}) {
    params.set("attention_bias", bias);
    laws::check_all(laws::subject<TrainOperator>(params), texts);
  }
  params.set("attention_bias", "none");
  const std::vector<Object> switches{{{"position", "alibi"}, {"score", "elu"}},
                                     {{"position", "relative"}, {"norm", "post"}},
                                     {{"position", "learned"}, {"feed_forward", "reglu"}, {"window", 3}},
                                     {{"position", "sinusoidal"}, {"prefix", 3}, {"probe", 2}},
                                     {{"begin_token", false}, {"random_first", 2}, {"probe", 3}},
                                     {{"fixed_token", 5}, {"fixed_at", 2}, {"schedule", "flat"}},
                                     {{"score", "mlp_kernel_normalised"}, {"attention_bias", "value"}}};
  for (const Object& change : switches) {
    Object with = params;
    for (const auto& [name, value] : change) with.set(name, value);
    laws::check_all(laws::subject<TrainOperator>(with), texts);
  }
  params.set("vocabulary", 258);
  params.set("begin_id", 256);
  std::vector<Packet> bytes;
  for (int i = 0; i < 8; ++i)
    bytes.push_back(
        Packet::of<Bytes>(Time{1000 * i}, Buffer::own(std::string(1000, static_cast<char>('a' + i)))));
  laws::chunking_does_not_matter(laws::subject<TrainOperator>(params), bytes);
}

TEST(Laws, LlmPairText) {
  expect_resumable<PairTextSource>({{"documents", 6}, {"length", 50}});
  expect_resumable<PairTextSource>({{"documents", 4}, {"length", 50}, {"fillers", 9}, {"gap", 2}});
}

TEST(Laws, LlmPairSamples) {
  expect_resumable<PairSampleSource>({{"samples", 5}, {"length", 64}});
  expect_resumable<PairSampleSource>({{"samples", 5}, {"length", 64}, {"label", "fillers"}});
}

TEST(Laws, LlmThrows) {
  expect_resumable<ThrowSource>({{"documents", 6}, {"length", 50}});
  expect_resumable<ThrowSource>({{"documents", 4}, {"length", 50}, {"period", 7}, {"call", false}});
}

TEST(Laws, LlmIdentifyHeads) {
  const ScratchFolder folder;
  const std::string model = (folder / "ids.h5").string();
  write_language_model(model, random_model(small_config(), 6, 2));
  std::vector<Packet> samples;
  Random random(4);
  for (int i = 0; i < 10; ++i) {
    std::vector<std::int32_t> both;
    for (int k = 0; k < 16; ++k) both.push_back(static_cast<std::int32_t>(random.below(31)));
    for (int k = 0; k < 16; ++k) both.push_back(k == 15 || random.below(3) == 0);
    samples.push_back(Packet::of<Tensor>(Time{10 * i}, Tensor::of(std::move(both), {2, 16})));
  }
  for (const char* mix : {"teacher", "self"})
    laws::check_all(laws::subject<IdentifyOperator>({{"model", model},
                                                     {"table", (folder / "heads").string()},
                                                     {"steps", 5},
                                                     {"batch", 2},
                                                     {"sinks", 1},
                                                     {"recent", 3},
                                                     {"mix", mix},
                                                     {"report", 1}}),
                    samples);
}

TEST(Laws, LlmPasskeys) {
  const Object params{{"shortest", 400}, {"longest", 600}, {"passkeys", 2}, {"words", 2}};
  std::vector<Packet> texts, raw;
  for (int i = 0; i < 12; ++i) {
    const std::string text(100, static_cast<char>('a' + i));
    texts.push_back(Packet::of<Text>(Time{10 * i}, text));
    raw.push_back(Packet::of<Bytes>(Time{100 * i}, Buffer::own(text)));
  }
  laws::check_all(laws::subject<PasskeyOperator>(params), texts);
  laws::check_all(laws::subject<PasskeyOperator>(params), raw);
}

TEST(Laws, LlmProbe) {
  const ScratchFolder folder;
  const std::string ids = (folder / "ids.h5").string();
  for (const char* what : {"", "bias", "kernel", "prefix"}) {
    const std::string name = what;
    ModelConfig c = small_config();
    if (name == "bias") c.attention_bias = AttentionBias::kKey;
    if (name == "kernel") c.score = Score::kMlpKernel;
    if (name == "prefix") c.prefix = 4;
    write_language_model(ids, random_model(c, 6, 3));
    laws::check_all(laws::subject<ProbeOperator>(
                        {{"model", ids}, {"length", 10}, {"report", 2}, {"threshold", 0.1}, {"maps", 3}}),
                    texts_of_ids());
  }
  std::vector<Packet> raw;
  for (int i = 0; i < 8; ++i)
    raw.push_back(Packet::of<Bytes>(Time{10 * i}, Buffer::own("ten bytes" + std::to_string(i))));
  laws::check_all(
      laws::subject<ProbeOperator>({{"model", byte_model(folder)}, {"length", 16}, {"report", 2}}), raw);
}

TEST(Laws, LlmNeedles) {
  const ScratchFolder folder;
  std::string book;
  for (int i = 0; i < 100; ++i) book += "A line of the book, number " + std::to_string(i) + ".\n";
  stream::testing::write_contents(folder / "book.txt", book);
  expect_resumable<NeedleSource>({{"length", 900}});
  expect_resumable<NeedleSource>({{"book", (folder / "book.txt").string()}, {"needles", 3}, {"margin", 10}});
}

TEST(Laws, LlmCorpus) {
  const ScratchFolder folder;
  std::ofstream(folder / "a.txt") << std::string(100'000, 'a') << std::string(50'000, 'b');
  expect_resumable<CorpusSource>({{"path", (folder / "a.txt").string()}, {"times", 2}});
  expect_resumable<CorpusSource>(
      {{"path", (folder / "a.txt").string()}, {"times", 0}, {"steps", 3}, {"bytes_per_step", 90'000}});
}

TEST(Laws, LlmTokens) {
  const std::string folder = STREAM_SOURCE_DIR "/tests/golden/packed_tokens";
  expect_resumable<TokenSource>({{"path", folder}, {"length", 7}, {"times", 2}});
  expect_resumable<TokenSource>({{"path", folder + "/train_0000000000.bin"}, {"times", 0}, {"tokens", 250}});
}

TEST(Laws, LlmStudyStreaming) {
  // Times and the size of the process differ from run to run.
  expect_resumable<StreamingStudy>({{"model", STREAM_SOURCE_DIR "/share/models/pairs-begin-0.h5"},
                                    {"parts", Array{"quality"}},
                                    {"seeds", 1},
                                    {"caches", Array{16}},
                                    {"streams", 1},
                                    {"tokens", 1000}});
}

TEST(Laws, LlmStudyDuo) {
  expect_resumable<DuoStudy>({{"model", STREAM_SOURCE_DIR "/share/models/pairs-filler-0.h5"},
                              {"parts", Array{"gates", "exact"}},
                              {"seeds", 1},
                              {"steps", 5},
                              {"batch", 2},
                              {"samples", 2},
                              {"quick", true}});
}

TEST(Laws, LlmStudyInf) {
  expect_resumable<InfStudy>({{"model", STREAM_SOURCE_DIR "/share/models/pairs-filler-0.h5"},
                              {"parts", Array{"recall"}},
                              {"seeds", 1},
                              {"lengths", Array{1024}},
                              {"streams", 1},
                              {"longest", 0}});
}

TEST(Laws, LlmStudySink) { expect_resumable<SinkStudy>({{"parts", Array{"exact"}}}); }

TEST(Laws, LlmStudySir) {
  expect_resumable<SirStudy>({{"model", STREAM_SOURCE_DIR "/share/models/pairs-rare-0.h5"},
                              {"parts", Array{"dialogues", "throws"}},
                              {"seeds", 1},
                              {"caps", Array{48}},
                              {"dialogues", 2},
                              {"games", 2},
                              {"rounds", 40},
                              {"game_steps", 1},
                              {"quick", true}});
}

}  // namespace
}  // namespace stream::llm
