#include "products/products_cope.hpp"

#include <algorithm>
#include <map>

#include "stream/error.hpp"

namespace stream::products {

namespace {

constexpr std::size_t kMostSmoothed = 1000;   ///< pages whose smoothed score is kept
constexpr std::size_t kMostUtterances = 256;  ///< in a window
constexpr std::size_t kMostWords = 4096;      ///< bytes of one utterance
constexpr std::size_t kMostSpoken = 65536;    ///< bytes of a clip's text

constexpr Time kFarthest = std::chrono::hours(24 * 365 * 100);

double seconds(Time time) { return static_cast<double>(time.count()) / 1e9; }

/// Of `bytes` bytes at the most, cut between characters.
std::string cut(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

Spec CopeOperator::spec() {
  return Spec("products.cope", "Find the products that a live stream or a short video shows (COPE).")
      .input<Frame>("frames", "of any size and format")
      .optional_input<Record>("text", "{\"text\"}: words at their times, as ASR brings them")
      .output<Record>(
          "out",
          "{\"t0\", \"t1\", \"products\": [[id, score], ...]} of the window after each hop, or of "
          "the whole clip with \"frames\": how many there were")
      .output<Record>("changes",
                      "{\"t\", \"id\", \"title\", \"score\", \"before\"} when another product is shown; id "
                      "and before may be null")
      .output<Record>("vectors", "{\"t0\", \"t1\", \"vector\"} of each of \"out\"")
      .output<Record>("faults",
                      "{\"t\", \"fault\": \"frame-size\", \"no-text\", \"text-kind\", \"empty-text\" or "
                      "\"long-text\", \"detail\"}")
      .path("model", nullptr, "HDF5 file that products.cope_train wrote")
      .path("index", nullptr, "HDF5 file that products.cope_index wrote with this model")
      .param("domain", "live", "what the frames are of", choices({"live", "video"}))
      .param("emit", "window", "an answer after each hop, or one for the whole clip at its end",
             choices({"window", "clip"}))
      .param("window", Duration(std::chrono::seconds(8)), "what an answer looks back on")
      .param("hop", Duration(std::chrono::seconds(1)), "from answer to answer")
      .param("per_second", 8.0, "frames that a window keeps at the most; others are passed over",
             range(0.01, 1000))
      .param("k", std::int64_t{5}, "products in a list", range(1, 1000))
      .param("smoothing", 0.0,
             "z in: score = z (score before) + (1 - z) (score now); an addition to the paper",
             range(0, 0.999))
      .param("least", -1.0, "score below which no product counts as shown", range(-1, 1))
      .param("steady", std::int64_t{2}, "hops in a row that another product must be the best to be shown",
             range(1, 1000))
      .param("text", "text", "member with the words")
      .param("exact_up_to", std::int64_t{20000},
             "pages up to which the search is exact; larger indices are searched through a graph (HNSW)",
             range(0, 1e9))
      .param("searched", std::int64_t{160}, "candidates that the search through the graph keeps",
             range(10, 100000))
      .contract([](const Params& p) {
        return Contract{.lookahead = p.get<std::string>("emit") == "clip" ? kUnbounded : Duration{0},
                        .state = Growth::kConstant,
                        .order = Order::kStateful,
                        .cost = Cost::kHeavy,
                        .keyed = true};
      })
      .about(
          "After each hop the model's T frames, spread over those of the window, and the words said in it "
          "become one vector; the pages with the greatest inner product are the answer. Frames exchange "
          "messages in every block of the encoder, so each window is computed anew. Of a clip, 64 frames are "
          "kept at the most, spread over it. Without words, or with a model that was trained with "
          "domains_text = \"page\", pictures alone count.\n\n"
          "An index of other vectors than this model's is refused. Frames may change their size: each is "
          "shrunk by itself, and the change is named on the port \"faults\", as is text that cannot be used. "
          "With smoothing the scores of the best 1000 pages are remembered.")
      .paper(
          "Bai, Li, Cheng, Yang, Chen, Li, Cross-Domain Product Representation Learning for Rich-Content "
          "E-Commerce, ICCV 2023")
      .example("Products in a live stream", R"([nodes.show]
use   = "products.show"
count = 2
world_seed = 1

[nodes.cope]
use   = "products.cope"
from  = { frames = "show.frames", text = "show.speech" }
model = "models/cope-products.h5"
index = "examples/product-index.h5"

[nodes.out]
use  = "jsonl.write"
from = "cope.out"
)");
}

CopeOperator::CopeOperator(const Params& p)
    : model_(CopeModel::shared(p.input_path("model"))),
      index_(PageIndex::shared(p.input_path("index"), {.exact_up_to = p.get<std::size_t>("exact_up_to"),
                                                       .searched = p.get<std::size_t>("searched")})),
      domain_(p.get<std::string>("domain") == "live" ? Domain::kLive : Domain::kVideo),
      whole_(p.get<std::string>("emit") == "clip"),
      window_(p.get<Duration>("window")),
      hop_(p.get<Duration>("hop")),
      apart_(static_cast<std::int64_t>(1e9 / p.get<double>("per_second"))),
      k_(p.get<std::size_t>("k")),
      smoothing_(p.get<double>("smoothing")),
      least_(p.get<double>("least")),
      steady_(p.get<std::int64_t>("steady")),
      member_(p.get<std::string>("text")),
      shrink_(static_cast<int>(model_->shape().size)),
      kept_(static_cast<int>(model_->shape().size)) {
  if (window_ <= Duration{0} || hop_ <= Duration{0} || window_ > std::chrono::hours(1))
    throw bad_recipe("window and hop must be positive, and a window no longer than an hour");
  if (index_->pages().fingerprint != model_->fingerprint() ||
      index_->pages().features != static_cast<std::size_t>(model_->shape().embedding))
    throw bad_recipe(p.input_path("index") + " was made with another model than " + p.input_path("model"));
}

void CopeOperator::process(std::size_t port, Packet in, Output& out) {
  if (in.time > kFarthest || in.time < -kFarthest)
    throw bad_data("a time of " + to_string(in.time) + " is more than a century away");
  if (!begun_) {
    begun_ = true;
    first_ = in.time;
    next_hop_ = in.time.count() / hop_.count() - (in.time.count() % hop_.count() < 0 ? 1 : 0);
  }
  key_ = in.key;
  if (!whole_) hop_to(in.time, out);
  last_ = std::max(last_, in.time);
  if (port == 0)
    frame(in, out);
  else
    words(in, out);
}

void CopeOperator::frame(const Packet& in, Output& out) {
  const auto picture = std::static_pointer_cast<const Frame>(in.payload);
  const Frame& f = in.as<Frame>();
  if (width_ > 0 && (f.width() != width_ || f.height() != height_))
    fault(in, "frame-size",
          std::to_string(width_) + "x" + std::to_string(height_) + " before, now " +
              std::to_string(f.width()) + "x" + std::to_string(f.height()),
          out);
  width_ = f.width(), height_ = f.height();
  if (whole_) {
    if (kept_.wants())
      kept_.add(shrink_(picture));
    else
      kept_.pass();
    return;
  }
  if (!frames_.empty() && in.time - frames_.back().time < apart_) return;
  frames_.push_back({in.time, shrink_(picture)});
}

void CopeOperator::words(const Packet& in, Output& out) {
  const Value* text = in.as<Record>().find(member_);
  if (!text) return fault(in, "no-text", member_, out);
  if (!text->is_string()) return fault(in, "text-kind", text->kind(), out);
  if (text->as_string().empty()) return fault(in, "empty-text", "", out);
  if (text->as_string().size() > kMostWords)
    fault(in, "long-text", std::to_string(text->as_string().size()) + " bytes", out);
  const std::string words = cut(text->as_string(), kMostWords);
  if (whole_) {
    if (spoken_.size() + words.size() < kMostSpoken) spoken_ += (spoken_.empty() ? "" : " ") + words;
    return;
  }
  said_.push_back({in.time, words});
  if (said_.size() > kMostUtterances) said_.pop_front();
}

void CopeOperator::fault(const Packet& in, const char* what, std::string detail, Output& out) const {
  out.emit(3,
           in.with<Record>(Object{{"t", seconds(in.time)}, {"fault", what}, {"detail", std::move(detail)}}));
}

void CopeOperator::hop_to(Time time, Output& out) {
  // A hop's window is (end - window, end]: it is known once something later comes.
  while (Time{(next_hop_ + 1) * hop_.count()} < time) {
    const Time end{(next_hop_ + 1) * hop_.count()};
    window(end, out);
    ++next_hop_;
    if (frames_.empty()) {  // nothing more until what comes now
      const std::int64_t ends = (time.count() - 1) / hop_.count() - ((time.count() - 1) % hop_.count() < 0);
      next_hop_ = std::max(next_hop_, ends);
    }
  }
}

void CopeOperator::window(Time end, Output& out) {
  while (!frames_.empty() && frames_.front().time <= end - window_) frames_.pop_front();
  while (!said_.empty() && said_.front().time <= end - window_) said_.pop_front();
  if (frames_.empty()) {
    follow({}, end, out);
    return;
  }
  Clip clip;
  clip.size = static_cast<int>(model_->shape().size);
  for (const Shown& f : frames_) clip.frames.insert(clip.frames.end(), f.samples.begin(), f.samples.end());
  for (const Said& s : said_) clip.text += (clip.text.empty() ? "" : " ") + s.words;
  answer(clip, std::max(first_, end - window_), end, out);
}

Array CopeOperator::listed(const std::vector<PageIndex::Found>& found) const {
  Array list;
  for (std::size_t i = 0; i < std::min(k_, found.size()); ++i)
    list.emplace_back(Array{index_->id(found[i].page), found[i].score});
  return list;
}

void CopeOperator::answer(const Clip& clip, Time begin, Time end, Output& out) {
  const auto vector = model_->network().embed(clip, domain_);
  const auto found = scores(vector);
  const auto packet = [&](Object record) {
    Packet p = Packet::of<Record>(end, std::move(record));
    p.key = key_;
    return p;
  };
  Object record{{"t0", seconds(begin)}, {"t1", seconds(end)}};
  if (!key_.empty()) record.set(whole_ ? "clip" : "stream", std::string(key_.str()));
  if (!out.unused(2)) {
    Array numbers;
    for (const float v : vector) numbers.emplace_back(v);
    Object with = record;
    out.emit(2, packet(with.set("vector", std::move(numbers))));
  }
  if (whole_) record.set("frames", kept_.added());
  out.emit(0, packet(record.set("products", listed(found))));
  if (!whole_) follow(found, end, out);
}

std::vector<PageIndex::Found> CopeOperator::scores(std::span<const float> query) {
  if (smoothing_ == 0 || whole_) return index_->best(query, k_);
  std::map<std::size_t, float> now;
  for (const PageIndex::Found& f : index_->best(query, kMostSmoothed)) now[f.page] = f.score;
  const bool first = smoothed_.empty();
  const auto z = static_cast<float>(first ? 0 : smoothing_);
  for (auto& [page, score] : now) score *= 1 - z;
  for (const auto& [page, before] : smoothed_) {
    const auto [at, fresh] = now.emplace(page, 0.0f);
    if (fresh) at->second = (1 - z) * index_->score(query, page);
    at->second += z * before;
  }
  std::vector<PageIndex::Found> all;
  all.reserve(now.size());
  for (const auto& [page, score] : now) all.push_back({page, score});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  all.resize(std::min(all.size(), kMostSmoothed));
  smoothed_.clear();
  for (const PageIndex::Found& f : all) smoothed_.emplace_back(f.page, f.score);
  return all;
}

void CopeOperator::follow(const std::vector<PageIndex::Found>& found, Time time, Output& out) {
  const bool any = !found.empty() && static_cast<double>(found[0].score) >= least_;
  const std::int64_t best = any ? static_cast<std::int64_t>(found[0].page) : -1;
  if (best == shown_) {
    candidate_ = shown_, seen_ = 0;
    return;
  }
  seen_ = best == candidate_ ? seen_ + 1 : 1;
  candidate_ = best;
  // Without frames nothing is shown, at once.
  if (seen_ < steady_ && !found.empty()) return;
  const auto id = [&](std::int64_t page) {
    return page < 0 ? Value() : Value(index_->id(static_cast<std::size_t>(page)));
  };
  Object record{{"t", seconds(time)},
                {"id", id(best)},
                {"title", any ? Value(index_->title(found[0].page)) : Value()},
                {"score", any ? Value(found[0].score) : Value()},
                {"before", id(shown_)}};
  if (!key_.empty()) record.set("stream", std::string(key_.str()));
  Packet packet = Packet::of<Record>(time, std::move(record));
  packet.key = key_;
  out.emit(1, std::move(packet));
  shown_ = best, seen_ = 0;
}

void CopeOperator::finish(Output& out) {
  if (!begun_) return;
  if (!whole_) {
    // The hop under way ends with the stream.
    hop_to(last_, out);
    window(last_, out);
    return;
  }
  if (kept_.kept() == 0) return;
  Clip clip;
  clip.size = static_cast<int>(model_->shape().size);
  clip.frames = kept_.frames();
  clip.text = spoken_;
  answer(clip, first_, last_, out);
}

void CopeOperator::save(Archive& state) const {
  std::vector<std::int64_t> frame_times, said_times, pages;
  std::vector<std::uint8_t> samples, said;
  std::vector<std::int64_t> ends;
  std::vector<float> scores;
  for (const Shown& f : frames_) {
    frame_times.push_back(f.time.count());
    samples.insert(samples.end(), f.samples.begin(), f.samples.end());
  }
  for (const Said& s : said_) {
    said_times.push_back(s.time.count());
    said.insert(said.end(), s.words.begin(), s.words.end());
    ends.push_back(static_cast<std::int64_t>(said.size()));
  }
  for (const auto& [page, score] : smoothed_)
    pages.push_back(static_cast<std::int64_t>(page)), scores.push_back(score);
  state.set("model", model_->fingerprint());
  state.set("pages_in_index", static_cast<std::int64_t>(index_->size()));
  state.set("frame_times", frame_times), state.set("samples", samples);
  state.set("said_times", said_times), state.set("said", said), state.set("said_ends", ends);
  state.set("pages", pages), state.set("scores", scores);
  kept_.save(state.group("kept"));
  state.set("spoken", spoken_);
  state.set("first", first_), state.set("last", last_), state.set("begun", begun_);
  state.set("next_hop", next_hop_);
  state.set("shown", shown_), state.set("candidate", candidate_), state.set("seen", seen_);
  state.set("width", width_), state.set("height", height_);
  state.set("key", key_.str());
}

void CopeOperator::load(const Archive& state) {
  if (state.get<std::string>("model") != model_->fingerprint() ||
      state.get<std::int64_t>("pages_in_index") != static_cast<std::int64_t>(index_->size()))
    throw bad_data("the checkpoint is of another model or index");
  const auto frame_times = state.get<std::vector<std::int64_t>>("frame_times"),
             said_times = state.get<std::vector<std::int64_t>>("said_times"),
             ends = state.get<std::vector<std::int64_t>>("said_ends"),
             pages = state.get<std::vector<std::int64_t>>("pages");
  const auto samples = state.get<std::vector<std::uint8_t>>("samples"),
             said = state.get<std::vector<std::uint8_t>>("said");
  const auto scores = state.get<std::vector<float>>("scores");
  const auto side = static_cast<std::size_t>(model_->shape().size), bytes = 3 * side * side;
  if (samples.size() != frame_times.size() * bytes || ends.size() != said_times.size() ||
      scores.size() != pages.size())
    throw bad_data("the saved window is damaged");
  frames_.clear(), said_.clear(), smoothed_.clear();
  for (std::size_t i = 0; i < frame_times.size(); ++i) {
    const auto from = samples.begin() + static_cast<std::ptrdiff_t>(i * bytes);
    frames_.push_back({Time{frame_times[i]}, {from, from + static_cast<std::ptrdiff_t>(bytes)}});
  }
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] < begin || ends[i] > static_cast<std::int64_t>(said.size()))
      throw bad_data("the saved words are damaged");
    said_.push_back({Time{said_times[i]}, {said.begin() + begin, said.begin() + ends[i]}});
    begin = ends[i];
  }
  const auto page_of = [&](std::int64_t page) {
    if (page < -1 || page >= static_cast<std::int64_t>(index_->size()))
      throw bad_data("a saved page is not in the index");
    return page;
  };
  for (std::size_t i = 0; i < pages.size(); ++i)
    smoothed_.emplace_back(static_cast<std::size_t>(std::max<std::int64_t>(0, page_of(pages[i]))), scores[i]);
  kept_.load(state.group("kept"));
  spoken_ = state.get<std::string>("spoken");
  first_ = state.get<Duration>("first"), last_ = state.get<Duration>("last");
  begun_ = state.get<bool>("begun");
  next_hop_ = state.get<std::int64_t>("next_hop");
  shown_ = page_of(state.get<std::int64_t>("shown"));
  candidate_ = page_of(state.get<std::int64_t>("candidate"));
  seen_ = state.get<std::int64_t>("seen");
  width_ = state.get<int>("width"), height_ = state.get<int>("height");
  key_ = Key(state.get<std::string>("key"));
}

std::size_t CopeOperator::state_bytes() const {
  std::size_t sum = kept_.frames().size() + spoken_.size() + smoothed_.size() * 16;
  for (const Shown& f : frames_) sum += f.samples.size();
  for (const Said& s : said_) sum += s.words.size();
  return sum;
}

std::string CopeOperator::progress() const {
  return shown_ < 0 ? "no product" : "shows " + index_->id(static_cast<std::size_t>(shown_));
}

}  // namespace stream::products
