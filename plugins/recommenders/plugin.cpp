/// Plugin "recommenders": what users will want next.
#include "stream/plugin.hpp"
#include "recommenders/recommenders_listening.hpp"
#include "recommenders/recommenders_pisa.hpp"
#include "recommenders/recommenders_pisa_train.hpp"
#include "recommenders/study_pisa.hpp"

STREAM_PLUGIN("recommenders", stream::recommenders::ListeningSource, stream::recommenders::PisaTrainSource,
              stream::recommenders::PisaOperator, stream::recommenders::PisaStudy);
