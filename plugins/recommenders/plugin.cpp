/// Plugin "recommenders": what users will want next.
#include "stream/plugin.hpp"
#include "recommenders/recommenders_attributes.hpp"
#include "recommenders/recommenders_attributes_report.hpp"
#include "recommenders/recommenders_attributes_train.hpp"
#include "recommenders/recommenders_cml.hpp"
#include "recommenders/recommenders_cml_train.hpp"
#include "recommenders/recommenders_listening.hpp"
#include "recommenders/recommenders_pisa.hpp"
#include "recommenders/recommenders_pisa_train.hpp"
#include "recommenders/recommenders_playlists.hpp"
#include "recommenders/recommenders_tickets.hpp"
#include "recommenders/study_attributes.hpp"
#include "recommenders/study_cml.hpp"
#include "recommenders/study_pisa.hpp"

STREAM_PLUGIN("recommenders", stream::recommenders::ListeningSource, stream::recommenders::PisaTrainSource,
              stream::recommenders::PisaOperator, stream::recommenders::PisaStudy,
              stream::recommenders::TicketsSource, stream::recommenders::CmlTrainSource,
              stream::recommenders::CmlOperator, stream::recommenders::CmlStudy,
              stream::recommenders::PlaylistsSource, stream::recommenders::AttributesTrainSource,
              stream::recommenders::AttributesOperator, stream::recommenders::AttributesReportSource,
              stream::recommenders::AttributesStudy);
