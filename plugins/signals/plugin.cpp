/// Plugin "signals": dictionaries of audio, sensors and other vectors.
#include "stream/plugin.hpp"
#include "signals/signals_code.hpp"
#include "signals/signals_dictionary.hpp"
#include "signals/signals_vectors.hpp"
#include "signals/study_dictionary.hpp"

STREAM_PLUGIN("signals", stream::signals::DictionaryOperator, stream::signals::EncodeOperator,
              stream::signals::DecodeOperator, stream::signals::AudioVectors, stream::signals::VectorsAudio,
              stream::signals::RecordVectors, stream::signals::SparseVectors,
              stream::signals::DictionaryStudy);
