/// Plugin "rl": learners that learn from every event once and keep none, after stream-x.
#include "stream/plugin.hpp"

#include "rl/rl_control.hpp"
#include "rl/rl_environment.hpp"
#include "rl/rl_predict.hpp"
#include "rl/rl_run.hpp"
#include "rl/study_stream_x.hpp"

using namespace stream::rl;
STREAM_PLUGIN("rl", PredictOperator, ControlOperator, RunOperator, EnvironmentOperator, StreamXStudy);
