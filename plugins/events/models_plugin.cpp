/// Plugin "event_models": point processes and graphs on streams of events.
#include "events/events_prompt_tpp.hpp"
#include "events/events_prompt_tpp_train.hpp"
#include "events/events_timegraphs.hpp"
#include "events/events_timegraphs_train.hpp"
#include "events/study_prompt_tpp.hpp"
#include "events/study_timegraphs.hpp"
#include "stream/plugin.hpp"

STREAM_PLUGIN("event_models", stream::events::PromptTppOperator, stream::events::PromptTppTrainSource,
              stream::events::PromptTppStudy, stream::events::TimeGraphsOperator,
              stream::events::TimeGraphsTrainSource, stream::events::TimeGraphsStudy);
