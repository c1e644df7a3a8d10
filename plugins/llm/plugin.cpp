/// Plugin "llm": language models over endless streams. Without libtorch: it loads in milliseconds.
#include "stream/plugin.hpp"
#include "llm/llm_corpus.hpp"
#include "llm/llm_generate.hpp"
#include "llm/llm_needles.hpp"
#include "llm/llm_pair_samples.hpp"
#include "llm/llm_pair_text.hpp"
#include "llm/llm_passkeys.hpp"
#include "llm/llm_probe.hpp"
#include "llm/llm_score.hpp"
#include "llm/llm_throws.hpp"
#include "llm/llm_tokens.hpp"

STREAM_PLUGIN("llm", stream::llm::GenerateOperator, stream::llm::ScoreOperator, stream::llm::CorpusSource,
              stream::llm::PairTextSource, stream::llm::PairSampleSource, stream::llm::PasskeyOperator,
              stream::llm::ProbeOperator, stream::llm::NeedleSource, stream::llm::ThrowSource,
              stream::llm::TokenSource);
