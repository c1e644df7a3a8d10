#include "recommenders/playlist_book.hpp"

#include "events/event_mapping.hpp"

namespace stream::recommenders {

using events::EventFault;

namespace {

void add_tracks(PlaylistSums& sums, const Value& tracks, const char* member) {
  if (!tracks.is_array())
    throw EventFault(
        "type", std::string("member '") + member + "' is of type " + tracks.kind() + ", expected an array");
  std::size_t number = 0;
  for (const Value& track : tracks.as_array()) {
    ++number;
    try {
      sums.add(track_of(track));
    } catch (const Error& e) {
      throw EventFault("tracks", "track " + std::to_string(number) + ": " + e.what());
    }
  }
}

void change_facts(PlaylistFacts& facts, const Object& members) {
  const auto number = [&](const char* name, double& into) {
    const Value* value = members.find(name);
    if (!value || value->is_null()) return;
    if (!value->is_number())
      throw EventFault(
          "type", std::string("member '") + name + "' is of type " + value->kind() + ", expected a number");
    into = value->as_double();
  };
  if (const Value* name = members.find("name"); name && !name->is_null()) {
    if (!name->is_string())
      throw EventFault("type",
                       std::string("member 'name' is of type ") + name->kind() + ", expected a string");
    facts.name = name->as_string();
  }
  if (const Value* text = members.find("description"))
    facts.described = text->is_string() && !text->as_string().empty();
  if (const Value* shared = members.find("collaborative"))
    facts.collaborative =
        (shared->is_bool() && shared->as_bool()) || (shared->is_string() && shared->as_string() == "true");
  number("followers", facts.followers);
  if (const Value* created = members.find("created"); created && !created->is_null())
    facts.created = static_cast<double>(events::time_of(*created, 1).count()) / 1e9;
}

}  // namespace

std::size_t PlaylistBook::bytes_of(const std::string& playlist, const Entry& entry) {
  return playlist.size() + entry.facts.name.size() + entry.sums.bytes() + sizeof entry;
}

PlaylistBook::Change PlaylistBook::apply(const std::string& playlist, const Object& members) {
  const Value* event = members.find("event");
  if (!event || !event->is_string()) throw EventFault("missing", "member 'event' is missing or no string");
  const std::string& what = event->as_string();
  const auto at = entries_.find(playlist);
  if (what == "playlist_add") {
    if (at != entries_.end())
      throw EventFault("playlist-twice", "playlist '" + playlist + "' has been added before");
  } else if (what == "playlist_update" || what == "playlist_remove") {
    if (at == entries_.end()) throw EventFault("unknown-playlist", "there is no playlist '" + playlist + "'");
  } else {
    throw EventFault("event", "'" + what + "' is no event" +
                                  did_you_mean(what, {"playlist_add", "playlist_update", "playlist_remove"}));
  }
  if (what == "playlist_remove") {
    bytes_ -= bytes_of(playlist, at->second);
    entries_.erase(at);
    return Change::kRemoved;
  }
  Entry entry = at == entries_.end() ? Entry{} : at->second;
  change_facts(entry.facts, members);
  if (const Value* tracks = members.find("tracks")) {
    entry.sums = {};
    add_tracks(entry.sums, *tracks, "tracks");
  }
  if (const Value* added = members.find("added")) add_tracks(entry.sums, *added, "added");
  if (at != entries_.end()) bytes_ -= bytes_of(playlist, at->second);
  bytes_ += bytes_of(playlist, entry);
  entries_[playlist] = std::move(entry);
  return Change::kChanged;
}

std::vector<double> PlaylistBook::features(const std::string& playlist, double now) const {
  const Entry& entry = entries_.at(playlist);
  return entry.sums.features(entry.facts, now);
}

void PlaylistBook::save(Archive& group) const {
  std::int64_t number = 0;
  for (const auto& [playlist, entry] : entries_) {
    Archive& one = group.group("playlist_" + std::to_string(number++));
    one.set("id", playlist);
    one.set("name", entry.facts.name);
    one.set("described", entry.facts.described);
    one.set("collaborative", entry.facts.collaborative);
    one.set("followers", entry.facts.followers);
    one.set("created", entry.facts.created);
    entry.sums.save(one);
  }
  group.set("playlists", number);
}

void PlaylistBook::load(const Archive& group) {
  entries_.clear();
  bytes_ = 0;
  for (std::int64_t i = 0; i < group.get<std::int64_t>("playlists"); ++i) {
    const Archive& one = group.group("playlist_" + std::to_string(i));
    Entry entry;
    entry.facts = {.name = one.get<std::string>("name"),
                   .described = one.get<bool>("described"),
                   .collaborative = one.get<bool>("collaborative"),
                   .followers = one.get<double>("followers"),
                   .created = one.get<double>("created")};
    entry.sums.load(one);
    const auto id = one.get<std::string>("id");
    bytes_ += bytes_of(id, entry);
    if (!entries_.emplace(id, std::move(entry)).second)
      throw bad_data("the checkpoint names playlist '" + id + "' twice");
  }
}

}  // namespace stream::recommenders
