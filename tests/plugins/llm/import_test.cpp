/// `stream import` of Hugging Face directories, whole and broken: tests/golden/language_models/make.py wrote
/// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "import/import.hpp"
#include "llm/model_file.hpp"
#include "llm/tokenizer.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"
#include "stream/value.hpp"

namespace stream::llm {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::contents;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::ScratchFolder;
using testing::write_contents;

const fs::path kModels = STREAM_SOURCE_DIR "/tests/golden/language_models";

Outcome import(const fs::path& from, const fs::path& to, std::vector<std::string> more = {}) {
  std::vector<std::string> argv{STREAM_BINARY_DIR "/bin/stream", "import", from.string(), to.string()};
  argv.insert(argv.end(), more.begin(), more.end());
  return testing::run({.argv = argv, .input = ""});
}

LanguageModel imported(const std::string& name, const std::vector<std::string>& more = {}) {
  const ScratchFolder folder;
  const Outcome outcome = import(kModels / name, folder / "m.h5", more);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return read_language_model((folder / "m.h5").string());
}

TEST(Import, TakesWhatTheConfigSays) {
  const ModelConfig llama = imported("llama_tied_bf16").config;
  EXPECT_EQ(llama.family, "llama");
  EXPECT_EQ(llama.head_dim, 12);
  EXPECT_EQ(llama.kv_heads, 2);
  EXPECT_EQ(llama.rope_scaling, RopeScaling::kLlama3);
  EXPECT_EQ(llama.rope_base, 500000);
  EXPECT_EQ(llama.rope_original_context, 16);
  EXPECT_TRUE(llama.tied_embeddings && llama.qkv_bias && llama.output_bias && llama.ffn_bias);
  EXPECT_EQ(llama.begin_token, 425);  // what the tokenizer puts in front, not config.json's 1
  EXPECT_THAT(llama.end_tokens, ElementsAre(426, 428));

  const ModelConfig linear = imported("llama_linear_f16").config;
  EXPECT_EQ(linear.rope_scaling, RopeScaling::kLinear);
  EXPECT_EQ(linear.rope_factor, 4);
  EXPECT_EQ(linear.begin_token, 1);  // tokenizer.model: Llama's tokenizers put one in front

  const ModelConfig gpt2 = imported("gpt2").config;
  EXPECT_EQ(gpt2.position, Position::kLearned);
  EXPECT_EQ(gpt2.ffn, 128);  // four times the width where n_inner says nothing
  EXPECT_TRUE(gpt2.tied_embeddings && gpt2.qkv_bias && !gpt2.gated && gpt2.norm == Norm::kLayer);
  EXPECT_THAT(gpt2.end_tokens, ElementsAre(383));

  const ModelConfig opt = imported("opt").config;
  EXPECT_EQ(opt.family, "opt");
  EXPECT_EQ(opt.position, Position::kLearned);
  EXPECT_EQ(opt.context, 64);  // without the two rows in front of position 0
  EXPECT_EQ(opt.activation, Activation::kRelu);
  EXPECT_TRUE(opt.tied_embeddings && opt.qkv_bias && opt.ffn_bias && opt.norm_place == NormPlace::kPre);
  const ModelConfig post = imported("opt_post").config;
  EXPECT_EQ(post.norm_place, NormPlace::kPost);
  EXPECT_FALSE(post.tied_embeddings || post.qkv_bias || post.output_bias || post.ffn_bias);

  const ModelConfig lit = imported("lit_gpt").config;
  EXPECT_EQ(lit.family, "lit_gpt");
  EXPECT_EQ(lit.vocabulary, 192);
  EXPECT_EQ(lit.kv_heads, 2);
  EXPECT_EQ(lit.attention_bias, AttentionBias::kValue);
  EXPECT_TRUE(lit.bias_shared && lit.gated && lit.norm == Norm::kRms && !lit.qkv_bias);
  const ModelConfig lit_neox = imported("lit_gpt_neox").config;
  EXPECT_EQ(lit_neox.vocabulary, 128);  // 120 words, padded
  EXPECT_EQ(lit_neox.ffn, 256);         // four times the width
  EXPECT_TRUE(lit_neox.parallel_residual && lit_neox.qkv_bias && lit_neox.norm == Norm::kLayer);

  const ModelConfig mistral = imported("mistral_sharded").config;
  EXPECT_EQ(mistral.sliding_window, 7);
  EXPECT_EQ(mistral.kv_heads, 1);
  EXPECT_EQ(mistral.rope_base, 1e6);

  const ModelConfig qwen2 = imported("qwen2").config;
  EXPECT_TRUE(qwen2.qkv_bias);
  EXPECT_FALSE(qwen2.output_bias);
  EXPECT_EQ(qwen2.begin_token, -1);

  const ModelConfig pythia = imported("pythia").config;
  EXPECT_EQ(pythia.norm, Norm::kLayer);
  EXPECT_EQ(pythia.rope_fraction, 0.25);
  EXPECT_TRUE(pythia.parallel_residual && !pythia.gated);
  EXPECT_EQ(pythia.activation, Activation::kGelu);
  EXPECT_EQ(imported("neox_sequential").config.activation, Activation::kGeluTanh);
  EXPECT_FALSE(imported("neox_sequential").config.parallel_residual);
}

TEST(Import, KeepsTheTypeOfWeightsOrConverts) {
  EXPECT_EQ(imported("llama").weights.at("lm_head.weight").dtype(), DType::kF32);
  EXPECT_EQ(imported("llama_tied_bf16").weights.at("embed_tokens.weight").dtype(), DType::kBF16);
  const LanguageModel half = imported("pythia"), wide = imported("pythia", {"--dtype", "float32"});
  const Tensor& before = half.weights.at("layers.1.self_attn.k_proj.weight");
  const Tensor& after = wide.weights.at("layers.1.self_attn.k_proj.weight");
  EXPECT_EQ(before.dtype(), DType::kF16);
  EXPECT_EQ(after.dtype(), DType::kF32);
  EXPECT_EQ(floats(before), floats(after));
  EXPECT_EQ(imported("llama", {"--dtype", "bfloat16"}).weights.at("lm_head.weight").dtype(), DType::kBF16);
}

TEST(Import, TakesGptNeoXHeadsApart) {
  const Archive file =
      read_safetensors(Buffer::own(contents(kModels / "neox_sequential/model.safetensors")), "m");
  const Tensor& fused = file.group("gpt_neox")
                            .group("layers")
                            .group("1")
                            .group("attention")
                            .group("query_key_value")
                            .tensor("weight");
  const LanguageModel model = imported("neox_sequential");
  const auto all = fused.values<float>();
  for (std::size_t which = 0; which < 3; ++which) {
    const char* names[] = {"q_proj", "k_proj", "v_proj"};
    const Tensor part = model.weights.at(std::string("layers.1.self_attn.") + names[which] + ".weight");
    const auto values = part.values<float>();
    for (std::size_t head = 0; head < 4; ++head)
      for (std::size_t row = 0; row < 8; ++row)
        for (std::size_t column = 0; column < 32; ++column)
          ASSERT_EQ(values[(head * 8 + row) * 32 + column],
                    all[((head * 3 + which) * 8 + row) * 32 + column]);
  }
}

TEST(Import, BringsTheTokenizerAlong) {
  for (const char* name : {"llama", "llama_linear_f16", "mistral_sharded", "qwen2", "pythia"}) {
    const auto tokenizer = tokenizer_of(imported(name));
    ASSERT_NE(tokenizer, nullptr);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode("Hello, \xf0\x9f\x98\x80 world")),
              "Hello, \xf0\x9f\x98\x80 world")
        << name;
  }
  EXPECT_EQ(tokenizer_of(imported("neox_sequential")), nullptr);
}

/// A copy of a golden model in which something can be broken.
class Broken {
 public:
  explicit Broken(const std::string& name) : path_(folder_ / "model") {
    fs::copy(kModels / name, path_, fs::copy_options::recursive);
  }
  fs::path operator/(const char* file) const { return path_ / file; }
  /// In the text of a file, which must be there.
  Broken& replace(const char* file, const std::string& what, const std::string& by) {
    std::string text = contents(path_ / file);
    const auto at = text.find(what);
    if (at == std::string::npos) throw std::runtime_error(std::string(file) + " has no " + what);
    write_contents(path_ / file, text.replace(at, what.size(), by));
    return *this;
  }
  /// The header of model.safetensors, changed.
  template <typename Change>
  Broken& header(const Change& change) {
    const std::string file = contents(path_ / "model.safetensors");
    std::uint64_t size = 0;
    std::memcpy(&size, file.data(), 8);
    Value header = Value::parse(std::string_view(file).substr(8, size));
    Object changed;
    for (const auto& [name, entry] : header.as_object()) change(name, entry, changed);
    const std::string text = Value(changed).dump();
    std::string out(8, '\0');
    const std::uint64_t length = text.size();
    std::memcpy(out.data(), &length, 8);
    write_contents(path_ / "model.safetensors", out + text + file.substr(8 + size));
    return *this;
  }
  Broken& without(const std::string& tensor) {
    return header([&](const std::string& name, const Value& entry, Object& out) {
      if (name != tensor) out.set(name, entry);
    });
  }
  Broken& rename(const std::string& tensor, const std::string& to) {
    return header([&](const std::string& name, const Value& entry, Object& out) {
      out.set(name == tensor ? to : name, entry);
    });
  }
  Broken& reshape(const std::string& tensor, const std::vector<int>& shape) {
    return header([&](const std::string& name, Value entry, Object& out) {
      if (name == tensor) {
        Array dimensions;
        for (const int n : shape) dimensions.emplace_back(n);
        entry.object().set("shape", dimensions);
      }
      out.set(name, entry);
    });
  }
  /// What the import says; that it ends as bad data, and leaves neither a file nor a part of one.
  std::string fault() const {
    const fs::path to = folder_ / "out.h5";
    const Outcome outcome = import(path_, to);
    EXPECT_EQ(outcome.exit_code, 65) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(path_.string())) << "the file is not named";
    EXPECT_EQ(outcome.out, "");
    for (const auto& entry : fs::directory_iterator(folder_.path())) EXPECT_EQ(entry.path(), path_);
    return outcome.err;
  }

 private:
  ScratchFolder folder_;
  fs::path path_;
};

const std::string kNorm = "model.layers.1.post_attention_layernorm.weight",
                  kQuery = "model.layers.0.self_attn.q_proj.weight";

TEST(ImportFaults, Tensors) {
  EXPECT_THAT(Broken("llama").without(kNorm).fault(), HasSubstr("tensor '" + kNorm + "' [32] is missing"));
  EXPECT_THAT(Broken("llama").rename(kQuery, "model.layers.0.self_attn.q_porj.weight").fault(),
              HasSubstr("tensor '" + kQuery +
                        "' [32, 32] is missing (did you mean 'model.layers.0.self_attn.q_porj.weight'?)"));
  EXPECT_THAT(Broken("llama").reshape(kNorm, {4, 8}).fault(),
              HasSubstr("tensor '" + kNorm + "' has the shape [4, 8], expected [32] by config.json"));
  EXPECT_THAT(Broken("llama").reshape(kNorm, {33}).fault(),
              AllOf(HasSubstr("model.safetensors: tensor '" + kNorm), HasSubstr("33 x 4 bytes")));
  EXPECT_THAT(Broken("pythia").rename("embed_out.weight", "embed_uot.weight").fault(),
              HasSubstr("tensor 'embed_out.weight' [448, 32] is missing (did you mean 'embed_uot.weight'?)"));
  EXPECT_THAT(
      Broken("pythia").reshape("gpt_neox.layers.0.attention.query_key_value.weight", {32, 96}).fault(),
      HasSubstr("has the shape [32, 96], expected [96, 32]"));
  Broken truncated("llama");
  fs::resize_file(truncated / "model.safetensors", fs::file_size(truncated / "model.safetensors") - 100);
  EXPECT_THAT(truncated.fault(), HasSubstr("are not inside the"));
  Broken shard("mistral_sharded");
  fs::resize_file(shard / "model-00002-of-00003.safetensors", 60);
  EXPECT_THAT(shard.fault(), HasSubstr("model-00002-of-00003.safetensors"));
  // One layer more in the file than in the config.
  EXPECT_THAT(
      Broken("llama").replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1").fault(),
      HasSubstr("is not part of the model that config.json describes (did you mean 'model.layers.0."));
  EXPECT_THAT(Broken("llama")
                  .replace("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000000")
                  .fault(),
              HasSubstr("layers is 1000000000, expected 1 to 1024"));
}

TEST(ImportFaults, Config) {
  EXPECT_THAT(Broken("llama").replace("config.json", "LlamaForCausalLM", "LlamaForCausalML").fault(),
              AllOf(HasSubstr("config.json: architecture 'LlamaForCausalML' is not supported, expected one "
                              "of LlamaForCausalLM"),
                    HasSubstr("did you mean 'LlamaForCausalLM'?")));
  EXPECT_THAT(Broken("llama").replace("config.json", "LlamaForCausalLM", "MambaForCausalLM").fault(),
              HasSubstr("'MambaForCausalLM' is not supported"));
  EXPECT_THAT(Broken("llama_linear_f16").replace("config.json", "\"linear\"", "\"dynamic\"").fault(),
              HasSubstr("rope scaling 'dynamic' in 'rope_scaling' is not supported, expected one of default, "
                        "linear, llama3"));
  EXPECT_THAT(Broken("mistral_sharded").replace("config.json", "\"default\"", "\"yarn\"").fault(),
              HasSubstr("rope scaling 'yarn' in 'rope_parameters'"));
  EXPECT_THAT(Broken("llama_linear_f16").replace("config.json", "\"factor\"", "\"fcator\"").fault(),
              HasSubstr("'factor' is missing (did you mean 'fcator'?)"));
  EXPECT_THAT(Broken("llama").replace("config.json", "\"vocab_size\"", "\"vocab_szie\"").fault(),
              HasSubstr("'vocab_size' is missing (did you mean 'vocab_szie'?)"));
  EXPECT_THAT(
      Broken("llama").replace("config.json", "\"hidden_size\": 32", "\"hidden_size\": \"32\"").fault(),
      HasSubstr("'hidden_size': "));
  EXPECT_THAT(Broken("llama").replace("config.json", "\"silu\"", "\"silo\"").fault(),
              HasSubstr("'hidden_act' is 'silo'"));
  EXPECT_THAT(Broken("llama").replace("config.json", "{", "{\"quantization_config\": {},").fault(),
              HasSubstr("quantised weights"));
  EXPECT_THAT(Broken("llama").replace("config.json", "{", "").fault(), HasSubstr("config.json: "));
  EXPECT_THAT(Broken("llama")
                  .replace("generation_config.json", "\"eos_token_id\": 2", "\"eos_token_id\": 99999")
                  .fault(),
              HasSubstr("'eos_token_id' is 99999, expected one of the model's 520 tokens"));
  EXPECT_THAT(Broken("qwen2")
                  .replace("config.json", "\"use_sliding_window\": false",
                           "\"use_sliding_window\": true, \"sliding_window\": 8")
                  .fault(),
              HasSubstr("a window in some layers only"));
}

TEST(ImportFaults, Opt) {
  const auto with = [](const char* what, const char* by) {
    return Broken("opt").replace("config.json", what, by).fault();
  };
  EXPECT_THAT(
      with("\"word_embed_proj_dim\": 32", "\"word_embed_proj_dim\": 16"),
      HasSubstr("config.json: 'word_embed_proj_dim' 16 (embeddings that are projected to 'hidden_size' 32)"));
  EXPECT_THAT(with("\"_remove_final_layer_norm\": false", "\"_remove_final_layer_norm\": true"),
              HasSubstr("'_remove_final_layer_norm' true"));
  EXPECT_THAT(
      with("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 66"),
      HasSubstr("tensor 'model.decoder.embed_positions.weight' has the shape [66, 32], expected [68, 32]"));
  EXPECT_THAT(with("\"do_layer_norm_before\": true", "\"do_layer_norm_before\": false"),
              HasSubstr("tensor 'model.decoder.final_layer_norm.bias' [32] is not part of the model"));
  EXPECT_THAT(with("\"activation_function\": \"relu\"", "\"activation_function\": \"rleu\""),
              HasSubstr("'activation_function' is 'rleu'"));
  Broken shard("opt_post");
  fs::resize_file(shard / "pytorch_model-00002-of-00002.bin", 5000);
  EXPECT_THAT(shard.fault(), HasSubstr("pytorch_model-00002-of-00002.bin: no end of zip directory"));
  EXPECT_THAT(Broken("opt_post")
                  .replace("pytorch_model.bin.index.json", "fc1.weight\": \"pytorch_model-00001",
                           "fc1.weight\": \"pytorch_model-00002")
                  .fault(),
              HasSubstr("tensors that the index says it has"));
}

TEST(ImportFaults, LitGpt) {
  const auto with = [](const char* what, const char* by) {
    return Broken("lit_gpt").replace("lit_config.json", what, by).fault();
  };
  EXPECT_THAT(with("\"k_bias\": false", "\"k_bias\": true"),
              HasSubstr("lit_config.json: 'k_bias' (a key of the bias"));
  EXPECT_THAT(with("\"shared_attention_norm\": false", "\"shared_attention_norm\": true"),
              HasSubstr("'shared_attention_norm'"));
  EXPECT_THAT(with("\"attention_normalize\": true", "\"attention_normalize\": false"),
              HasSubstr("'attention_normalize' false"));
  EXPECT_THAT(with("\"window_size\": -1", "\"window_size\": 32"),
              HasSubstr("'window_size' 32 is not supported"));
  EXPECT_THAT(with("\"rotary\"", "\"rotory\""),
              HasSubstr("'positional_embedding' is 'rotory', expected one of rotary, nope"));
  EXPECT_THAT(with("\"LLaMAMLP\"", "\"LLaMaMLP\""), HasSubstr("(did you mean 'LLaMAMLP'?)"));
  EXPECT_THAT(with("\"n_head\": 4", "\"n_head\": 5"),
              HasSubstr("'n_embd' 32 is not a multiple of 'n_head' 5"));
  EXPECT_THAT(
      with("\"n_query_groups\": 2", "\"n_query_groups\": 4"),
      AllOf(
          HasSubstr("iter-000012-ckpt.pth: tensor 'transformer.h.0.attn.attn.weight' has the shape [64, 32]"),
          HasSubstr("expected [96, 32]")));
  EXPECT_THAT(with("\"n_layer\": 2", "\"n_layer\": 1"), HasSubstr("tensor 'transformer.h.1."));
  EXPECT_THAT(with("\"head_bias\": false", "\"head_bias\": true"), HasSubstr("'head_bias' with fewer"));
  Broken two("lit_gpt");
  fs::copy(two / "iter-000012-ckpt.pth", two / "iter-000013-ckpt.pth");
  const ScratchFolder folder;
  const Outcome outcome = import(two / "", folder / "m.h5");
  EXPECT_EQ(outcome.exit_code, 66);
  EXPECT_THAT(outcome.err, HasSubstr("expected lit_model.pth or one other .pth file, found 2"));
}

TEST(ImportFaults, Tokenizer) {
  // Of the Llama model, whose tokenizer has 520 tokens, the embedding and head are cut to 512 rows.
  EXPECT_THAT(Broken("llama").replace("config.json", "\"vocab_size\": 520", "\"vocab_size\": 512").fault(),
              HasSubstr("tokenizer.json: the tokenizer has 520 tokens, the model's embedding only 512 rows"));
  EXPECT_THAT(
      Broken("llama_linear_f16").replace("config.json", "\"vocab_size\": 500", "\"vocab_size\": 499").fault(),
      HasSubstr("tokenizer.model: the tokenizer has 500 tokens"));
  EXPECT_THAT(Broken("llama").replace("tokenizer.json", "\"BPE\"", "\"WordPiece\"").fault(),
              HasSubstr("tokenizer.json: model of the unsupported kind 'WordPiece'"));
  Broken cut("llama_linear_f16");
  fs::resize_file(cut / "tokenizer.model", 1000);
  EXPECT_THAT(cut.fault(), HasSubstr("tokenizer.model: offset"));
}

TEST(Import, SaysWhenTokensAreLeftOut) {
  const ScratchFolder folder;
  Broken whole("llama_linear_f16");
  write_contents(whole / "added_tokens.json", "{\"<pad>\": 500}");
  const Outcome outcome = import(whole / "", folder / "m.h5");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err,
              HasSubstr("added_tokens.json: tokens beside tokenizer.model are not looked for in text"));
}

TEST(ImportFaults, PyTorchFiles) {
  Broken renamed("llama");
  fs::rename(renamed / "model.safetensors", renamed / "pytorch_model.bin");
  EXPECT_THAT(renamed.fault(), HasSubstr("pytorch_model.bin: no end of zip directory"));
  Broken hostile("llama");
  fs::remove(hostile / "model.safetensors");
  fs::copy(kModels / "../import/torch-system.bin", hostile / "pytorch_model.bin");
  EXPECT_THAT(hostile.fault(),
              AllOf(HasSubstr("pytorch_model.bin: "), HasSubstr("refers to 'posix.system'")));
  Broken none("llama");
  fs::remove(none / "model.safetensors");
  const ScratchFolder folder;
  const Outcome outcome = import(none / "", folder / "m.h5");
  EXPECT_EQ(outcome.exit_code, 66);
  EXPECT_THAT(outcome.err, HasSubstr("expected one of model.safetensors, model.safetensors.index.json, "
                                     "pytorch_model.bin, pytorch_model.bin.index.json in this folder"));
}

TEST(ImportFaults, AnOldFileStaysWhenTheNewOneCannotBeMade) {
  const ScratchFolder folder;
  write_contents(folder / "m.h5", "old");
  Broken broken("llama");
  broken.without(kNorm);
  EXPECT_EQ(import(broken / "", folder / "m.h5").exit_code, 65);
  EXPECT_EQ(contents(folder / "m.h5"), "old");
}

TEST(Import, TensorsAloneAndOptionsThatDoNotFit) {
  const ScratchFolder folder;
  EXPECT_EQ(import(kModels / "llama", folder / "t.h5", {"--tensors"}).exit_code, 0);
  EXPECT_THROW(read_language_model((folder / "t.h5").string()), Error);
  const Outcome both = import(kModels / "llama", folder / "u.h5", {"--tensors", "--dtype", "float16"});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.err, HasSubstr("--dtype is for language models"));
  EXPECT_EQ(import(kModels / "llama", folder / "u.h5", {"--dtype", "float8"}).exit_code, 2);
  EXPECT_EQ(import(folder / "nothing.safetensors", folder / "u.h5").exit_code, 66);
  EXPECT_FALSE(fs::exists(folder / "u.h5"));
}

}  // namespace
}  // namespace stream::llm
