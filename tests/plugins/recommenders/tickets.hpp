/// A small made-up cinema, and a model learnt from it.
#pragma once

#include "recommenders/cml_trainer.hpp"
#include "recommenders/study_cml_parts.hpp"

namespace stream::recommenders::testing {

inline TicketWorldOptions small_cinema() { return {.films = 120, .customers = 60, .years = 2, .seed = 3}; }

inline std::shared_ptr<const CmlData> small_data(std::string vectors = "random") {
  WordVectorOptions words;
  words.kind = std::move(vectors);
  words.features = 16;
  return std::make_shared<CmlData>(log_of_world(TicketWorld(small_cinema())), CmlSplit{}, words, Random(1));
}

inline std::unique_ptr<CmlTrainer> small_cml(std::int64_t epochs = 1, bool deep = true, bool ageing = false) {
  CmlTrainerOptions options;
  options.shape.deep = deep, options.shape.ageing = ageing, options.shape.hidden = 8;
  options.epochs = epochs, options.batch = 64, options.rate = 0.3;
  return std::make_unique<CmlTrainer>(small_data(), options, Random(1));
}

inline void write_small_cml(const std::string& path, bool ageing = false) {
  const auto trainer = small_cml(1, true, ageing);
  while (!trainer->finished()) trainer->step();
  CmlModel model = model_of(trainer->data(), trainer->tower(), trainer->head(), {"budget"});
  // Half of the films are left for the stream to describe.
  model.films.resize(60);
  model.x.resize(60 * model.plots.features());
  model.write(path);
}

/// Descriptions and tickets of the small cinema in order of time, as events.read brings them.
inline std::vector<Packet> cinema_packets(std::size_t films, std::size_t customers) {
  const TicketWorld world(small_cinema());
  std::vector<Packet> out;
  std::size_t next = 0;
  std::int64_t line = 0;
  const auto time_of = [](double seconds) {
    return Time{static_cast<std::int64_t>(seconds) * 1'000'000'000};
  };
  for (const MadeTicket& ticket : world.tickets()) {
    for (; next < films && world.films()[next].release <= ticket.time; ++next) {
      const MadeFilm& film = world.films()[next];
      out.push_back(Packet::of<Record>(
          time_of(film.release),
          Object{{"line", ++line}, {"item", film.name}, {"plot", film.plot}, {"budget", film.budget}}));
    }
    if (static_cast<std::size_t>(ticket.customer) >= customers ||
        static_cast<std::size_t>(ticket.film) >= films)
      continue;
    Packet packet = Packet::of<Record>(time_of(ticket.time),
                                       Object{{"line", ++line}, {"item", "f" + std::to_string(ticket.film)}});
    packet.key = Key("c" + std::to_string(ticket.customer));
    out.push_back(std::move(packet));
  }
  return out;
}

}  // namespace stream::recommenders::testing
