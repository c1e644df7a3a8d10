#include "diffusion_policy/record.hpp"

#include <cmath>
#include <limits>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::diffusion_policy {
namespace {

/// Throws Error(kBadData) unless the member is an array of numbers that float32 can hold, `expected` of them
/// (0: any number but none).
std::vector<float> numbers(const Record& record, const char* name, std::int64_t expected) {
  const Value& value = record.at(name);
  const auto wrong = [name](const std::string& what) {
    return bad_data("'" + std::string(name) + "' " + what);
  };
  if (!value.is_array())
    throw wrong(std::string("is of type ") + value.kind() + ", expected an array of numbers");
  std::vector<float> out;
  for (const Value& one : value.as_array()) {
    if (!one.is_number())
      throw wrong("holds something of type " + std::string(one.kind()) + " at place " +
                  std::to_string(out.size()) + ", expected numbers");
    if (!(std::abs(one.as_double()) <= std::numeric_limits<float>::max()))
      throw wrong("holds " + one.dump() + ", which float32 cannot");
    out.push_back(static_cast<float>(one.as_double()));
  }
  if (out.empty()) throw wrong("is empty, expected at least one number");
  if (const auto size = static_cast<std::int64_t>(out.size()); expected > 0 && size != expected)
    throw wrong("has " + std::to_string(size) + " numbers, the first had " + std::to_string(expected));
  return out;
}

bool ends(const Record& record) {
  const Value* end = record.find("end");
  if (end == nullptr || end->is_null()) return false;
  if (end->is_bool()) return end->as_bool();
  if (end->is_number() && (end->as_double() == 0 || end->as_double() == 1)) return end->as_double() == 1;
  throw bad_data("'end' is " + end->dump() + ", expected 0 or 1");
}

}  // namespace

Spec RecordOperator::spec() {
  return Spec("diffusion_policy.record", "Record demonstrations of one's own in a file to train from.")
      .input<Record>(
          "ticks",
          "{\"obs\": [numbers], \"action\": [what was done then], \"end\": 1 in an episode's last tick}")
      .output<Record>("episodes", "{\"episode\", \"ticks\"} of each that ended")
      .path("file", nullptr, "the HDF5 file to write when the input has ended")
      .contract({.state = Growth::kLinear, .grows_with = "ticks", .order = Order::kStateful})
      .about(
          "One record for each control tick: what was observed, and what was done upon it. The end of the "
          "input "
          "ends the last episode. All ticks have as many numbers as the first; one that has not, or holds "
          "what "
          "is no number, is an error that leaves everything as it was. The file is what "
          "diffusion_policy.demonstrate writes and diffusion_policy.train reads: a group \"episodes\" of "
          "groups "
          "with the datasets \"obs\" [T, Do] and \"action\" [T, Da], float32.\n\n"
          "Published demonstrations become such lines with a few lines of Python. Robomimic's HDF5 (with "
          "h5py; "
          "the observations to use, one behind the other):\n\n"
          "    for demo in h5py.File('low_dim.hdf5')['data'].values():\n"
          "        obs = numpy.concatenate([demo['obs'][k] for k in ('object', 'robot0_eef_pos')], axis=1)\n"
          "        for t, action in enumerate(demo['actions']):\n"
          "            print(json.dumps({'obs': obs[t].tolist(), 'action': action.tolist(),\n"
          "                              'end': int(t + 1 == len(obs))}))\n\n"
          "Replay buffers in zarr (the published Push-T data): the same with `data/state`, `data/action`, "
          "and "
          "'end' where t + 1 is one of `meta/episode_ends`.")
      .paper(
          "Hoeg, Du, Egeland, Streaming Diffusion Policy: Fast Policy Synthesis with Variable Noise "
          "Diffusion "
          "Models, arXiv 2406.04806")
      .example("Demonstrations on stdin", R"(title = "Demonstrations"
[nodes.ticks]
use = "jsonl.read"
[nodes.record]
use = "diffusion_policy.record"
from = "ticks"
file = "episodes.h5"
[nodes.log]
use = "jsonl.write"
from = "record"
path = "-"
)");
}

RecordOperator::RecordOperator(const Params& p) : path_(p.get<std::string>("file")) {}

void RecordOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  const auto obs = numbers(record, "obs", episodes_.observation);
  const auto action = numbers(record, "action", episodes_.action);
  const bool end = ends(record);
  episodes_.observation = static_cast<std::int64_t>(obs.size());
  episodes_.action = static_cast<std::int64_t>(action.size());
  current_.observations.insert(current_.observations.end(), obs.begin(), obs.end());
  current_.actions.insert(current_.actions.end(), action.begin(), action.end());
  newest_ = in.time;
  if (end) close(in.time, out);
}

void RecordOperator::close(Time time, Output& out) {
  const std::int64_t ticks = episodes_.ticks(current_);
  episodes_.list.push_back(std::move(current_));
  current_ = {};
  out.emit(Packet::of<Record>(
      time, Object{{"episode", static_cast<std::int64_t>(episodes_.list.size()) - 1}, {"ticks", ticks}}));
}

void RecordOperator::finish(Output& out) {
  if (!current_.actions.empty()) close(newest_, out);
  if (episodes_.list.empty()) throw no_input("there were no demonstrations to record");
  write_episodes(path_, episodes_);
}

void RecordOperator::save(Archive& state) const {
  Archive& group = state.group("episodes");
  const auto put = [&](const Episode& e, const std::string& name) {
    Archive& one = group.group(name);
    one.set("obs", Tensor::of(e.observations, {episodes_.ticks(e), episodes_.observation}));
    one.set("action", Tensor::of(e.actions, {episodes_.ticks(e), episodes_.action}));
  };
  state.set("ended", static_cast<std::int64_t>(episodes_.list.size()));
  state.set("begun", !current_.actions.empty());
  state.set("newest", newest_);
  for (std::size_t i = 0; i < episodes_.list.size(); ++i) put(episodes_.list[i], std::to_string(i));
  if (!current_.actions.empty()) put(current_, "current");
}

void RecordOperator::load(const Archive& state) {
  const Archive& group = state.group("episodes");
  Episodes found;
  const auto take = [&](const std::string& name) {
    const Tensor &obs = group.group(name).tensor("obs"), &action = group.group(name).tensor("action");
    const auto &seen = obs.shape(), &done = action.shape();
    if (seen.size() != 2 || done.size() != 2 || seen[0] != done[0] || seen[1] < 1 || done[1] < 1 ||
        (found.action > 0 && (seen[1] != found.observation || done[1] != found.action)))
      throw bad_data("the saved episode " + name + " has ticks of another size");
    found.observation = seen[1], found.action = done[1];
    const auto o = obs.values<float>(), a = action.values<float>();
    return Episode{{o.begin(), o.end()}, {a.begin(), a.end()}};
  };
  const auto ended = state.get<std::int64_t>("ended");
  for (std::int64_t i = 0; i < ended; ++i) found.list.push_back(take(std::to_string(i)));
  current_ = state.get<bool>("begun") ? take("current") : Episode{};
  newest_ = state.get<Duration>("newest");
  episodes_ = std::move(found);
}

std::size_t RecordOperator::state_bytes() const {
  std::size_t numbers = current_.observations.size() + current_.actions.size();
  for (const Episode& e : episodes_.list) numbers += e.observations.size() + e.actions.size();
  return numbers * sizeof(float);
}

std::string RecordOperator::progress() const { return std::to_string(episodes_.list.size()) + " episodes"; }

}  // namespace stream::diffusion_policy
