/// A layered drawing (Sugiyama, Tagawa and Toda 1981, in its simplest form): layer = longest way from a
/// source, edges across several layers get a bend in each, order within a layer by the barycentre of what it
/// is joined to.
#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>

#include "plan/render.hpp"

namespace stream {
namespace {

constexpr double kCharacter = 7.4, kSmallCharacter = 6.2;  // mean widths of the two fonts, pixels
constexpr double kBoxHeight = 46, kBendHeight = 14, kRowGap = 26, kLabelGap = 40, kMargin = 20,
                 kTitleHeight = 34;
constexpr int kSweeps = 8;

/// What an item is joined to, and by which edge.
struct Joint {
  std::size_t item, edge;
};

/// A node's box, or the bend of an edge in a layer that it crosses.
struct Item {
  std::size_t node = Plan::npos;
  std::size_t layer = 0;
  double x = 0, y = 0, width = 0, height = kBendHeight;  // y: the middle
  std::vector<Joint> before, after;
};

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    // XML has no way to write other control characters.
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

class Drawing {
 public:
  explicit Drawing(const Plan& plan) : plan_(plan) {
    place_nodes();
    route_edges();
    order_layers();
    coordinates();
  }

  std::string svg() const {
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width_) + "\" height=\"" +
                      number(height_) + "\" viewBox=\"0 0 " + number(width_) + " " + number(height_) +
                      "\" font-family=\"system-ui, sans-serif\">\n"
                      "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
                      "markerWidth=\"8\" markerHeight=\"8\" "
                      "markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
                      "<path d=\"M0,0.5 L8,4 L0,7.5 z\" fill=\"#64748b\"/></marker></defs>\n"
                      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    if (!plan_.title.empty()) {
      out += "<text x=\"" + number(kMargin) +
             "\" y=\"30\" font-size=\"16\" font-weight=\"600\" fill=\"#0f172a\">" + xml(plan_.title) +
             "</text>\n";
    }
    for (std::size_t e = 0; e < plan_.edges.size(); ++e) out += edge(e);
    for (const Item& item : items_) {
      if (item.node != Plan::npos) out += box(item);
    }
    for (std::size_t e = 0; e < plan_.edges.size(); ++e) out += label(e);
    return out + "</svg>\n";
  }

 private:
  void place_nodes() {
    for (std::size_t n = 0; n < plan_.nodes.size(); ++n) {
      const PlannedNode& node = plan_.nodes[n];
      Item item;
      item.node = n;
      item.height = kBoxHeight;
      item.width =
          std::max(kCharacter * characters(node.id), kSmallCharacter * characters(node.op->spec.name())) + 28;
      items_.push_back(item);
    }
    for (const PlannedEdge& e : plan_.edges) {  // sorted by receiving node: layers before it are final
      items_[e.to_node].layer = std::max(items_[e.to_node].layer, items_[e.from_node].layer + 1);
    }
    for (const Item& item : items_) layers_.resize(std::max(layers_.size(), item.layer + 1));
    for (std::size_t n = 0; n < items_.size(); ++n) layers_[items_[n].layer].push_back(n);
  }

  void route_edges() {
    for (const PlannedEdge& e : plan_.edges) {
      std::vector<std::size_t> route = {e.from_node};
      for (std::size_t layer = items_[e.from_node].layer + 1; layer < items_[e.to_node].layer; ++layer) {
        Item bend;
        bend.layer = layer;
        route.push_back(items_.size());
        layers_[layer].push_back(items_.size());
        items_.push_back(bend);
      }
      route.push_back(e.to_node);
      for (std::size_t i = 0; i + 1 < route.size(); ++i) {
        items_[route[i]].after.push_back({route[i + 1], routes_.size()});
        items_[route[i + 1]].before.push_back({route[i], routes_.size()});
      }
      routes_.push_back(std::move(route));
    }
  }

  void order_layers() {
    std::vector<double> position(items_.size());
    const auto number_layer = [&](const std::vector<std::size_t>& layer) {
      for (std::size_t i = 0; i < layer.size(); ++i) position[layer[i]] = static_cast<double>(i);
    };
    for (const auto& layer : layers_) number_layer(layer);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      const bool forwards = sweep % 2 == 0;
      for (std::size_t k = 0; k < layers_.size(); ++k) {
        auto& layer = layers_[forwards ? k : layers_.size() - 1 - k];
        std::vector<std::pair<double, std::size_t>> keyed;
        for (const std::size_t i : layer) {
          const auto& joined = forwards ? items_[i].before : items_[i].after;
          double sum = 0;
          for (const Joint& j : joined) sum += position[j.item];
          keyed.emplace_back(joined.empty() ? position[i] : sum / static_cast<double>(joined.size()), i);
        }
        std::stable_sort(keyed.begin(), keyed.end(), [](auto& a, auto& b) { return a.first < b.first; });
        for (std::size_t i = 0; i < layer.size(); ++i) layer[i] = keyed[i].second;
        number_layer(layer);
      }
    }
  }

  void coordinates() {
    const double top = kMargin + (plan_.title.empty() ? 0 : kTitleHeight);
    std::vector<double> gap(layers_.size(),
                            kLabelGap);  // to the right of a layer: room for the labels of its edges
    for (std::size_t e = 0; e < routes_.size(); ++e) {
      const std::size_t layer = items_[routes_[e][0]].layer;
      gap[layer] = std::max(gap[layer], kSmallCharacter * characters(edge_label(plan_, plan_.edges[e])) + 44);
    }
    double x = kMargin;
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      double widest = 0, y = top;
      for (const std::size_t i : layers_[k]) widest = std::max(widest, items_[i].width);
      for (const std::size_t i : layers_[k]) {
        items_[i].x = x;
        if (items_[i].node == Plan::npos) items_[i].width = widest;
        items_[i].y = y + items_[i].height / 2;
        y += items_[i].height + kRowGap;
      }
      x += widest + gap[k];
      width_ = x - gap[k] + kMargin;
    }
    for (int pass = 0; pass < kSweeps; ++pass) straighten(pass % 2 == 0);
    double least = top, lowest = top;
    for (const Item& i : items_) least = std::min(least, i.y - i.height / 2);
    for (Item& i : items_) i.y += top - least, lowest = std::max(lowest, i.y + i.height / 2);
    height_ = lowest + kMargin;
    width_ = std::max(width_, kMargin * 2 + 9.0 * characters(plan_.title));
  }

  /// Moves each item towards the mean height of what it is joined to, as far as its neighbours in the layer
  /// let it.
  void straighten(bool forwards) {
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      const auto& layer = layers_[forwards ? k : layers_.size() - 1 - k];
      std::vector<double> wish;
      for (const std::size_t i : layer) {
        const auto& joined = forwards ? items_[i].before : items_[i].after;
        double sum = 0;
        for (const Joint& j : joined) sum += items_[j.item].y;
        wish.push_back(joined.empty() ? items_[i].y : sum / static_cast<double>(joined.size()));
      }
      // Downwards what overlaps is pushed on; the mean push is then given back, which keeps the layer
      // centred.
      double push = 0;
      for (std::size_t r = 0; r < layer.size(); ++r) {
        Item& item = items_[layer[r]];
        item.y = wish[r];
        if (r > 0) {
          const Item& above = items_[layer[r - 1]];
          item.y = std::max(item.y, above.y + (above.height + item.height) / 2 + kRowGap);
        }
        push += item.y - wish[r];
      }
      for (const std::size_t i : layer) items_[i].y -= push / static_cast<double>(layer.size());
    }
  }

  bool error(const PlannedEdge& e) const { return e.from_port == plan_.nodes[e.from_node].error_port(); }

  /// Where edges leave or reach a box: spread over its side, in the order of their other ends.
  double anchor(std::size_t item, std::size_t edge, bool leaving) const {
    const Item& i = items_[item];
    if (i.node == Plan::npos) return i.y;
    std::vector<Joint> joined = leaving ? i.after : i.before;
    std::stable_sort(joined.begin(), joined.end(),
                     [&](const Joint& a, const Joint& b) { return items_[a.item].y < items_[b.item].y; });
    const auto it =
        std::find_if(joined.begin(), joined.end(), [&](const Joint& j) { return j.edge == edge; });
    const auto at = static_cast<double>(it - joined.begin()), count = static_cast<double>(joined.size());
    return i.y + (at + 0.5 - count / 2) * std::min(16.0, (i.height - 10) / count);
  }

  std::string edge(std::size_t index) const {
    const PlannedEdge& e = plan_.edges[index];
    const auto& route = routes_[index];
    std::string path;
    for (std::size_t i = 0; i + 1 < route.size(); ++i) {
      const Item &a = items_[route[i]], &b = items_[route[i + 1]];
      const double x0 = a.x + a.width, y0 = anchor(route[i], index, true), x1 = b.x,
                   y1 = anchor(route[i + 1], index, false);
      const double middle = (x0 + x1) / 2;
      path += i == 0 ? "M" : " L";
      path += number(x0) + "," + number(y0) + " C" + number(middle) + "," + number(y0) + " " +
              number(middle) + "," + number(y1) + " " + number(x1) + "," + number(y1);
    }
    return "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + (error(e) ? "#dc2626" : "#64748b") +
           "\" stroke-width=\"1.5\"" + (e.live ? " stroke-dasharray=\"5 4\"" : "") +
           " marker-end=\"url(#arrow)\"/>\n";
  }

  std::string label(std::size_t index) const {
    const std::string text = edge_label(plan_, plan_.edges[index]);
    if (text.empty()) return {};
    const std::size_t first = routes_[index][0], next = routes_[index][1];
    const Item& a = items_[first];
    // In the middle of the first stretch, where the curve is half-way between its ends.
    const double x = (a.x + a.width + items_[next].x) / 2;
    const double y = (anchor(first, index, true) + anchor(next, index, false)) / 2 - 4;
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) +
           "\" font-size=\"11\" text-anchor=\"middle\" fill=\"" +
           (error(plan_.edges[index]) ? "#dc2626" : "#475569") +
           "\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">" + xml(text) + "</text>\n";
  }

  std::string box(const Item& item) const {
    const PlannedNode& node = plan_.nodes[item.node];
    const Spec& spec = node.op->spec;
    const bool heavy = node.contract.cost == Cost::kHeavy;
    const char* fill = spec.source() ? "#ecfdf5" : spec.sink() ? "#eff6ff" : heavy ? "#fff7ed" : "#f8fafc";
    const char* stroke = spec.source() ? "#059669" : spec.sink() ? "#2563eb" : heavy ? "#ea580c" : "#64748b";
    const double middle = item.x + item.width / 2;
    return "<g><title>" + xml(spec.summary()) + "</title><rect x=\"" + number(item.x) + "\" y=\"" +
           number(item.y - item.height / 2) + "\" width=\"" + number(item.width) + "\" height=\"" +
           number(item.height) + "\" rx=\"8\" fill=\"" + fill + "\" stroke=\"" + stroke +
           "\" stroke-width=\"" + (heavy ? "2" : "1.2") + "\"/><text x=\"" + number(middle) + "\" y=\"" +
           number(item.y - 3) +
           "\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\" fill=\"#0f172a\">" + xml(node.id) +
           "</text><text x=\"" + number(middle) + "\" y=\"" + number(item.y + 14) +
           "\" font-size=\"11\" text-anchor=\"middle\" fill=\"#475569\">" + xml(spec.name()) +
           "</text></g>\n";
  }

  const Plan& plan_;
  std::vector<Item> items_;  ///< nodes by their index, then bends
  std::vector<std::vector<std::size_t>> layers_, routes_;
  double width_ = 2 * kMargin, height_ = 2 * kMargin;
};

}  // namespace

std::string to_svg(const Plan& plan) { return Drawing(plan).svg(); }

}  // namespace stream
