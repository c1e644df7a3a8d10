/// The laws for operators with imported models, whose tokenizers hold back words and halves of characters.
#include <gtest/gtest.h>

#include "llm/hugging_face/import.hpp"
#include "llm/llm_generate.hpp"
#include "llm/llm_score.hpp"
#include "program/program.hpp"
#include "stream/laws.hpp"

namespace stream::llm {
namespace {

const std::filesystem::path kModels = STREAM_SOURCE_DIR "/tests/golden/language_models";

class ImportedLaws : public ::testing::TestWithParam<std::string> {
 protected:
  std::string model() const {
    std::string path = (folder_ / "m.h5").string();
    write_language_model(path, read_hugging_face((kModels / GetParam()).string()));
    return path;
  }
  testing::ScratchFolder folder_;
};

const std::string kText =
    "Hello streams, it's  \xf0\x9f\x98\x80 caf\xc3\xa9 e\xcc\x81 <s> \xe6\x97\xa5\xe6\x9c\xac 12345\n\n  "
    "end\xff.";

TEST_P(ImportedLaws, ScoreOfBytesThatAreCutInsideOfCharacters) {
  std::vector<Packet> pieces;
  for (std::size_t at = 0; at < kText.size(); at += 5)
    pieces.push_back(
        Packet::of<Bytes>(Time{static_cast<std::int64_t>(at)}, Buffer::own(kText.substr(at, 5))));
  laws::check_all(laws::subject<ScoreOperator>({{"model", model()}, {"sinks", 1}, {"recent", 12}}), pieces);
}

TEST_P(ImportedLaws, GenerateFromLines) {
  std::vector<Packet> lines;
  lines.reserve(8);
  for (int i = 0; i < 8; ++i)
    lines.push_back(Packet::of<Text>(Time{10 * i}, kText.substr(0, 29) + std::to_string(i)));
  laws::check_all(laws::subject<GenerateOperator>({{"model", model()},
                                                   {"sinks", 1},
                                                   {"recent", 60},
                                                   {"max_tokens", 6},
                                                   {"temperature", 1.0},
                                                   {"long_turns", "evict"}}),
                  lines);
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, ImportedLaws,
                         ::testing::Values("llama_linear_f16", "mistral_sharded", "qwen2"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace stream::llm
