/// Plugin "events": learners on streams of events, and the reader that all of them share.
#include "stream/plugin.hpp"
#include "events/events_read.hpp"

STREAM_PLUGIN("events", stream::events::EventsRead);
