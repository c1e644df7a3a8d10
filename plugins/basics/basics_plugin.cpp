/// Plugin "basics": plain operators that recipes, tests and benchmarks are made of.
#include "audio_gain.hpp"
#include "csv_to_record.hpp"
#include "delay.hpp"
#include "discard.hpp"
#include "evaluate_prequential.hpp"
#include "identity.hpp"
#include "record_to_csv.hpp"
#include "record_to_text.hpp"
#include "records_generate.hpp"
#include "text_to_record.hpp"

STREAM_PLUGIN("basics", stream::Identity, stream::Discard, stream::Delay, stream::RecordsGenerate,
              stream::AudioGain, stream::TextToRecord, stream::RecordToText, stream::CsvToRecord,
              stream::RecordToCsv, stream::EvaluatePrequential);
