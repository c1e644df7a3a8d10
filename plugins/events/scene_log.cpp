#include "events/scene_log.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "stream/error.hpp"

namespace stream::events {

namespace {

/// What was refused, by name, and where first.
class Refused {
 public:
  void add(const std::string& name, std::int64_t line) {
    ++counts_[name];
    if (first_ == 0 || line < first_) first_ = line;
  }
  std::string summary() const {
    std::string text;
    for (const auto& [name, count] : counts_)
      text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
    return text.empty() ? text : text + " (the first at line " + std::to_string(first_) + ")";
  }

 private:
  std::map<std::string, std::int64_t> counts_;
  std::int64_t first_ = 0;
};

std::string joined(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + "; " + b;
}

enum class Kind : std::uint8_t { kNone, kWhole, kNodes, kClasses };

Kind kind_of(const Value& labels) {
  return labels.is_array()    ? Kind::kWhole
         : labels.is_object() ? Kind::kNodes
         : labels.is_string() ? Kind::kClasses
                              : Kind::kNone;
}

/// Calls `f(id, name)` for each label; the id is empty for those of the whole.
template <typename F>
void each_label(const Value& labels, F&& f) {
  const auto names = [&](const std::string& id, const Value& list) {
    if (!list.is_array()) throw EventFault("type", "labels are of type " + std::string(list.kind()));
    for (const Value& name : list.as_array()) {
      if (!name.is_string()) throw EventFault("type", std::string("a label is of type ") + name.kind());
      f(id, name.as_string());
    }
  };
  if (labels.is_string()) return f(std::string(), labels.as_string());
  if (labels.is_array()) return names({}, labels);
  if (!labels.is_object()) throw EventFault("type", std::string("labels are of type ") + labels.kind());
  for (const auto& [id, list] : labels.as_object()) names(id, list);
}

}  // namespace

SceneLog read_scene_log(const std::string& scenes, const EventLog::Options& options,
                        const std::string& labels, std::vector<std::string> types) {
  SceneLog log;
  std::string faults;
  Refused refused;
  const auto steps = read_log(scenes, options, &faults);
  for (const Event& event : steps) log.vocabulary.learn(event.members);
  std::map<std::string, std::size_t> games;
  std::map<std::string, std::map<Time, std::size_t>> times;
  for (const Event& event : steps) {
    try {
      Scene scene = log.vocabulary.scene(event.members, static_cast<double>(event.time.count()) / 1e9);
      const auto [at, fresh] = games.try_emplace(event.key, log.games.size());
      if (fresh) log.games.emplace_back(), log.keys.push_back(event.key);
      auto& all = log.games[at->second].scenes;
      times[event.key][event.time] = all.size();
      all.push_back(std::move(scene));
    } catch (const EventFault& fault) {
      refused.add(fault.name(), event.line);
    }
  }
  log.faults = joined(faults, refused.summary());
  if (log.games.empty())
    throw bad_data(scenes + ": there is no scene" + (log.faults.empty() ? "" : " left: " + log.faults));
  if (labels.empty()) return log;

  Refused wrong;
  EventLog::Options plain{EventMapping::of_dialect("labels"), {}, false};
  const auto lines = read_log(labels, plain, &faults);
  std::set<std::string> names;
  Kind kind = Kind::kNone;
  for (const Event& event : lines) {
    const Value& of = *event.members.find("labels");
    if (kind == Kind::kNone) kind = kind_of(of);
    try {
      if (kind_of(of) == kind)
        each_label(of, [&](const std::string&, const std::string& n) { names.insert(n); });
    } catch (const EventFault&) {
      continue;  // named below
    }
  }
  log.asked.outputs.assign(names.begin(), names.end());
  log.asked.per_node = kind == Kind::kNodes, log.asked.classes = kind == Kind::kClasses;
  log.asked.types = std::move(types);
  for (const Event& event : lines) try {
      const Value& of = *event.members.find("labels");
      if (kind_of(of) != kind || kind == Kind::kNone)
        throw EventFault("type", "labels are a " + std::string(of.kind()) + " here and were not before");
      const auto game = games.find(event.key);
      if (game == games.end()) throw EventFault("unknown-key", "there are no scenes of '" + event.key + "'");
      const auto& known = times[event.key];
      const auto step = known.find(event.time);
      if (step == known.end()) throw EventFault("unknown-time", "there is no step at this time");
      Game& into = log.games[game->second];
      const Scene& scene = into.scenes[step->second];
      if (scene.nodes.empty()) throw EventFault("without-nodes", "nobody is there at this step");
      const std::size_t outputs = log.asked.outputs.size(),
                        rows = log.asked.per_node ? scene.nodes.size() : 1;
      Question question{static_cast<std::int64_t>(step->second), {}};
      question.answer.assign(log.asked.classes ? 1 : rows * outputs, 0.f);
      if (log.asked.per_node && !log.asked.types.empty())
        for (std::size_t i = 0; i < rows; ++i) {
          const std::string& type = log.vocabulary.types[static_cast<std::size_t>(scene.nodes[i].type)];
          if (std::find(log.asked.types.begin(), log.asked.types.end(), type) == log.asked.types.end())
            std::fill_n(question.answer.begin() + static_cast<std::ptrdiff_t>(i * outputs), outputs, -1.f);
        }
      each_label(of, [&](const std::string& id, const std::string& name) {
        const auto output = static_cast<std::size_t>(
            std::lower_bound(log.asked.outputs.begin(), log.asked.outputs.end(), name) -
            log.asked.outputs.begin());
        if (log.asked.classes) {
          question.answer[0] = static_cast<float>(output);
          return;
        }
        std::size_t row = 0;
        if (log.asked.per_node) {
          while (row < rows && scene.nodes[row].id != id) ++row;
          if (row == rows) throw EventFault("unknown-id", "there is no node '" + id + "' in the step");
        }
        question.answer[row * outputs + output] = 1;
      });
      into.questions.push_back(std::move(question));
    } catch (const EventFault& fault) {
      wrong.add(fault.name(), event.line);
    }
  for (Game& game : log.games)
    std::stable_sort(game.questions.begin(), game.questions.end(),
                     [](const Question& a, const Question& b) { return a.step < b.step; });
  const std::string of_labels = joined(faults, wrong.summary());
  if (!of_labels.empty()) log.faults = joined(log.faults, "labels: " + of_labels);
  if (names.empty()) throw bad_data(labels + ": there are no labels: " + of_labels);
  return log;
}

}  // namespace stream::events
