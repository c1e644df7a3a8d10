/// Plugin "bandits": learners that choose, and the worlds to study them in.
#include "stream/plugin.hpp"
#include "bandits/bandits_arms.hpp"
#include "bandits/bandits_replay.hpp"
#include "bandits/bandits_single_pass.hpp"
#include "bandits/bandits_world.hpp"
#include "bandits/study_single_pass.hpp"

STREAM_PLUGIN("bandits", stream::bandits::ArmsSource, stream::bandits::WorldOperator,
              stream::bandits::SinglePassOperator, stream::bandits::ReplayOperator,
              stream::bandits::SinglePassStudy);
