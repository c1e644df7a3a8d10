#include "diffusion_policy/demonstrate.hpp"

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::diffusion_policy {

Spec DemonstrateSource::spec() {
  const DemonstratorOptions options;
  return Spec("diffusion_policy.demonstrate", "Let a scripted expert fill a file of demonstrations.")
      .output<Record>("episodes", "{\"episode\", \"ticks\"} of each")
      .param("environment", "gate-world anywhere=0.4",
             "\"gate-world\", \"twin-track\" or \"push-t\", with its parameters after blanks: \"twin-track "
             "limit=100\"")
      .param("episodes", 1000, "to record", range(1, 1e6))
      .param("kicks", options.kicks,
             "share of the ticks in which noise is added to what is executed, not to what is recorded",
             range(0, 1))
      .param("kick_size", options.kick_size, "deviation of that noise, in the action's units", range(0, 1e3))
      .path("file", nullptr, "the HDF5 file to write when all are recorded")
      .contract({.state = Growth::kLinear, .grows_with = "ticks", .cost = Cost::kHeavy})
      .about(
          "The expert chooses one of two ways at random in each episode and keeps to it. Episodes that fail "
          "are "
          "not recorded. The file has a group \"episodes\" of groups with the datasets \"obs\" [T, Do] and "
          "\"action\" "
          "[T, Da], as diffusion_policy.train reads them; the run's seed fixes it.")
      .example("A few episodes", R"(title = "Demonstrations"
[nodes.expert]
use = "diffusion_policy.demonstrate"
environment = "gate-world anywhere=0.4"
episodes = 10
file = "episodes.h5"
[nodes.log]
use = "jsonl.write"
from = "expert"
path = "-"
)");
}

DemonstrateSource::DemonstrateSource(const Params& p)
    : path_(p.get<std::string>("file")),
      count_(p.get<std::int64_t>("episodes")),
      demonstrator_({.environment = p.get<std::string>("environment"),
                     .kicks = p.get<double>("kicks"),
                     .kick_size = p.get<double>("kick_size"),
                     .seed = p.random("demonstrations")()},
                    p.context()) {
  episodes_.observation = static_cast<std::int64_t>(demonstrator_.spaces().observation.size());
  episodes_.action = static_cast<std::int64_t>(demonstrator_.spaces().action.size());
}

bool DemonstrateSource::read(Output& out) {
  if (done_ == count_) {
    if (!written_) write_episodes(path_, episodes_);
    written_ = true;
    return false;
  }
  episodes_.list.push_back(demonstrator_.episode(done_));
  out.emit(Packet::of<Record>(Time{done_},
                              Object{{"episode", done_}, {"ticks", episodes_.ticks(episodes_.list.back())}}));
  ++done_;
  return true;
}

void DemonstrateSource::save(Archive& state) const { state.set("done", done_); }

void DemonstrateSource::load(const Archive& state) {
  const auto done = state.get<std::int64_t>("done");
  if (done < 0 || done > count_)
    throw bad_data("the state holds " + std::to_string(done) + " episodes of " + std::to_string(count_));
  while (done_ < done) episodes_.list.push_back(demonstrator_.episode(done_++));
}

std::size_t DemonstrateSource::state_bytes() const {
  std::size_t bytes = 0;
  for (const Episode& e : episodes_.list) bytes += (e.observations.size() + e.actions.size()) * sizeof(float);
  return bytes;
}

}  // namespace stream::diffusion_policy
