/// What a controller and a world that is elsewhere say to each other, and what has to be known of the world.
#pragma once

#include "rl/controller.hpp"
#include "stream/packet.hpp"
#include "stream/spec.hpp"

namespace stream::rl {

inline constexpr const char* kObservationDoc =
    "{\"x\": [observation], \"r\": reward of the action before, \"end\": 1 where an episode ends (0 or "
    "missing "
    "elsewhere), \"a\": the action that was taken, where it is not the one that was sent}";
inline constexpr const char* kActionDoc =
    "{\"a\": action (null after the end of an episode), \"delta\": TD error, \"step_size\": effective step "
    "size "
    "of the update, \"return\": running discounted return over its deviation}; null where nothing could be "
    "learnt yet";

/// Declares what rl.control and rl.run must be told of a world that they cannot ask.
Spec declare_spaces(Spec spec);
/// Reads it; grid and time limit go into the settings.
Actions spaces_from(const Params& params, Settings& settings);
/// Throws Error(kBadData) when observations of that size are not the grid that was declared.
void check_grid(const Settings& settings, std::size_t observation);

/// One event for the controller, and the answer to it. Throws Error(kBadData), with nothing changed, for
/// events that cannot be.
Object answer(Controller& controller, const Record& event, const Actions& actions);

}  // namespace stream::rl
