/// Plugin "super_resolution": better pixels from networks that were overfitted to a video.
#include "stream/plugin.hpp"
#include "super_resolution/study.hpp"
#include "super_resolution/superres_live.hpp"
#include "super_resolution/superres_play.hpp"
#include "super_resolution/superres_train.hpp"

using namespace stream::super_resolution;
STREAM_PLUGIN("super_resolution", TrainOperator, TurnsSource, PlayOperator, LiveOperator, ShrinkOperator,
              EnlargeOperator, SuperresStudy);
