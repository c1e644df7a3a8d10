/// Plugin "bandits": learners that choose, and the worlds to study them in.
#include "stream/plugin.hpp"
#include "bandits/bandits_arms.hpp"
#include "bandits/bandits_calendar.hpp"
#include "bandits/bandits_curves.hpp"
#include "bandits/bandits_ical.hpp"
#include "bandits/bandits_idle_times.hpp"
#include "bandits/bandits_recovering.hpp"
#include "bandits/bandits_replay.hpp"
#include "bandits/bandits_single_pass.hpp"
#include "bandits/bandits_world.hpp"
#include "bandits/study_recovering.hpp"
#include "bandits/study_single_pass.hpp"

STREAM_PLUGIN("bandits", stream::bandits::ArmsSource, stream::bandits::WorldOperator,
              stream::bandits::SinglePassOperator, stream::bandits::ReplayOperator,
              stream::bandits::SinglePassStudy, stream::bandits::CurvesSource,
              stream::bandits::RecoveringArmsSource, stream::bandits::IdleTimesOperator,
              stream::bandits::CalendarOperator, stream::bandits::IcalOperator,
              stream::bandits::RecoveringOperator, stream::bandits::RecoveringStudy);
