#include "@IDENTIFIER@.hpp"

STREAM_PLUGIN("@NAME@", @CLASS@);
