#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "llm/memory_full.hpp"
#include "llm/memory_inf.hpp"
#include "llm/needle_text.hpp"
#include "llm/plain_decoder.hpp"
#include "llm/study_duo.hpp"
#include "llm/study_inf.hpp"
#include "llm/study_part.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

namespace fs = std::filesystem;
using Logits = std::vector<std::vector<float>>;

/// A folder that goes with what made it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "stream-inf-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw cannot_write("no folder could be made in " + fs::temp_directory_path().string());
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class InfExact final : public JobsPart {
 public:
  explicit InfExact(const InfStudy::Options& o)
      : options_(o), maker_(o.model, filler_recipe(), o.seed * 1000) {
    job("model", [this] { return maker_.step(); });
    once("without look-up", [this] { without_look_up(); });
    once("short streams", [this] { dense(); });
    once("cuts", [this] { cuts(); });
    once("working set", [this] { working_set(); });
    once("bytes", [this] { bytes(); });
  }

 private:
  std::shared_ptr<const Decoder> decoder() {
    if (!decoder_) decoder_ = std::make_shared<const Decoder>(maker_.model());
    return decoder_;
  }
  Session session(InfMemory::Options o) {
    o.owner = decoder()->fingerprint();
    return Session(decoder(), std::make_unique<InfMemory>(decoder()->config(), decoder()->rope(), o));
  }
  static InfMemory& memory(Session& s) { return dynamic_cast<InfMemory&>(s.memory()); }
  std::vector<std::int32_t> text(std::int64_t length) const {
    return needle_stream({.length = std::max<std::int64_t>(length, 1024)},
                         Random(stable_hash("exact", options_.seed)))
        .tokens;
  }
  static Logits fed(Session& s, std::span<const std::int32_t> tokens, std::size_t piece) {
    Logits out;
    for (std::size_t at = 0; at < tokens.size(); at += piece)
      s.feed(tokens.subspan(at, std::min(piece, tokens.size() - at)),
             [&](std::size_t, std::span<const float> l) { out.emplace_back(l.begin(), l.end()); });
    return out;
  }
  struct Apart {
    double most = 0, scale = 0;
  };
  template <typename Other>
  static Apart apart(const Logits& a, const Other& b) {
    Apart out;
    for (std::size_t t = 0; t < a.size(); ++t)
      for (std::size_t i = 0; i < a[t].size(); ++i) {
        out.most = std::max(out.most, std::abs(static_cast<double>(a[t][i]) - static_cast<double>(b[t][i])));
        out.scale = std::max(out.scale, std::abs(static_cast<double>(b[t][i])));
      }
    return out;
  }
  void judge(const std::string& what, const Apart& d) {
    claim(what + ": largest difference, of the largest logit (" + decimals(d.scale) + ")", Value(), Value(),
          d.most / d.scale, "<= 1e-5", d.most <= 1e-5 * d.scale);
  }

  /// What a query sees without look-up: init and what is in no block yet at distance n_local - 1, the last
  /// n_local at true distances. With blocks and steps of one token this is LM-Infinite: the first tokens and
  /// the last n_local + 1, at distances of n_local - 1 at the most.
  void without_look_up() {
    const auto all = text(1024);
    const std::span<const std::int32_t> tokens(all.data(), 200);
    for (const auto& [block, execution] : {std::pair<std::int64_t, std::int64_t>{16, 16}, {1, 1}}) {
      InfMemory::Options o{
          .init = 1, .local = 64, .block = block, .representatives = 1, .topk = 0, .execution = execution};
      Session s = session(o);
      Logits found;
      std::vector<std::int64_t> moved;
      for (std::size_t at = 0; at < tokens.size();) {
        const std::size_t n = std::min(static_cast<std::size_t>(execution), tokens.size() - at);
        moved.insert(moved.end(), n, memory(s).store().size(0));
        s.feed(tokens.subspan(at, n),
               [&](std::size_t, std::span<const float> l) { found.emplace_back(l.begin(), l.end()); });
        at += n;
      }
      const plain::Rows expected =
          plain::Decoder(maker_.model())
              .logits({tokens.begin(), tokens.end()}, [&, b = block](std::int64_t t) {
                plain::View view{{}, o.local - 1};
                for (std::int64_t p = 0; p <= t; ++p) {
                  const bool near = t - p < o.local;
                  const bool loose = p < o.init || p >= o.init + moved[static_cast<std::size_t>(t)] * b;
                  if (near)
                    view.seen.push_back({p, o.local - 1 - (t - p)});
                  else if (b > 1 ? loose : p < o.init || t - p == o.local)
                    view.seen.push_back({p, 0});
                }
                return view;
              });
      judge(block > 1 ? "no look-up, blocks of 16: against plain arithmetic over init, local and what is in "
                        "no block yet"
                      : "no look-up, blocks and steps of 1: against LM-Infinite in plain arithmetic, "
                        "distances limited to 63",
            apart(found, expected));
    }
  }

  void dense() {
    const auto all = text(1024);
    const std::span<const std::int32_t> tokens(all.data(), 64);
    Session s =
        session({.init = 1, .local = 64, .block = 1, .representatives = 1, .topk = 4, .execution = 16});
    Session full(decoder(), std::make_unique<FullMemory>(decoder()->config(), decoder()->rope()));
    judge("a stream no longer than the local window: against dense attention",
          apart(fed(s, tokens, 64), fed(full, tokens, 64)));
  }

  void cuts() {
    const auto tokens = text(2048);
    std::int64_t different = 0;
    Logits first;
    for (const std::size_t piece : {std::size_t{2048}, std::size_t{256}, std::size_t{48}, std::size_t{16}}) {
      Session s =
          session({.init = 1, .local = 64, .block = 2, .representatives = 1, .topk = 4, .execution = 16});
      Logits found = fed(s, tokens, piece);
      if (first.empty())
        first = std::move(found);
      else
        different += found != first;
    }
    claim("pieces of 256, 48 and 16 tokens instead of 2048: results that are not bitwise the same", Value(),
          Value(), different, "= 0", different == 0);
  }

  void working_set() {
    const auto tokens = text(2048);
    const Scratch scratch;
    InfMemory::Options o{
        .init = 1, .local = 64, .block = 16, .representatives = 4, .topk = 4, .execution = 16};
    Session in_memory = session(o);
    const Logits expected = fed(in_memory, tokens, 256);
    std::int64_t different = 0, over = 0;
    std::string misses;
    for (const std::int64_t set : {4, 8, 128}) {
      o.working_set = set;
      o.folder = (scratch.path() / std::to_string(set)).string();
      Session s = session(o);
      different += fed(s, tokens, 256) != expected;
      const BlockStore& store = memory(s).store();
      const auto cap =
          static_cast<std::size_t>(set * decoder()->config().layers * 8 * decoder()->config().kv_heads * 16 *
                                   decoder()->config().head_dim);
      over += store.largest_working_set() > cap;
      misses += (misses.empty() ? "" : ", ") + std::to_string(set) + ": " +
                decimals(static_cast<double>(store.misses()) / static_cast<double>(store.reads()));
    }
    claim(
        "working sets of 4, 8 and 128 blocks in memory, the others in files: results that are not bitwise "
        "those of blocks in "
        "memory; reads that went to a file, by working set",
        Value(), misses, different, "= 0", different == 0);
    claim("working sets that grew beyond their blocks' bytes", Value(), Value(), over, "= 0", over == 0);
  }

  /// Working memory is what is no block and no index.
  void bytes() {
    const ModelConfig& c = decoder()->config();
    const std::int64_t length = options_.quick ? 4096 : options_.longest > 0 ? options_.longest : 16384;
    const auto tokens = text(length);
    const InfMemory::Options o{.init = 1,
                               .local = 64,
                               .block = 16,
                               .representatives = 1,
                               .topk = 4,
                               .execution = 16,
                               .working_set = 8};
    Session s = session(o);
    const auto index = static_cast<std::size_t>(4 * c.heads * c.head_dim * c.layers),
               block = static_cast<std::size_t>(8 * c.kv_heads * o.block * c.head_dim * c.layers);
    std::size_t least = SIZE_MAX, most = 0;
    for (std::size_t at = 0; at < tokens.size(); at += 16) {
      s.feed({tokens.data() + at, std::min<std::size_t>(16, tokens.size() - at)});
      if (at < 1024) continue;
      const auto blocks = static_cast<std::size_t>(memory(s).store().size(0));
      const std::size_t working = s.memory().resident_bytes() - blocks * (index + block);
      least = std::min(least, working), most = std::max(most, working);
    }
    // Between two blocks the remainder fills up, the same way each time.
    const auto bound =
        static_cast<std::size_t>(8 * c.kv_heads * c.head_dim * c.layers * (o.init + o.local + o.block));
    claim("bytes from token 1024 to " + std::to_string(length) + " beside " + std::to_string(index) +
              " of index and " + std::to_string(block) +
              " of keys and values for each block; the least beside it",
          "constant", static_cast<std::int64_t>(least), static_cast<std::int64_t>(most),
          "<= " + std::to_string(bound) + ": init, local window and one block",
          most <= bound && least > 0 && least <= most);
  }

  InfStudy::Options options_;
  ModelMaker maker_;
  std::shared_ptr<const Decoder> decoder_;
};

}  // namespace

std::unique_ptr<StudyPart> inf_exact(const InfStudy::Options& options) {
  return std::make_unique<InfExact>(options);
}

}  // namespace stream::llm
