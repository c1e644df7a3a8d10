/// Plugin "events": the reader of logs of events that all learners on them share, and made-up logs.
#include "stream/plugin.hpp"
#include "events/events_council.hpp"
#include "events/events_hawkes.hpp"
#include "events/events_pitch.hpp"
#include "events/events_read.hpp"
#include "events/events_scenes.hpp"

STREAM_PLUGIN("events", stream::events::EventsRead, stream::events::HawkesSource, stream::events::PitchSource,
              stream::events::CouncilSource, stream::events::ScenesOperator);
