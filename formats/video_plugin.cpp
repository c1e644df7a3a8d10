/// Plugin "video": YUV4MPEG2, raw frames, and everything that FFmpeg's libraries read and write.
#include "image_write.hpp"
#include "video_compare.hpp"
#include "video_convert.hpp"
#include "video_read.hpp"
#include "video_write.hpp"

STREAM_PLUGIN("video", stream::VideoRead, stream::VideoWrite, stream::VideoConvert, stream::VideoCompare,
              stream::ImageWrite);
