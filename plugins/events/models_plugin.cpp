/// Plugin "event_models": point processes on streams of events.
#include "events/events_prompt_tpp.hpp"
#include "events/events_prompt_tpp_train.hpp"
#include "events/study_prompt_tpp.hpp"
#include "stream/plugin.hpp"

STREAM_PLUGIN("event_models", stream::events::PromptTppOperator, stream::events::PromptTppTrainSource,
              stream::events::PromptTppStudy);
