/// Plugin "llm_train": what trains language models, on libtorch, and the studies, which may train theirs.
#include "llm/llm_identify.hpp"
#include "llm/llm_train.hpp"
#include "llm/study_duo.hpp"
#include "llm/study_inf.hpp"
#include "llm/study_sink.hpp"
#include "llm/study_sir.hpp"
#include "llm/study_streaming.hpp"
#include "stream/plugin.hpp"

STREAM_PLUGIN("llm_train", stream::llm::TrainOperator, stream::llm::IdentifyOperator,
              stream::llm::StreamingStudy, stream::llm::SirStudy, stream::llm::DuoStudy,
              stream::llm::InfStudy, stream::llm::SinkStudy);
