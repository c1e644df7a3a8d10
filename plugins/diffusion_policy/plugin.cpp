/// Plugin "diffusion_policy": policies that denoise their actions, from demonstrations.
#include "stream/plugin.hpp"

#include "diffusion_policy/act.hpp"
#include "diffusion_policy/demonstrate.hpp"
#include "diffusion_policy/record.hpp"
#include "diffusion_policy/study.hpp"
#include "diffusion_policy/train.hpp"

using namespace stream::diffusion_policy;
STREAM_PLUGIN("diffusion_policy", ActOperator, DemonstrateSource, RecordOperator, TrainSource,
              DiffusionPolicyStudy);
