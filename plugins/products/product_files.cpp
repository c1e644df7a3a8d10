#include "products/product_files.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "csv_line.hpp"
#include "products/product_frames.hpp"
#include "stream/error.hpp"
#include "utf8.hpp"

namespace stream::products {

void FaultCount::add(const RowFault& fault) {
  ++counts_[fault.fault];
  if (total_++ == 0)
    first_ = fault.file + ", line " + std::to_string(fault.line) + ": " + fault.fault +
             (fault.detail.empty() ? "" : ", " + fault.detail);
}

std::string FaultCount::summary() const {
  std::string out;
  for (const auto& [name, count] : counts_)
    out += (out.empty() ? "" : ", ") + std::to_string(count) + ' ' + name;
  return out.empty() ? out : out + " (the first: " + first_ + ")";
}

void FaultCount::save(Archive& state) const {
  state.set("first", first_);
  state.set("total", total_);
  Archive& counts = state.group("counts");
  for (const auto& [name, count] : counts_) counts.set(name, count);
}

void FaultCount::load(const Archive& state) {
  first_ = state.get<std::string>("first");
  total_ = state.get<std::int64_t>("total");
  counts_.clear();
  const Archive& counts = state.group("counts");
  for (const auto& entry : counts.entries()) counts_[entry.first] = counts.get<std::int64_t>(entry.first);
}

TableReader::TableReader(std::string path, std::vector<std::string> columns, std::size_t required)
    : columns_(std::move(columns)), required_(required), lines_(std::move(path), {.max_line = 1u << 20}) {}

bool TableReader::next(std::vector<Row>& rows, std::vector<RowFault>& faults) {
  if (!lines_.next(batch_)) return false;
  for (std::size_t i = 0; i < batch_.lines.size(); ++i) {
    const std::string_view text = batch_.text(batch_.lines[i]);
    const auto line = static_cast<std::int64_t>(batch_.first_line + i) + 1;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (!begun_) {
      begun_ = true;
      json_ = text[text.find_first_not_of(" \t")] == '{';
      if (!json_) {
        const auto header = split_csv(text, ',');
        width_ = header.size();
        std::vector<std::string> names;
        names.reserve(header.size());
        for (const CsvField& field : header) names.push_back(field.text);
        for (std::size_t c = 0; c < columns_.size(); ++c) {
          const auto at = std::find(names.begin(), names.end(), columns_[c]);
          if (at == names.end() && c < required_)
            throw bad_data(name() + ": line " + std::to_string(line) + ": no column '" + columns_[c] + "'" +
                           did_you_mean(columns_[c], names));
          places_.push_back(at == names.end() ? -1 : at - names.begin());
        }
        continue;
      }
    }
    if (auto row = row_of(text, line, faults)) rows.push_back(std::move(*row));
  }
  return true;
}

std::optional<TableReader::Row> TableReader::row_of(std::string_view text, std::int64_t line,
                                                    std::vector<RowFault>& faults) {
  const auto refuse = [&](const char* fault, std::string detail) {
    faults.push_back({name(), line, fault, std::move(detail)});
    return std::nullopt;
  };
  if (valid_utf8_prefix(text) < text.size()) return refuse("utf8", "");
  Row row;
  row.line = line;
  row.fields.resize(columns_.size());
  try {
    if (!json_) {
      const auto fields = split_csv(text, ',');
      if (fields.size() != width_)
        return refuse("fields",
                      std::to_string(fields.size()) + " where the first line has " + std::to_string(width_));
      for (std::size_t c = 0; c < columns_.size(); ++c)
        if (places_[c] >= 0) row.fields[c] = fields[static_cast<std::size_t>(places_[c])].text;
      return row;
    }
    const Value value = Value::parse(text);
    if (!value.is_object()) return refuse("json", std::string("expected an object, found ") + value.kind());
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const Value* member = value.as_object().find(columns_[c]);
      if (!member || member->is_null()) {
        if (c < required_) return refuse("missing", columns_[c]);
        continue;
      }
      if (member->is_string())
        row.fields[c] = member->as_string();
      else if (c == 0 && member->is_integer())
        row.fields[c] = std::to_string(member->as_integer()), row.number_id = true;
      else
        return refuse("type", columns_[c] + " is of type " + member->kind());
    }
  } catch (const Error& e) {
    return refuse(json_ ? "json" : "csv", e.what());
  }
  return row;
}

void TableReader::save(Archive& state) const {
  state.set("offset", lines_.offset());
  state.set("line", lines_.line());
  state.set("begun", begun_);
  state.set("json", json_);
  state.set("places", places_);
  state.set("width", static_cast<std::int64_t>(width_));
}

void TableReader::load(const Archive& state) {
  lines_.resume(state.get<std::uint64_t>("offset"), state.get<std::uint64_t>("line"));
  begun_ = state.get<bool>("begun");
  json_ = state.get<bool>("json");
  places_ = state.get<std::vector<std::int64_t>>("places");
  width_ = state.get<std::size_t>("width");
  if (begun_ && !json_ && places_.size() != columns_.size())
    throw bad_data("the saved table has other columns");
}

const char* IdGate::take(const std::string& id, bool number) {
  if (id.empty()) return "no-id";
  if (!numbers_) numbers_ = number;
  if (*numbers_ != number) return "id-kind";
  if (!taken_.insert(id).second) return "duplicate-id";
  bytes_ += id.size() + 48;
  return nullptr;
}

void IdGate::save(Archive& state) const {
  std::vector<std::string> ids(taken_.begin(), taken_.end());
  std::sort(ids.begin(), ids.end());
  std::string text;
  for (const std::string& id : ids) text += id + '\n';
  state.set("ids", std::vector<std::uint8_t>(text.begin(), text.end()));
  state.set("kind", !numbers_ ? 0 : *numbers_ ? 1 : 2);
}

void IdGate::load(const Archive& state) {
  taken_.clear(), bytes_ = 0;
  std::string id;
  for (const std::uint8_t c : state.get<std::vector<std::uint8_t>>("ids")) {
    if (c != '\n') {
      id += static_cast<char>(c);
      continue;
    }
    bytes_ += id.size() + 48;
    taken_.insert(std::move(id));
    id.clear();
  }
  const int kind = state.get<int>("kind");
  if (kind != 0) numbers_ = kind == 1;
}

std::string beside(const std::string& table, const std::string& folder, const std::string& name) {
  if (name.empty() || name[0] == '/') return name;
  if (!folder.empty()) return folder + '/' + name;
  const auto slash = table.rfind('/');
  return slash == std::string::npos ? name : table.substr(0, slash + 1) + name;
}

namespace {

/// The picture or video at `path`; what is wrong becomes a fault under one of the two names.
std::optional<Clip> clip_at(const std::string& path, int size, bool video, const char* missing,
                            const char* unreadable, const std::string& table, std::int64_t line,
                            FaultCount& faults) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    faults.add({table, line, missing, path});
    return std::nullopt;
  }
  try {
    std::int64_t changes = 0;
    Clip clip = video ? read_video(path, size, &changes) : read_picture(path, size);
    if (changes > 0) faults.add({table, line, "frame-size", path});
    return clip;
  } catch (const Error& e) {
    faults.add({table, line, unreadable, e.what()});
    return std::nullopt;
  }
}

/// Products by id, in the order of their first line.
class Products {
 public:
  Product& of(const std::string& id) {
    const auto [at, fresh] = numbers_.emplace(id, set.products.size());
    if (fresh) {
      set.products.emplace_back();
      set.products.back().id = id;
    }
    return set.products[at->second];
  }
  bool knows(const std::string& id) const { return numbers_.contains(id); }
  ProductSet set;

 private:
  std::map<std::string, std::size_t> numbers_;
};

}  // namespace

ProductSet read_tables(const std::string& pages, const std::string& clips, const std::string& folder,
                       int size, FaultCount& faults) {
  Products products;
  products.set.size = size;
  std::optional<bool> numbers;
  const auto each = [&](TableReader& reader, const auto& take) {
    std::vector<TableReader::Row> rows;
    std::vector<RowFault> wrong;
    while (reader.next(rows, wrong)) {
      for (const RowFault& fault : wrong) faults.add(fault);
      for (const TableReader::Row& row : rows) {
        if (!numbers) numbers = row.number_id;
        if (row.fields[0].empty())
          faults.add({reader.name(), row.line, "no-id", ""});
        else if (*numbers != row.number_id)
          faults.add({reader.name(), row.line, "id-kind", row.fields[0]});
        else
          take(row);
      }
      rows.clear(), wrong.clear();
    }
  };
  TableReader page_table(pages, {"id", "title", "image"}, 3);
  each(page_table, [&](const TableReader::Row& row) {
    auto clip = clip_at(beside(pages, folder, row.fields[2]), size, false, "missing-image",
                        "unreadable-picture", pages, row.line, faults);
    if (!clip) return;
    clip->text = row.fields[1];
    if (clip->text.empty()) faults.add({pages, row.line, "empty-title", row.fields[0]});
    Product& product = products.of(row.fields[0]);
    if (product.title.empty()) product.title = clip->text;
    product.of(Domain::kPage).push_back(std::move(*clip));
  });
  if (!clips.empty()) {
    TableReader clip_table(clips, {"id", "domain", "path", "text"}, 3);
    each(clip_table, [&](const TableReader::Row& row) {
      if (row.fields[1] != "video" && row.fields[1] != "live")
        return faults.add({clips, row.line, "domain", "'" + row.fields[1] + "', expected video or live"});
      if (!products.knows(row.fields[0])) return faults.add({clips, row.line, "unknown-id", row.fields[0]});
      auto clip = clip_at(beside(clips, folder, row.fields[2]), size, true, "missing-video",
                          "unreadable-video", clips, row.line, faults);
      if (!clip) return;
      clip->text = row.fields[3];
      if (clip->text.empty()) faults.add({clips, row.line, "empty-text", row.fields[0]});
      products.of(row.fields[0])
          .of(row.fields[1] == "video" ? Domain::kVideo : Domain::kLive)
          .push_back(std::move(*clip));
    });
  }
  return std::move(products.set);
}

namespace {

/// One domain of ROPE: whose each item is, its text and its pictures.
struct RopeItem {
  std::string product, text;
  std::int64_t line = 0, newest = -1;
  FrameKeeper frames;
};

/// Lines of "a,b" or "a,b,c"; the last field goes to the end of the line.
template <typename Take>
void each_rope_line(const std::string& path, std::size_t fields, FaultCount& faults, Take take) {
  LineReader lines(path, {.max_line = 1u << 20});
  LineReader::Batch batch;
  while (lines.next(batch))
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
      std::string_view rest = batch.text(batch.lines[i]);
      const auto line = static_cast<std::int64_t>(batch.first_line + i) + 1;
      if (rest.empty()) continue;
      std::vector<std::string> found;
      while (found.size() + 1 < fields) {
        const std::size_t comma = rest.find(',');
        if (comma == std::string_view::npos) break;
        found.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(comma + 1);
      }
      found.emplace_back(rest);
      if (found.size() != fields || found[0].empty())
        faults.add(
            {path, line, "fields", std::to_string(found.size()) + ", expected " + std::to_string(fields)});
      else if (valid_utf8_prefix(batch.text(batch.lines[i])) < batch.text(batch.lines[i]).size())
        faults.add({path, line, "utf8", found[0]});
      else
        take(found, line);
    }
}

}  // namespace

ProductSet read_rope(const std::string& folder, const std::string& part, const std::string& images, int size,
                     FaultCount& faults) {
  struct Files {
    Domain domain;
    const char *pairs, *texts, *pictures;
  };
  constexpr Files kFiles[] = {{Domain::kPage, "product_pages_pair", "page_titles", "page_images"},
                              {Domain::kVideo, "product_videos_pair", "video_asrs", "video_frames"},
                              {Domain::kLive, "product_lives_pair", "live_asrs", "live_clips"}};
  Products products;
  products.set.size = size;
  for (const Files& files : kFiles) {
    const auto path = [&](const char* name) { return folder + '/' + part + '_' + name + ".txt"; };
    std::vector<std::pair<std::string, RopeItem>> items;
    std::map<std::string, std::size_t> numbers;
    each_rope_line(path(files.pairs), 2, faults, [&](const std::vector<std::string>& f, std::int64_t line) {
      if (!numbers.emplace(f[1], items.size()).second)
        return faults.add({path(files.pairs), line, "duplicate-id", f[1]});
      items.emplace_back(f[1], RopeItem{f[0], {}, line, -1, FrameKeeper(size)});
    });
    const auto known = [&](const char* file, const std::string& id, std::int64_t line) -> RopeItem* {
      if (const auto at = numbers.find(id); at != numbers.end()) return &items[at->second].second;
      faults.add({path(file), line, "unknown-id", id});
      return nullptr;
    };
    each_rope_line(path(files.texts), 2, faults, [&](const std::vector<std::string>& f, std::int64_t line) {
      RopeItem* item = known(files.texts, f[0], line);
      if (!item) return;
      if (f[1].empty()) faults.add({path(files.texts), line, "empty-text", f[0]});
      item->text = f[1];
    });
    const bool page = files.domain == Domain::kPage;
    each_rope_line(path(files.pictures), page ? 2 : 3, faults,
                   [&](const std::vector<std::string>& f, std::int64_t line) {
                     RopeItem* item = known(files.pictures, f[0], line);
                     if (!item || (page && item->frames.kept() > 0)) return;
                     if (!page) {
                       std::int64_t time = 0;
                       const auto [end, error] =
                           std::from_chars(f[1].data(), f[1].data() + f[1].size(), time);
                       if (error != std::errc() || end != f[1].data() + f[1].size())
                         return faults.add({path(files.pictures), line, "number", "'" + f[1] + "'"});
                       if (time < 0) return faults.add({path(files.pictures), line, "negative-time", f[1]});
                       if (time <= item->newest)
                         return faults.add({path(files.pictures), line, "time-order",
                                            f[1] + " after " + std::to_string(item->newest)});
                       item->newest = time;
                     }
                     const std::string& address = f.back();
                     if (!item->frames.wants()) return item->frames.pass();
                     const auto clip =
                         clip_at(images + '/' + address.substr(address.rfind('/') + 1), size, false,
                                 "missing-image", "unreadable-picture", path(files.pictures), line, faults);
                     if (clip) item->frames.add(clip->frames);
                   });
    for (auto& [id, item] : items) {
      if (item.frames.kept() == 0) {
        faults.add({path(files.pairs), item.line, "no-picture", id});
        continue;
      }
      Product& product = products.of(item.product);
      if (page && product.title.empty()) product.title = item.text;
      Clip clip;
      clip.size = size, clip.frames = item.frames.frames(), clip.text = item.text, clip.name = id;
      product.of(files.domain).push_back(std::move(clip));
    }
  }
  return std::move(products.set);
}

}  // namespace stream::products
