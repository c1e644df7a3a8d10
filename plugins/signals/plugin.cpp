/// Plugin "signals": dictionaries of audio, sensors and other vectors.
#include "stream/plugin.hpp"
#include "signals/signals_bytes.hpp"
#include "signals/signals_code.hpp"
#include "signals/signals_dictionary.hpp"
#include "signals/signals_image.hpp"
#include "signals/signals_vectors.hpp"
#include "signals/study_dictionary.hpp"

STREAM_PLUGIN("signals", stream::signals::DictionaryOperator, stream::signals::EncodeOperator,
              stream::signals::DecodeOperator, stream::signals::ReconstructOperator,
              stream::signals::BytesVectors, stream::signals::PackOperator, stream::signals::UnpackOperator,
              stream::signals::AudioVectors, stream::signals::VectorsAudio, stream::signals::RecordVectors,
              stream::signals::FramePatches, stream::signals::PatchesFrame, stream::signals::SparseVectors,
              stream::signals::DictionaryStudy);
