#include "recommenders/listener_log.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "csv_line.hpp"
#include "recommenders/playlist_book.hpp"
#include "stream/log.hpp"

namespace stream::recommenders {

using events::EventFault;

namespace {

/// "2 late, 1 duplicate (the first at line 3)"
class Faults {
 public:
  void add(const std::string& name, std::int64_t line) {
    ++counts_[name];
    if (first_ == 0) first_ = line;
  }
  std::string text() const {
    std::string out;
    for (const auto& [name, count] : counts_)
      out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + name;
    return out.empty() ? out : out + " (the first at line " + std::to_string(first_) + ")";
  }

 private:
  std::map<std::string, std::int64_t> counts_;
  std::int64_t first_ = 0;
};

}  // namespace

AttributeFile read_attributes(const std::string& path, std::string* faults) {
  LineReader lines(path, {});
  LineReader::Batch batch;
  AttributeFile out;
  Faults wrong;
  std::set<std::string> known;
  std::vector<std::string> columns;
  int kind = 0;              // of ids: 1 numbers, 2 strings
  std::optional<bool> json;  // the first line decides
  while (lines.next(batch))
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
      const std::string_view text = batch.text(batch.lines[i]);
      if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      const auto line = static_cast<std::int64_t>(batch.first_line + i) + 1;
      try {
        Object members;
        if (!json) json = text[text.find_first_not_of(" \t")] == '{';
        if (*json) {
          if (const auto fault = Value::fault(text)) throw EventFault("not-json", fault->second);
          Value value = Value::parse(text);
          if (!value.is_object()) throw EventFault("not-json", "expected a JSON object");
          members = std::move(value.object());
        } else {
          std::vector<CsvField> fields;
          try {
            fields = split_csv(text, ',');
          } catch (const Error& e) {
            throw EventFault("columns", e.what());
          }
          if (columns.empty()) {
            for (const CsvField& field : fields) columns.push_back(field.text);
            continue;
          }
          if (fields.size() != columns.size()) throw EventFault("columns", "another number of fields");
          for (std::size_t c = 0; c < fields.size(); ++c) {
            if (!fields[c].quoted && fields[c].text.empty()) continue;
            members.set(columns[c], columns[c] == "user" ? Value(fields[c].text) : csv_value(fields[c]));
          }
        }
        const Value* user = members.find("user");
        if (!user || (!user->is_string() && !user->is_integer()))
          throw EventFault("missing", "no member 'user' that is a string or an integer");
        const int is = user->is_integer() ? 1 : 2;
        if (kind != 0 && is != kind) throw EventFault("id-kind", "ids were of another kind before");
        const std::string name = is == 1 ? std::to_string(user->as_integer()) : user->as_string();
        if (out.of.contains(name)) throw EventFault("duplicate", "'" + name + "' has a line already");
        kind = is;
        auto& of = out.of[name];
        for (const auto& [attribute, value] : members) {
          if (attribute == "user" || value.is_null()) continue;
          if (known.insert(attribute).second) out.attributes.push_back(attribute);
          of[attribute] = value;
        }
      } catch (const EventFault& fault) {
        wrong.add(fault.name(), line);
      }
    }
  if (faults) *faults = wrong.text();
  return out;
}

ListenerTable read_listeners(const std::string& path, const events::EventLog::Options& options,
                             const AttributeFile& attributes, std::string* faults) {
  events::EventLog log(path, options);
  std::vector<events::Event> events;
  std::vector<events::RefusedLine> refused;
  struct One {
    PlaylistBook book;
    std::map<std::string, std::vector<float>> x;
  };
  std::map<std::string, One> listeners;
  Faults wrong;
  while (log.next(events, refused))
    for (const events::Event& event : events) {
      if (!attributes.of.contains(event.key)) continue;
      One& one = listeners[event.key];
      try {
        if (one.book.apply(event.item, event.members) == PlaylistBook::Change::kRemoved) {
          one.x.erase(event.item);
          continue;
        }
        const auto x = one.book.features(event.item, static_cast<double>(event.time.count()) / 1e9);
        one.x[event.item] = {x.begin(), x.end()};
      } catch (const EventFault& fault) {
        wrong.add(fault.name(), event.line);
      }
    }
  if (faults) {
    *faults = log.summary();
    if (const std::string more = wrong.text(); !more.empty()) *faults += (faults->empty() ? "" : "; ") + more;
  }
  ListenerTable table;
  table.attributes = attributes.attributes;
  for (auto& [name, one] : listeners) {
    Listener listener;
    listener.name = name;
    for (auto& [playlist, x] : one.x) listener.playlists.push_back(std::move(x));
    for (const std::string& attribute : table.attributes) {
      const auto& of = attributes.of.at(name);
      const auto at = of.find(attribute);
      listener.attributes.push_back(at == of.end() ? Value() : at->second);
    }
    table.listeners.push_back(std::move(listener));
  }
  return table;
}

Spec with_listener_params(Spec spec) {
  return events::with_log_params(
      std::move(spec)
          .path("log", nullptr, "events of playlists, in order of time")
          .path("attributes", nullptr,
                "what is known of whom: JSON lines {\"user\", ...}, or CSV with a column "
                "\"user\""),
      "playlists");
}

std::shared_ptr<const ListenerTable> listeners_of(const Params& p) {
  const std::string node = p.context().node, log = p.input_path("log"), path = p.input_path("attributes");
  std::string faults;
  const AttributeFile attributes = read_attributes(path, &faults);
  if (!faults.empty()) log_warning(node, path + ": refused: " + faults);
  auto table =
      std::make_shared<ListenerTable>(read_listeners(log, events::log_options(p), attributes, &faults));
  if (!faults.empty()) log_warning(node, log + ": refused: " + faults);
  if (table->listeners.empty()) throw bad_data(log + " and " + path + " have no listener in common");
  return table;
}

}  // namespace stream::recommenders
