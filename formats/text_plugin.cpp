/// Plugin "text": lines, JSON Lines and raw bytes.
#include "bytes_read.hpp"
#include "bytes_write.hpp"
#include "jsonl_read.hpp"
#include "jsonl_write.hpp"
#include "text_read.hpp"
#include "text_write.hpp"

STREAM_PLUGIN("text", stream::TextRead, stream::TextWrite, stream::BytesRead, stream::BytesWrite,
              stream::JsonlRead, stream::JsonlWrite);
