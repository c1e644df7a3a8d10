#include "stream/plugin.hpp"

#include "asr/asr_conformer.hpp"
#include "asr/asr_score.hpp"
#include "asr/asr_train.hpp"
#include "asr/corpus_spoken_text.hpp"
#include "asr/study_conformer.hpp"

using namespace stream::asr;
STREAM_PLUGIN("asr", ConformerOperator, ScoreOperator, TrainOperator, SpokenTextSource, ConformerStudy);
