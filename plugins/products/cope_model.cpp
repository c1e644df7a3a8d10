#include "products/cope_model.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <numeric>

#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "stream/error.hpp"
#include "stream/random.hpp"

namespace stream::products {

namespace {

constexpr const char *kModel = "cope", *kIndex = "cope-index";

/// Sizes by name, for reading and writing alike.
struct NamedSize {
  const char* name;
  std::int64_t CopeShape::*size;
};
constexpr NamedSize kSizes[] = {{"size", &CopeShape::size},
                                {"patch", &CopeShape::patch},
                                {"width", &CopeShape::width},
                                {"blocks", &CopeShape::blocks},
                                {"heads", &CopeShape::heads},
                                {"frames", &CopeShape::frames},
                                {"features", &CopeShape::features},
                                {"integration", &CopeShape::integration},
                                {"vocabulary", &CopeShape::vocabulary},
                                {"title", &CopeShape::title},
                                {"speech", &CopeShape::speech},
                                {"text_width", &CopeShape::text_width},
                                {"text_layers", &CopeShape::text_layers},
                                {"text_heads", &CopeShape::text_heads},
                                {"embedding", &CopeShape::embedding}};

void set_strings(Archive& group, const std::string& name, const std::vector<std::string>& strings) {
  std::string text;
  std::vector<std::int64_t> ends;
  for (const std::string& s : strings) {
    text += s;
    ends.push_back(static_cast<std::int64_t>(text.size()));
  }
  group.set(name, std::vector<std::uint8_t>(text.begin(), text.end()));
  group.set(name + "_ends", ends);
}

std::vector<std::string> get_strings(const Archive& group, const std::string& name) {
  const auto text = group.get<std::vector<std::uint8_t>>(name);
  std::vector<std::string> out;
  std::int64_t begin = 0;
  for (const std::int64_t end : group.get<std::vector<std::int64_t>>(name + "_ends")) {
    if (end < begin || end > static_cast<std::int64_t>(text.size()))
      throw bad_data("'" + name + "' is cut short");
    out.emplace_back(text.begin() + begin, text.begin() + end);
    begin = end;
  }
  return out;
}

/// What `make` makes, once for each state of the file.
template <typename T, typename Make>
std::shared_ptr<const T> shared_by_file(const std::string& path, std::string name, Make make) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const T>> known;
  struct stat status {};
  name += ' ' + path;
  if (::stat(path.c_str(), &status) == 0)  // a file that was written anew is another one
    name += ' ' + std::to_string(status.st_ino) + ' ' + std::to_string(status.st_mtim.tv_sec) + '.' +
            std::to_string(status.st_mtim.tv_nsec);
  const std::lock_guard lock(mutex);
  auto& entry = known[name];
  if (auto there = entry.lock()) return there;
  std::shared_ptr<const T> made = make();
  entry = made;
  return made;
}

}  // namespace

void write_cope(const std::string& path, const CopeNetwork& network) {
  Archive archive;
  Archive& model = archive.group("model");
  model.set("architecture", kModel);
  for (const NamedSize& s : kSizes) model.set(s.name, network.shape().*s.size);
  model.set("text_everywhere", network.shape().text_everywhere);
  model.set("text_epsilon", network.shape().text_epsilon);
  if (const auto& vocabulary = network.vocabulary()) set_strings(model, "word_pieces", vocabulary->pieces());
  nn::save_weights(network, archive.group("weights"), true);
  nn::write_model(path, archive);
}

CopeModel::CopeModel(const std::string& path) {
  const Archive archive = nn::read_model(path, kModel);
  try {
    const Archive& model = archive.group("model");
    CopeShape shape;
    for (const NamedSize& s : kSizes) shape.*s.size = model.get<std::int64_t>(s.name);
    shape.text_everywhere = model.get<bool>("text_everywhere");
    if (model.has("text_epsilon")) shape.text_epsilon = model.get<double>("text_epsilon");
    shape.check();
    network_ = std::make_shared<CopeNetwork>(shape, nn::generator(0));
    nn::load_weights(*network_, archive.group("weights"));
    if (model.has("word_pieces"))
      network_->set_vocabulary(std::make_shared<const WordPieces>(get_strings(model, "word_pieces")));
  } catch (const Error& e) {
    throw e.within(path);
  }
  std::uint64_t hash = stable_hash(kModel);
  for (const auto& item : network_->named_parameters()) {
    const at::Tensor t = item.value().detach().contiguous();
    hash = stable_hash({static_cast<const char*>(t.data_ptr()), t.nbytes()}, stable_hash(item.key(), hash));
  }
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  fingerprint_ = text;
}

std::shared_ptr<const CopeModel> CopeModel::shared(const std::string& path) {
  return shared_by_file<CopeModel>(path, kModel, [&] { return std::make_shared<const CopeModel>(path); });
}

void IndexedPages::write(const std::string& path) const {
  Archive archive;
  Archive& model = archive.group("model");
  model.set("architecture", kIndex);
  model.set("model", fingerprint);
  Archive& weights = archive.group("weights");
  weights.set("vectors", Tensor::of(std::vector<float>(vectors), {static_cast<std::int64_t>(ids.size()),
                                                                  static_cast<std::int64_t>(features)}));
  Archive& pages = archive.group("pages");
  set_strings(pages, "ids", ids);
  set_strings(pages, "titles", titles);
  nn::write_model(path, archive);
}

IndexedPages IndexedPages::read(const std::string& path) {
  const Archive archive = nn::read_model(path, kIndex);
  try {
    IndexedPages out;
    out.fingerprint = archive.group("model").get<std::string>("model");
    out.ids = get_strings(archive.group("pages"), "ids");
    out.titles = get_strings(archive.group("pages"), "titles");
    const Tensor& vectors = archive.group("weights").tensor("vectors");
    if (vectors.shape().size() != 2 || vectors.shape()[0] != static_cast<std::int64_t>(out.ids.size()) ||
        vectors.shape()[1] < 1 || out.titles.size() != out.ids.size())
      throw bad_data("ids, titles and vectors do not belong together");
    out.features = static_cast<std::size_t>(vectors.shape()[1]);
    const auto values = vectors.values<float>();
    out.vectors.assign(values.begin(), values.end());
    for (const float v : out.vectors)
      if (!std::isfinite(v)) throw bad_data("a vector holds what is no number");
    return out;
  } catch (const Error& e) {
    throw e.within(path);
  }
}

std::unique_ptr<recommenders::ItemIndex> item_index(const std::vector<float>& vectors, std::size_t features,
                                                    recommenders::ItemIndex::Options options) {
  std::vector<float> rows(features);
  rows.insert(rows.end(), vectors.begin(), vectors.end());
  return std::make_unique<recommenders::ItemIndex>(std::move(rows), features, options);
}

PageIndex::PageIndex(const std::string& path, recommenders::ItemIndex::Options options)
    : pages_(IndexedPages::read(path)), index_(item_index(pages_.vectors, pages_.features, options)) {}

std::shared_ptr<const PageIndex> PageIndex::shared(const std::string& path,
                                                   recommenders::ItemIndex::Options options) {
  return shared_by_file<PageIndex>(
      path, std::to_string(options.exact_up_to) + ' ' + std::to_string(options.searched),
      [&] { return std::make_shared<const PageIndex>(path, options); });
}

std::vector<PageIndex::Found> PageIndex::best(std::span<const float> query, std::size_t k) const {
  std::vector<Found> out;
  for (const recommenders::FoundItem& found : index_->best(query, k))
    out.push_back({static_cast<std::size_t>(found.item) - 1, found.score});
  return out;
}

float PageIndex::score(std::span<const float> query, std::size_t page) const {
  return std::inner_product(query.begin(), query.end(), pages_.vectors.data() + page * pages_.features, 0.0f);
}

}  // namespace stream::products
