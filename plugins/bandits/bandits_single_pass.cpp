#include "bandits/bandits_single_pass.hpp"

#include <cmath>

#include "bandits/binomial.hpp"
#include "stream/error.hpp"

namespace stream::bandits {

namespace {
Choices algorithm_choices() { return {algorithm_names()}; }
std::uint64_t whole(const Value& value, const char* member) {
  if (!value.is_integer() || value.as_integer() < 1)
    throw bad_data(std::string("member '") + member + "' is a whole number from 1, found " + value.dump());
  return static_cast<std::uint64_t>(value.as_integer());
}
}  // namespace

Spec SinglePassOperator::spec() {
  return Spec("bandits.single_pass",
              "Find one of the best of many arms that arrive once, holding only a few of them.")
      .input<Record>(
          "in",
          "{\"arm\": id} announces an arm; {\"arm\": id, \"n\": pulls, \"sum\": of their rewards} or "
          "{\"arm\": id, \"reward\": r} answers a pull; {\"end\": true} ends the arms")
      .output<Record>(
          "out",
          "{\"pull\": id, \"n\": pulls}; of each arm {\"arm\", \"action\": \"keep\", \"drop\" or "
          "\"promote\", \"dropped\": [ids], \"held\", \"pulls\"}; at the end {\"commit\": id, \"n\": "
          "pulls left for it, \"arms\", \"held_at_most\", \"explored\", \"complete\"}")
      .required<std::int64_t>("arms", "how many arms there will be", range(1, 1e12))
      .required<std::int64_t>("trials", "pulls in all, of all arms", range(1, 9e18))
      .param("algorithm", "champion", "how arms are compared", algorithm_choices())
      .param("constants", "code", "of the log-star-tower: of the published code, or of the proof",
             choices({"code", "theory"}))
      .param("low", 0.0, "least reward that a pull can bring")
      .param("high", 1.0, "greatest reward that a pull can bring")
      .param("world", "input",
             "where rewards come from: records of the input, a simulation that pays 0 or 1 with "
             "the announced \"mean\" (scaled to low and high), or the program `command`",
             choices({"input", "simulated", "command"}))
      .param("command", std::string(),
             "the program for world = \"command\": it reads every line and answers pulls")
      .param("patience", Duration(std::chrono::seconds(30)), "how long that program may take for an answer")
      .contract([](const Params& p) {
        return Contract{
            .order = p.get<std::string>("world") == "command" ? Order::kArrival : Order::kStateful,
            .keyed = true};
      })
      .about(
          "With K arms, T trials and eps = (K/T)^(1/3), any algorithm that holds fewer than a constant share "
          "of "
          "the arms has an expected regret of order K^(1/3) T^(2/3). `uniform` pulls each arm equally often; "
          "`naive` pulls each ln(K)/eps^2 times; the towers hold one arm on each of ln K, ln ln K or log* K "
          "levels; `champion` holds one arm, whose purse pays for its defence; `game-of-arms` holds two.\n\n"
          "An arm that was dropped is gone. The next arm may be announced once the one before was decided "
          "on; "
          "answers may come in parts. After `arms` arrivals or {\"end\": true} the algorithm makes its last "
          "comparisons and commits to an arm, whose further rewards it takes until `trials` are through. "
          "Rewards that are no numbers or out of bounds, and arms that are not the one asked for, are "
          "refused "
          "with the number of the packet, and change nothing. When the input ends early the arm that is best "
          "so "
          "far is committed to, with \"complete\": false.\n\n"
          "Announcements may carry the arm's true \"mean\" (in the rewards' units). No algorithm looks at "
          "it; "
          "with it the commitment states the regret.")
      .paper(
          "Chen Wang, Tight Regret Bounds for Single-pass Streaming Multi-armed Bandits, ICML 2023, arXiv "
          "2306.02208")
      .example("A thousand simulated arms", R"(title = "One of a thousand"
[nodes.arms]
use   = "bandits.arms"
count = 1000

[nodes.choice]
use       = "bandits.single_pass"
from      = "arms"
world     = "simulated"
algorithm = "log-tower"
arms      = 1000
trials    = 1_000_000_000

[nodes.out]
use  = "jsonl.write"
from = "choice"
)");
}

PolicyOptions policy_options(const Params& p) {
  PolicyOptions options{.algorithm = p.get<std::string>("algorithm"),
                        .theory_constants = p.get<std::string>("constants") == "theory",
                        .seed = p.random("policy")()};
  if (options.theory_constants && options.algorithm != "log-star-tower")
    throw bad_recipe("constants = \"theory\" is for the log-star-tower, algorithm is \"" + options.algorithm +
                     "\"");
  return options;
}

SinglePassOperator::SinglePassOperator(const Params& p)
    : range_(p),
      pass_({p.get<std::uint64_t>("arms"), p.get<std::uint64_t>("trials")}, policy_options(p)),
      random_(p.random("world")),
      command_(p.get<std::string>("command")),
      patience_(p.get<Duration>("patience")) {
  const auto world = p.get<std::string>("world");
  world_ = world == "input" ? World::kInput : world == "simulated" ? World::kSimulated : World::kCommand;
  if ((world_ == World::kCommand) == command_.empty())
    throw bad_recipe("a command is for world = \"command\", and needed there");
  if (p.get<std::uint64_t>("arms") > p.get<std::uint64_t>("trials"))
    throw bad_recipe("there are fewer trials than arms");
}

void SinglePassOperator::process(Packet in, Output& out) {
  take(in, in.as<Record>(), out);
  last_ = Packet{nullptr, in.time, in.duration, in.key, 0, in.arrival};
}

void SinglePassOperator::take(const Packet& in, const Record& event, Output& out) {
  if (const Value* end = event.find("end")) {
    if (!end->as_bool()) throw bad_data("member 'end' is true or not there");
    return follow(in, pass_.end(), out);
  }
  if (!event.find("n") && !event.find("reward")) return announce(in, event, out);
  if (world_ != World::kInput) throw bad_data("rewards come on the input, but the world is another");
  follow(in, answer(event), out);
}

void SinglePassOperator::announce(const Packet& in, const Record& event, Output& out) {
  Arm arm{arm_id(event.at("arm"))};
  if (const Value* mean = event.find("mean")) arm.mean = range_.scaled_mean(number_of(*mean, "mean"), 1);
  if (world_ == World::kSimulated && std::isnan(arm.mean))
    throw bad_data("arm " + arm.id + " has no member 'mean' to simulate it with");
  std::string id = arm.id;
  if (world_ != World::kCommand) {
    const Step step = pass_.arrive(std::move(arm));
    arm_ = std::move(id);
    return follow(in, step, out);
  }
  // A world that dies leaves the state as it was before the arrival.
  Archive before;
  save(before);
  try {
    if (!process_) process_ = std::make_unique<WorldProcess>(command_, patience_);
    const Step step = pass_.arrive(std::move(arm));
    process_->send(std::string(event.json()));
    arm_ = std::move(id);
    follow(in, step, out);
  } catch (...) {
    load(before);
    throw;
  }
}

SinglePassOperator::Step SinglePassOperator::answer(const Record& event) {
  const std::string id = arm_id(event.at("arm"));
  if (const Value* reward = event.find("reward"))
    return pass_.answer(id, 1, range_.scaled_mean(number_of(*reward, "reward"), 1));
  const std::uint64_t n = whole(event.at("n"), "n");
  return pass_.answer(id, n, range_.scaled_mean(number_of(event.at("sum"), "sum"), n));
}

SinglePassOperator::Step SinglePassOperator::ask_world(const Step& step) {
  const Arm& arm = pass_.arms().at(step.place);
  if (world_ == World::kSimulated)
    return pass_.answer(arm.id, step.pulls, bernoulli_mean(random_, step.pulls, arm.mean));
  process_->send("{\"pull\": " + arm.id + ", \"n\": " + std::to_string(step.pulls) + "}");
  Step next{Step::Kind::kWait};
  while (next.kind == Step::Kind::kWait) {
    const Record line(Buffer::own(process_->receive()));
    next = answer(line);
  }
  return next;
}

void SinglePassOperator::follow(const Packet& in, Step step, Output& out) {
  if (world_ != World::kInput)
    while (step.kind == Step::Kind::kPull) step = ask_world(step);
  switch (step.kind) {
    case Step::Kind::kWait:
      return;
    case Step::Kind::kPull:
      return say(
          in, "{\"pull\": " + pass_.arms().at(step.place).id + ", \"n\": " + std::to_string(step.pulls) + "}",
          out);
    case Step::Kind::kDecided:
      say_decision(in, out);
      if (pass_.arrived() == pass_.problem().arms) follow(in, pass_.end(), out);
      return;
    case Step::Kind::kCommit:
      return say_commitment(in, step, true, out);
    case Step::Kind::kDone:
      return say(in,
                 "{\"done\": true, \"pulls\": " + std::to_string(pass_.pulls()) + ", \"mean\": " +
                     Value(range_.unscaled(pass_.reward() / static_cast<double>(pass_.pulls()))).dump() + "}",
                 out);
    default:
      return;
  }
}

void SinglePassOperator::say(const Packet& in, std::string json, Output& out) {
  if (process_) process_->send(json);
  out.emit(in.with<Record>(Buffer::own(std::move(json))));
}

void SinglePassOperator::say_decision(const Packet& in, Output& out) {
  const Place place = pass_.arms().find(arm_);
  std::string json = "{\"arm\": " + arm_ + ", \"action\": ";
  json += place == kNowhere ? "\"drop\"" : place > 0 ? "\"promote\"" : "\"keep\"";
  json += ", \"dropped\": [";
  bool first = true;
  for (const std::string& id : pass_.take_dropped()) json += (std::exchange(first, false) ? "" : ", ") + id;
  json += "], \"held\": " + std::to_string(pass_.arms().held()) +
          ", \"pulls\": " + std::to_string(pass_.pulls()) + "}";
  arm_.clear();
  say(in, std::move(json), out);
}

void SinglePassOperator::say_commitment(const Packet& in, const Step& step, bool complete, Output& out) {
  std::string json = "{\"commit\": " + pass_.arms().at(step.place).id +
                     ", \"n\": " + std::to_string(step.pulls) +
                     ", \"arms\": " + std::to_string(pass_.arrived()) +
                     ", \"held_at_most\": " + std::to_string(pass_.arms().peak()) +
                     ", \"explored\": " + std::to_string(pass_.explored());
  if (const double regret = pass_.regret_with(step.place); !std::isnan(regret))
    json += ", \"regret\": " + Value(regret * (range_.high() - range_.low())).dump();
  json += complete ? ", \"complete\": true}" : ", \"complete\": false}";
  say(in, std::move(json), out);
}

void SinglePassOperator::finish(Output& out) {
  if (pass_.committed() || pass_.arrived() == 0) return;
  last_.time = kTimeMax;  // when it is certain that nothing follows
  Place place = pass_.best();
  if (place == kNowhere) place = kArriving;
  if (world_ == World::kInput || pass_.ended())
    return say_commitment(last_, {Step::Kind::kCommit, place, pass_.problem().trials - pass_.pulls()}, false,
                          out);
  // The world still answers: the comparisons that the end calls for can be made.
  follow(last_, pass_.end(), out);
}

void SinglePassOperator::save(Archive& state) const {
  pass_.save(state.group("pass"));
  state.set("rng", random_.state());
  state.set("arm", arm_);
  state.set("time", last_.time);
  state.set("key", last_.key.str());
}

void SinglePassOperator::load(const Archive& state) {
  pass_.load(state.group("pass"));
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  arm_ = state.get<std::string>("arm");
  last_.time = state.get<Duration>("time");
  last_.key = Key(state.get<std::string>("key"));
}

std::size_t SinglePassOperator::state_bytes() const { return pass_.bytes() + arm_.capacity(); }

std::string SinglePassOperator::progress() const {
  return std::to_string(pass_.arrived()) + " of " + std::to_string(pass_.problem().arms) + " arms, " +
         std::to_string(pass_.arms().held()) + " held, " + std::to_string(pass_.pulls()) + " pulls";
}

}  // namespace stream::bandits
