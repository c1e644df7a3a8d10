/// What PISA is compared with that needs no training: what the user played, what everybody played.
#pragma once

#include "recommenders/listening_world.hpp"
#include "recommenders/pisa_trainer.hpp"

namespace stream::recommenders {

/// Sessions of the user that held the item ("personal most popular").
Scorer by_personal_counts(std::size_t items);
/// The base level alone, exactly: ranks what was heard by its activation.
Scorer by_base_level(std::size_t items);
/// Training sessions of all users that held the item.
Scorer by_popularity(const SessionLog& log, std::span<const std::size_t> upto);
/// By the chances that the world itself gives to tracks, from so many draws: what there is to be had, whoever
/// ranks. Questions are of the world's users, with all of their sessions before.
Scorer by_the_world(const WorldOptions& world, std::int64_t draws);

}  // namespace stream::recommenders
