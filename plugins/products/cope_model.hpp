/// COPE's network as a file, and the vectors of all product pages as another.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "products/cope_network.hpp"
#include "recommenders/item_index.hpp"

namespace stream::products {

/// Writes the network with weights of 16 bits. Throws Error(kCannotWrite).
void write_cope(const std::string& path, const CopeNetwork& network);

class CopeModel {
 public:
  /// Throws Error(kNoInput), Error(kBadData) or Error(kBadRecipe) that names the file.
  explicit CopeModel(const std::string& path);
  /// One for all operators that read the same file.
  static std::shared_ptr<const CopeModel> shared(const std::string& path);
  const CopeNetwork& network() const { return *network_; }
  const CopeShape& shape() const { return network_->shape(); }
  /// Tells models apart: a hash of all weights.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  std::shared_ptr<CopeNetwork> network_;
  std::string fingerprint_;
};

struct IndexedPages {
  std::string fingerprint;  ///< of the model that made the vectors
  std::size_t features = 0;
  std::vector<std::string> ids, titles;
  std::vector<float> vectors;  ///< [pages, features], rows of length 1
  void write(const std::string& path) const;
  /// Throws as CopeModel does.
  static IndexedPages read(const std::string& path);
};

class PageIndex {
 public:
  PageIndex(const std::string& path, recommenders::ItemIndex::Options options);
  static std::shared_ptr<const PageIndex> shared(const std::string& path,
                                                 recommenders::ItemIndex::Options options);
  struct Found {
    std::size_t page;
    float score;
  };
  /// The best k by falling score, then by page.
  std::vector<Found> best(std::span<const float> query, std::size_t k) const;
  float score(std::span<const float> query, std::size_t page) const;
  std::size_t size() const { return pages_.ids.size(); }
  const std::string& id(std::size_t page) const { return pages_.ids[page]; }
  const std::string& title(std::size_t page) const { return pages_.titles[page]; }
  const IndexedPages& pages() const { return pages_; }
  const recommenders::ItemIndex& index() const { return *index_; }

 private:
  IndexedPages pages_;
  std::unique_ptr<recommenders::ItemIndex> index_;
};

/// An ItemIndex over these rows; its row 0 is padding.
std::unique_ptr<recommenders::ItemIndex> item_index(const std::vector<float>& vectors, std::size_t features,
                                                    recommenders::ItemIndex::Options options);

}  // namespace stream::products
