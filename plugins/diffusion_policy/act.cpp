#include "diffusion_policy/act.hpp"

#include <chrono>
#include <cmath>
#include <map>
#include <mutex>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::diffusion_policy {
namespace {

constexpr const char* kSamplings[] = {"streaming", "full", "implicit", "direct"};
constexpr const char* kStarts[] = {"zero", "constant", "denoised"};

template <typename E, std::size_t N>
E chosen(const char* const (&names)[N], const std::string& name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<E>(i);
  }
  throw bad_recipe("unknown name '" + name + "'");
}

/// Keys that come and go share one network.
Policy shared_policy(const std::string& path) {
  static std::mutex mutex;
  static auto* const loaded = new std::map<std::string, std::pair<std::weak_ptr<Denoiser>, Policy>>;
  const std::scoped_lock lock(mutex);
  auto& [network, policy] = (*loaded)[path];
  Policy out = policy;
  out.network = network.lock();
  if (out.network) return out;
  out = load_policy(path);
  network = out.network;
  policy = out;
  policy.network.reset();
  return out;
}

Array numbers(const float* values, std::int64_t count) {
  Array out;
  for (std::int64_t i = 0; i < count; ++i) out.emplace_back(values[i]);
  return out;
}

}  // namespace

Spec ActOperator::spec() {
  const SamplerOptions options;
  return Spec("diffusion_policy.act",
              "Drive a robot: observations in, actions out, by a policy that denoises.")
      .input<Record>("observations",
                     "{\"obs\": [...]} in each control tick; \"reset\": true begins an episode")
      .output<Record>(
          "actions",
          "{\"tick\", \"action\": [...]} for this and the coming ticks of the chunk, as one call of the "
          "policy gives them; the first also has \"calls\", of the network")
      .path("model", "models/gate-world-streaming-0.h5",
            "a policy in HDF5, as `diffusion_policy.train` writes it")
      .param("sampling", "streaming",
             "streaming: the buffer goes on from call to call; full: from noise in every call; implicit: "
             "from noise "
             "with few deterministic steps (DDIM); direct: one call predicts (behaviour cloning)",
             choices({"streaming", "full", "implicit", "direct"}))
      .param("start", "zero",
             "what the buffer holds at first: noise around the middle of the demonstrated actions, noise "
             "around the "
             "action 0, or a sequence denoised in full",
             choices({"zero", "constant", "denoised"}))
      .param("implicit_steps", options.implicit_steps, "network calls of `implicit`", range(1, 10000))
      .param("renoise_past", options.renoise_past,
             "give positions of the past the noise of their label when the buffer rolls; the published code "
             "leaves "
             "them as they are")
      .param("robots", 1,
             "that tick together, in one batch: \"obs\" and \"action\" are then lists of as many lists",
             range(1, 4096))
      .param("timings", false, "add \"ms\", the time that the call took; the output is then not reproducible")
      .contract({.state = Growth::kConstant, .order = Order::kStateful, .cost = Cost::kHeavy, .keyed = true})
      .about(
          "The buffer holds future actions whose noise grows with time, chunk by chunk. A call denoises the "
          "first "
          "chunk until it is clean, gives its actions, drops them and appends noise at the end: N/h network "
          "calls "
          "with N diffusion steps and h chunks, where a diffusion policy needs N. State is the buffer, the "
          "last "
          "observations and a random generator, whatever the length of the stream. What an episode of many "
          "robots "
          "draws is each robot's own.")
      .paper(
          "Hoeg, Du, Egeland, Streaming Diffusion Policy: Fast Policy Synthesis with Variable Noise "
          "Diffusion "
          "Models, arXiv 2406.04806")
      .example("Observations on stdin", R"(title = "A policy at work"
[nodes.world]
use = "jsonl.read"
[nodes.policy]
use = "diffusion_policy.act"
from = "world"
[nodes.actions]
use = "jsonl.write"
from = "policy"
path = "-"
)");
}

ActOperator::ActOperator(const Params& p)
    : robots_(p.get<std::int64_t>("robots")),
      timings_(p.get<bool>("timings")),
      sampler_(shared_policy(p.input_path("model")),
               SamplerOptions{.sampling = chosen<Sampling>(kSamplings, p.get<std::string>("sampling")),
                              .start = chosen<Start>(kStarts, p.get<std::string>("start")),
                              .implicit_steps = p.get<std::int64_t>("implicit_steps"),
                              .renoise_past = p.get<bool>("renoise_past")}),
      seeds_(p.random("noise")) {
  const Objective objective = sampler_.policy().objective;
  const std::string sampling = p.get<std::string>("sampling");
  if ((objective == Objective::kCloning) != (sampling == "direct"))
    throw bad_recipe(
        std::string("sampling is '") + sampling + "', but the policy was trained by '" + name_of(objective) +
        "'" + (objective == Objective::kCloning ? ": expected 'direct'" : ", which cannot predict directly"));
}

void ActOperator::begin() {
  std::vector<Random> generators;
  for (std::int64_t b = 0; b < robots_; ++b) generators.emplace_back(seeds_());
  sampler_.reset(std::move(generators));
  history_.clear();
  tick_ = 0;
}

std::vector<float> ActOperator::observed(const Record& record) const {
  const std::int64_t width = sampler_.policy().network->shape().observation;
  const Array& all = record.at("obs").as_array();
  std::vector<float> out;
  const auto append = [&](const Array& one, const std::string& whose) {
    if (static_cast<std::int64_t>(one.size()) != width)
      throw bad_data("'obs'" + whose + " has " + std::to_string(one.size()) +
                     " numbers, the policy expects " + std::to_string(width));
    for (const Value& v : one) {
      const auto number = static_cast<float>(v.as_double());
      if (!std::isfinite(number))
        throw bad_data("'obs'" + whose + " holds a number that float32 cannot hold");
      out.push_back(number);
    }
  };
  if (robots_ == 1) {
    append(all, "");
    return out;
  }
  if (static_cast<std::int64_t>(all.size()) != robots_)
    throw bad_data("'obs' has " + std::to_string(all.size()) + " lists, expected one for each of " +
                   std::to_string(robots_) + " robots");
  for (std::size_t b = 0; b < all.size(); ++b) append(all[b].as_array(), " of robot " + std::to_string(b));
  return out;
}

void ActOperator::process(Packet in, Output& out) {
  const Record& record = in.as<Record>();
  std::vector<float> seen = observed(record);
  const Value* const reset = record.find("reset");
  if ((reset != nullptr && reset->as_bool()) || sampler_.robots() == 0) begin();
  const DenoiserShape& shape = sampler_.policy().network->shape();
  const std::int64_t executed = sampler_.policy().executed;
  // Before the first tick there is nothing to see but the first tick.
  while (static_cast<std::int64_t>(history_.size()) < shape.observed) history_.push_back(seen);
  history_.pop_front();
  history_.push_back(std::move(seen));
  const std::int64_t tick = tick_++;
  if (tick % executed != 0) return;
  std::vector<float> condition;
  for (std::int64_t b = 0; b < robots_; ++b) {
    for (const std::vector<float>& row : history_)
      condition.insert(condition.end(), row.begin() + b * shape.observation,
                       row.begin() + (b + 1) * shape.observation);
  }
  const auto before = std::chrono::steady_clock::now();
  const std::vector<float> actions = sampler_.call(condition);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - before;
  for (std::int64_t t = 0; t < executed; ++t) {
    Object line{{"tick", tick + t}};
    if (robots_ == 1) {
      line.set("action", numbers(actions.data() + t * shape.action, shape.action));
    } else {
      Array all;
      for (std::int64_t b = 0; b < robots_; ++b)
        all.emplace_back(numbers(actions.data() + (b * executed + t) * shape.action, shape.action));
      line.set("action", std::move(all));
    }
    if (t == 0) line.set("calls", sampler_.network_calls());
    if (t == 0 && timings_) line.set("ms", took.count());
    out.emit(in.with<Record>(std::move(line)));
  }
}

void ActOperator::save(Archive& state) const {
  sampler_.save(state.group("sampler"));
  state.set("seeds", seeds_.state());
  state.set("tick", tick_);
  std::vector<float> flat;
  for (const auto& row : history_) flat.insert(flat.end(), row.begin(), row.end());
  state.set("history", flat);
}

void ActOperator::load(const Archive& state) {
  sampler_.load(state.group("sampler"));
  if (sampler_.robots() != 0 && sampler_.robots() != robots_)
    throw bad_data("the state is of " + std::to_string(sampler_.robots()) + " robots, here are " +
                   std::to_string(robots_));
  seeds_.restore(state.get<std::vector<std::int64_t>>("seeds"));
  tick_ = state.get<std::int64_t>("tick");
  const auto flat = state.get<std::vector<float>>("history");
  const DenoiserShape& shape = sampler_.policy().network->shape();
  const auto row = static_cast<std::size_t>(robots_ * shape.observation);
  if (tick_ < 0 || (!flat.empty() && flat.size() != row * static_cast<std::size_t>(shape.observed)))
    throw bad_data("'history' does not fit the policy");
  history_.clear();
  for (std::size_t at = 0; at < flat.size(); at += row)
    history_.emplace_back(flat.begin() + static_cast<std::ptrdiff_t>(at),
                          flat.begin() + static_cast<std::ptrdiff_t>(at + row));
}

std::size_t ActOperator::state_bytes() const {
  std::size_t bytes = sampler_.state_bytes() + sizeof seeds_ + sizeof tick_;
  for (const auto& row : history_) bytes += row.size() * sizeof(float);
  return bytes;
}

std::string ActOperator::progress() const {
  return "tick " + std::to_string(tick_) + ", " + std::to_string(sampler_.network_calls()) + " network calls";
}

}  // namespace stream::diffusion_policy
