#include "products/products_index.hpp"

#include <sys/stat.h>

#include "products/product_frames.hpp"
#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream::products {

Spec CopeIndexSource::spec() {
  return Spec("products.cope_index", "Index product pages: the vectors that products.cope searches.")
      .output<Record>("progress",
                      "{\"pages\"} after every 64; at the end {\"pages\", \"refused\": {fault: count}, "
                      "\"search\": \"exact\" or \"HNSW\", \"recall\": of the ten best, on pages themselves}")
      .output<Record>("faults", "{\"file\", \"line\", \"fault\", \"detail\"} for each line that was refused")
      .path("model", nullptr, "HDF5 file that products.cope_train wrote")
      .path("pages", nullptr, "CSV (the first line names columns) or JSON lines with id, title, image")
      .param("folder", "", "where images lie; empty: beside the table")
      .path("index", nullptr, "the HDF5 file to write")
      .param("exact_up_to", std::int64_t{20000},
             "pages up to which the search is exact; more are searched through a graph (HNSW)", range(0, 1e9))
      .param("searched", std::int64_t{160}, "candidates that the search through the graph keeps",
             range(10, 100000))
      .contract({.state = Growth::kLinear, .grows_with = "pages", .cost = Cost::kHeavy})
      .about(
          "A page's vector is its title and its one image, fused. Whole images are shrunk to the model's "
          "size. Lines that cannot be indexed are counted and named on the port \"faults\": \"fields\", "
          "\"csv\", \"json\", \"utf8\", \"missing\" or \"type\" for the line itself; \"no-id\", "
          "\"duplicate-id\", \"id-kind\" (a number among strings, or the reverse); \"missing-image\", "
          "\"unreadable-picture\". \"empty-title\" is named but indexed by its picture. The index is written "
          "whole at the end, or not at all; a checkpoint keeps the vectors made so far.")
      .paper(
          "Bai, Li, Cheng, Yang, Chen, Li, Cross-Domain Product Representation Learning for Rich-Content "
          "E-Commerce, ICCV 2023")
      .example("Index a catalogue", R"([nodes.index]
use   = "products.cope_index"
model = "models/cope-products.h5"
pages = "examples/product-pages.csv"
index = "pages.h5"

[nodes.progress]
use  = "jsonl.write"
from = "index.progress"
)");
}

CopeIndexSource::CopeIndexSource(const Params& p)
    : model_(CopeModel::shared(p.input_path("model"))),
      node_(p.context().node),
      pages_path_(p.input_path("pages")),
      folder_(p.get<std::string>("folder")),
      path_(p.get<std::string>("index")),
      search_{.exact_up_to = p.get<std::size_t>("exact_up_to"), .searched = p.get<std::size_t>("searched")},
      table_(pages_path_, {"id", "title", "image"}, 3) {
  pages_.fingerprint = model_->fingerprint();
  pages_.features = static_cast<std::size_t>(model_->shape().embedding);
}

void CopeIndexSource::fault(RowFault fault, Output& out) {
  out.emit(1, Packet::of<Record>(now(), Object{{"file", fault.file},
                                               {"line", fault.line},
                                               {"fault", fault.fault},
                                               {"detail", fault.detail}}));
  faults_.add(std::move(fault));
}

bool CopeIndexSource::read(Output& out) {
  if (next_ < rows_.size()) {
    // A few at a time, so that a checkpoint may fall between.
    for (int i = 0; i < 16 && next_ < rows_.size(); ++i) add(rows_[next_++], out);
    return true;
  }
  if (!ended_) {
    rows_.clear(), next_ = 0;
    std::vector<RowFault> wrong;
    ended_ = !table_.next(rows_, wrong);
    for (RowFault& f : wrong) fault(std::move(f), out);
    return true;
  }
  if (written_) return false;
  write(out);
  written_ = true;
  return true;
}

void CopeIndexSource::add(const TableReader::Row& row, Output& out) {
  const std::string& id = row.fields[0];
  const auto refuse = [&](const char* what, std::string detail) {
    fault({table_.name(), row.line, what, std::move(detail)}, out);
  };
  const std::string image = beside(pages_path_, folder_, row.fields[2]);
  struct stat status {};
  if (::stat(image.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return refuse("missing-image", image);
  Clip clip;
  try {
    clip = read_picture(image, static_cast<int>(model_->shape().size));
  } catch (const Error& e) {
    return refuse("unreadable-picture", e.what());
  }
  // An id is taken by the first line that can be indexed.
  if (const char* wrong = ids_.take(id, row.number_id)) return refuse(wrong, id);
  clip.text = row.fields[1];
  if (clip.text.empty()) refuse("empty-title", id);
  const auto e = model_->network().embed(clip, Domain::kPage);
  pages_.ids.push_back(id);
  pages_.titles.push_back(row.fields[1]);
  pages_.vectors.insert(pages_.vectors.end(), e.begin(), e.end());
  if (pages_.ids.size() % 64 == 0)
    out.emit(0, Packet::of<Record>(now(), Object{{"pages", static_cast<std::int64_t>(pages_.ids.size())}}));
}

void CopeIndexSource::write(Output& out) {
  if (pages_.ids.empty())
    throw bad_data(pages_path_ + ": no page could be indexed" +
                   (faults_.total() > 0 ? ": " + faults_.summary() : std::string()));
  if (faults_.total() > 0) log_warning(node_, "refused: " + faults_.summary());
  pages_.write(path_);
  const auto index = item_index(pages_.vectors, pages_.features, search_);
  const std::size_t queries = std::min<std::size_t>(256, pages_.ids.size()) * pages_.features;
  Object refused;
  for (const auto& [name, count] : faults_.counts()) refused.set(name, count);
  out.emit(0, Packet::of<Record>(
                  now(), Object{{"pages", static_cast<std::int64_t>(pages_.ids.size())},
                                {"refused", std::move(refused)},
                                {"search", index->exact() ? "exact" : "HNSW"},
                                {"recall", index->recall(std::span(pages_.vectors).first(queries), 10)}}));
}

void CopeIndexSource::save(Archive& state) const {
  table_.save(state.group("table"));
  ids_.save(state.group("seen"));
  state.set("model", pages_.fingerprint);
  const auto set = [&](const char* name, const std::vector<std::string>& strings) {
    Array all;
    for (const std::string& s : strings) all.emplace_back(s);
    const std::string json = Value(std::move(all)).dump();
    state.set(name, std::vector<std::uint8_t>(json.begin(), json.end()));
  };
  set("ids", pages_.ids), set("titles", pages_.titles);
  state.set("vectors", pages_.vectors);
  Array rows;
  for (std::size_t i = next_; i < rows_.size(); ++i)
    rows.emplace_back(
        Array{rows_[i].line, rows_[i].fields[0], rows_[i].fields[1], rows_[i].fields[2], rows_[i].number_id});
  const std::string json = Value(std::move(rows)).dump();
  state.set("rows", std::vector<std::uint8_t>(json.begin(), json.end()));
  faults_.save(state.group("faults"));
  state.set("ended", ended_);
  state.set("written", written_);
  state.set("emitted", emitted_);
}

void CopeIndexSource::load(const Archive& state) {
  if (state.get<std::string>("model") != pages_.fingerprint)
    throw bad_data("the checkpoint's vectors are of another model");
  table_.load(state.group("table"));
  ids_.load(state.group("seen"));
  const auto json = [&](const char* name) {
    const auto bytes = state.get<std::vector<std::uint8_t>>(name);
    return Value::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  pages_.ids.clear(), pages_.titles.clear(), rows_.clear(), next_ = 0;
  const Value ids = json("ids"), titles = json("titles"), rows = json("rows");
  for (const Value& v : ids.as_array()) pages_.ids.push_back(v.as_string());
  for (const Value& v : titles.as_array()) pages_.titles.push_back(v.as_string());
  for (const Value& v : rows.as_array()) {
    const Array& row = v.as_array();
    if (row.size() != 5) throw bad_data("a saved row is damaged");
    rows_.push_back({row[0].as_integer(),
                     {row[1].as_string(), row[2].as_string(), row[3].as_string()},
                     row[4].as_bool()});
  }
  pages_.vectors = state.get<std::vector<float>>("vectors");
  if (pages_.vectors.size() != pages_.ids.size() * pages_.features ||
      pages_.titles.size() != pages_.ids.size())
    throw bad_data("the checkpoint's ids and vectors do not belong together");
  faults_.load(state.group("faults"));
  ended_ = state.get<bool>("ended");
  written_ = state.get<bool>("written");
  emitted_ = state.get<std::int64_t>("emitted");
}

std::size_t CopeIndexSource::state_bytes() const {
  std::size_t sum = pages_.vectors.size() * sizeof(float) + ids_.bytes();
  for (const std::string& s : pages_.ids) sum += s.size();
  for (const std::string& s : pages_.titles) sum += s.size();
  return sum;
}

std::string CopeIndexSource::progress() const {
  return std::to_string(pages_.ids.size()) + " pages, " + std::to_string(faults_.total()) + " faults";
}

}  // namespace stream::products
