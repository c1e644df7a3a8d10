/// usage: bench-llama-cpp: tokens of the same random models, decoded and read in as a prompt, by this project
/// and by llama.cpp in one process and one thread. Built where LLAMA_CPP names a checkout: see llama_cpp.sh.
/// Prints one table in Markdown on stdout; exit code 1 when we are slower anywhere or the two do not agree.
#include <cblas.h>
#include <llama.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "clock.hpp"
#include "compare.hpp"
#include "llm/memory_full.hpp"
#include "llm/random_model.hpp"
#include "llm/session.hpp"
#include "stream/half.hpp"

namespace stream::bench {
namespace {

using namespace stream::llm;

/// A type of weights in both programs.
struct Weights {
  const char* name;
  WeightType ours;
  std::uint32_t theirs;  ///< GGML's number of the type
};
constexpr std::uint32_t kF32 = 0, kF16 = 1, kQ8 = 8;
constexpr Weights kWeights[] = {{"float32 / F32", WeightType::kFloat32, kF32},
                                {"float16 / F16", WeightType::kFloat16, kF16},
                                {"int8 / Q8_0", WeightType::kInt8, kQ8}};

/// GGUF version 3: a header of key-value pairs and tensors' names, then their data, aligned to 32 bytes.
class Gguf {
 public:
  void number(const std::string& key, std::uint32_t v) { pair(key, 4), put(pairs_, v); }
  void number(const std::string& key, float v) { pair(key, 6), put(pairs_, v); }
  void text(const std::string& key, const std::string& v) { pair(key, 8), put(pairs_, v); }
  void tensor(const std::string& name, const std::vector<std::int64_t>& shape, std::uint32_t type,
              const std::vector<float>& values) {
    put(infos_, name);
    put(infos_, static_cast<std::uint32_t>(shape.size()));
    for (auto d = shape.rbegin(); d != shape.rend(); ++d) put(infos_, static_cast<std::uint64_t>(*d));
    put(infos_, type);
    put(infos_, static_cast<std::uint64_t>(data_.size()));
    if (type == kF32)
      data_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    else if (type == kF16)
      for (const float v : values) put(data_, half_of_float(v));
    else
      for (std::size_t g = 0; g < values.size(); g += 32) {
        float most = 0;
        for (std::size_t i = g; i < g + 32; ++i) most = std::max(most, std::abs(values[i]));
        put(data_, half_of_float(most / 127));
        for (std::size_t i = g; i < g + 32; ++i)
          put(data_, static_cast<std::int8_t>(most > 0 ? std::lrint(values[i] / (most / 127)) : 0));
      }
    data_.resize((data_.size() + 31) / 32 * 32);
    ++tensors_;
  }
  void write(const std::filesystem::path& path) const {
    std::string head = "GGUF";
    put(head, std::uint32_t{3});
    put(head, tensors_);
    put(head, count_);
    head += pairs_ + infos_;
    head.resize((head.size() + 31) / 32 * 32);
    std::ofstream(path, std::ios::binary) << head << data_;
  }

 private:
  template <typename T>
  static void put(std::string& to, T v) {
    to.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  static void put(std::string& to, const std::string& v) {
    put(to, static_cast<std::uint64_t>(v.size()));
    to += v;
  }
  void pair(const std::string& key, std::uint32_t type) {
    put(pairs_, key);
    put(pairs_, type);
    ++count_;
  }
  std::string pairs_, infos_, data_;
  std::uint64_t count_ = 0, tensors_ = 0;
};

/// Rows of a projection to queries or keys in the order of llama.cpp's RoPE, which turns neighbours (2i, 2i +
/// 1) where ours turns (i, i + d / 2).
std::vector<float> neighbours(const std::vector<float>& w, std::int64_t d, std::int64_t in) {
  std::vector<float> out(w.size());
  for (std::size_t r = 0; r < w.size() / static_cast<std::size_t>(in); ++r) {
    const std::size_t width = static_cast<std::size_t>(d), head = r / width, i = r % width;
    const std::size_t from = head * width + i / 2 + (i % 2) * width / 2;
    std::copy_n(w.begin() + static_cast<std::ptrdiff_t>(from) * in, in,
                out.begin() + static_cast<std::ptrdiff_t>(r) * in);
  }
  return out;
}

void write_gguf(const LanguageModel& model, std::uint32_t type, const std::filesystem::path& path) {
  const ModelConfig& c = model.config;
  const auto u = [](std::int64_t v) { return static_cast<std::uint32_t>(v); };
  Gguf file;
  file.text("general.architecture", "llama");
  file.number("llama.context_length", u(c.context));
  file.number("llama.embedding_length", u(c.hidden));
  file.number("llama.block_count", u(c.layers));
  file.number("llama.feed_forward_length", u(c.ffn));
  file.number("llama.attention.head_count", u(c.heads));
  file.number("llama.attention.head_count_kv", u(c.kv_heads));
  file.number("llama.attention.layer_norm_rms_epsilon", static_cast<float>(c.norm_epsilon));
  file.number("llama.rope.freq_base", static_cast<float>(c.rope_base));
  file.number("llama.rope.dimension_count", u(c.head_dim));
  file.number("llama.vocab_size", u(c.vocabulary));
  file.text("tokenizer.ggml.model", "no_vocab");
  const auto add = [&](const std::string& ours, const std::string& theirs, bool turned = false) {
    const Tensor& t = model.weights.at(ours + ".weight");
    const std::vector<std::int64_t> shape(t.shape().begin(), t.shape().end());
    const std::vector<float> values = floats(t);
    file.tensor(theirs + ".weight", shape, shape.size() == 1 ? kF32 : type,
                turned ? neighbours(values, c.head_dim, c.hidden) : values);
  };
  add("embed_tokens", "token_embd");
  add("norm", "output_norm");
  add("lm_head", "output");
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string ours = "layers." + std::to_string(i) + ".", theirs = "blk." + std::to_string(i) + ".";
    add(ours + "input_layernorm", theirs + "attn_norm");
    add(ours + "self_attn.q_proj", theirs + "attn_q", true);
    add(ours + "self_attn.k_proj", theirs + "attn_k", true);
    add(ours + "self_attn.v_proj", theirs + "attn_v");
    add(ours + "self_attn.o_proj", theirs + "attn_output");
    add(ours + "post_attention_layernorm", theirs + "ffn_norm");
    add(ours + "mlp.gate_proj", theirs + "ffn_gate");
    add(ours + "mlp.up_proj", theirs + "ffn_up");
    add(ours + "mlp.down_proj", theirs + "ffn_down");
  }
  file.write(path);
}

/// One sequence of llama.cpp with one thread.
class Peer {
 public:
  explicit Peer(const std::filesystem::path& path) {
    llama_model_params m = llama_model_default_params();
    m.n_gpu_layers = 0;
    model_.reset(llama_model_load_from_file(path.c_str(), m));
    if (!model_) throw std::runtime_error("llama.cpp does not load " + path.string());
    llama_context_params c = llama_context_default_params();
    c.n_ctx = 1024, c.n_batch = c.n_ubatch = 512;
    c.n_threads = c.n_threads_batch = 1;
    context_.reset(llama_init_from_model(model_.get(), c));
    if (!context_) throw std::runtime_error("llama.cpp makes no context");
  }
  void clear() { llama_memory_clear(llama_get_memory(context_.get()), true); }
  void feed(std::vector<std::int32_t> tokens) {
    if (llama_decode(context_.get(), llama_batch_get_one(tokens.data(), static_cast<int>(tokens.size()))) !=
        0)
      throw std::runtime_error("llama.cpp does not decode");
  }
  const float* logits() { return llama_get_logits_ith(context_.get(), -1); }

 private:
  struct Free {
    void operator()(llama_model* p) const { llama_model_free(p); }
    void operator()(llama_context* p) const { llama_free(p); }
  };
  std::unique_ptr<llama_model, Free> model_;
  std::unique_ptr<llama_context, Free> context_;
};

struct Size {
  const char* name;
  std::int64_t layers, hidden, ffn, vocabulary;
};

bool measure(const Size& size, const Weights& weights) {
  // Our room for keys, full at 256 tokens, doubles with the first that is timed: its price is in the figure.
  constexpr std::int64_t kPast = 256, kDecoded = 64, kPrompt = 512;
  const LanguageModel model =
      random_model(llama_shape(size.layers, size.hidden, 64, size.ffn, size.vocabulary, 1024), 1);
  const testing::ScratchFolder folder;
  write_gguf(model, weights.theirs, folder / "model.gguf");
  Peer peer(folder / "model.gguf");
  const auto decoder = std::make_shared<const Decoder>(model, weights.ours);
  const auto session = [&] {
    return std::make_unique<Session>(
        decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()), kPrompt);
  };
  std::vector<std::int32_t> prompt;
  for (std::int64_t i = 0; i < kPrompt; ++i)
    prompt.push_back(static_cast<std::int32_t>(i * 37 % size.vocabulary));
  const std::vector<std::int32_t> past(prompt.begin(), prompt.begin() + kPast);

  // The same model: otherwise the times say nothing.
  auto ours = session();
  ours->feed(past);
  peer.feed(past);
  double apart = 0, spread = 0;
  for (std::size_t i = 0; i < ours->logits().size(); ++i) {
    const double mine = static_cast<double>(ours->logits()[i]), its = static_cast<double>(peer.logits()[i]);
    apart += (mine - its) * (mine - its);
    spread += its * its;
  }
  std::fprintf(stderr, "bench-llama-cpp: %s, %s: logits differ by %.2g of their size\n", size.name,
               weights.name, std::sqrt(apart / spread));
  bool good = std::sqrt(apart / spread) < 0.1;

  const auto print = [&](const std::string& what, double tokens, const Comparison& c) {
    std::printf("| %s, %s, %s | %.1f | %.1f | %.3f ± %.1f %% | %s |\n", what.c_str(), size.name, weights.name,
                tokens / c.ours, tokens / c.theirs, 1 / c.ratio, 100 * c.spread, c.ratio <= 1 ? "yes" : "NO");
    std::fflush(stdout);
    good = good && c.ratio <= 1;
  };
  print("64 tokens behind 256", kDecoded,
        compare(
            5,
            [&] {
              ours = session();
              ours->feed(past);
              return thread_seconds_of([&] {
                for (std::int64_t i = 0; i < kDecoded; ++i) ours->step(7);
              });
            },
            [&] {
              peer.clear();
              peer.feed(past);
              return thread_seconds_of([&] {
                for (std::int64_t i = 0; i < kDecoded; ++i) {
                  peer.feed({7});
                  peer.logits();
                }
              });
            }));
  print("a prompt of 512 tokens", kPrompt,
        compare(
            3,
            [&] {
              ours = session();
              return thread_seconds_of([&] { ours->feed(prompt); });
            },
            [&] {
              peer.clear();
              return thread_seconds_of([&] {
                peer.feed(prompt);
                peer.logits();
              });
            }));
  return good;
}

}  // namespace
}  // namespace stream::bench

int main() {
  using namespace stream::bench;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_backend_init();
  openblas_set_num_threads(1);
  std::puts(
      "| what | ours, tokens/s | llama.cpp, tokens/s | ours : llama.cpp | at least equal |\n| --- | ---: | "
      "---: | "
      "---: | --- |");
  bool good = true;
  try {
    for (const Size& size : {Size{"10 M", 5, 384, 1024, 1024}, Size{"100 M", 8, 1024, 2816, 4096}})
      for (const Weights& weights : kWeights) good = measure(size, weights) && good;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench-llama-cpp: not measured: %s\n", e.what());
    good = false;
  }
  llama_backend_free();
  return good ? 0 : 1;
}
