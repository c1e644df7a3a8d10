/// The laws for tests; they live in libstream-check.
#pragma once

#include "stream/laws.hpp"
