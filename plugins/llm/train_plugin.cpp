/// Plugin "llm_train": what trains language models, on libtorch.
#include "llm/llm_train.hpp"
#include "stream/plugin.hpp"

STREAM_PLUGIN("llm_train", stream::llm::TrainOperator);
