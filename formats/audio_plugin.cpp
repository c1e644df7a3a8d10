/// Plugin "audio": WAV, FLAC, Ogg Vorbis and raw PCM.
#include "audio_read.hpp"
#include "audio_write.hpp"

STREAM_PLUGIN("audio", stream::AudioRead, stream::AudioWrite);
