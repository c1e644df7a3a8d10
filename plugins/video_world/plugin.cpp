/// Plugin "video_world": videos that are made up.
#include "video_world/clip_source.hpp"
#include "video_world/world_source.hpp"

STREAM_PLUGIN("video_world", stream::video_world::ClipSource, stream::video_world::WorldSource);
