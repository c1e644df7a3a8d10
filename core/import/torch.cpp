/// PyTorch's files. Since its version 1.6 they are zip archives of a pickle, `NAME/data.pkl`, and of the
/// bytes of each storage, `NAME/data/KEY`. Before, pickles followed each other: a magic number, a version, a
/// description of the machine, the content, a list of keys; and behind them for each key the number of
/// elements and those.
///
/// A tensor in the pickle is a call of torch._utils._rebuild_tensor_v2 with a storage, the place of its first
/// element there, its shape and its strides.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "import/elements.hpp"
#include "import/import.hpp"
#include "import/pickle.hpp"
#include "import/zip.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

using PickleValue = Pickle::Value;
using PickleKind = PickleValue::Kind;
using Reading = ElementKind::Reading;

/// Some forty thousand tensors. What the pickle becomes needs some fifty times its size.
constexpr std::uint64_t kLargestPickle = std::uint64_t{8} << 20;
constexpr int kDeepest = 64;
/// Tensors may share a storage, as tied weights do; together they may be so many times what is stored.
constexpr std::uint64_t kMostShared = 64;
/// Names in full may be so many times the size of the pickle.
constexpr std::uint64_t kLongestNames = 16;

constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2",
                           kParameter = "torch._utils._rebuild_parameter";

struct StorageKind {
  std::string_view name;
  ElementKind elements;
};
constexpr StorageKind kStorages[] = {
    {"torch.FloatStorage", {4, DType::kF32}},
    {"torch.HalfStorage", {2, DType::kF16}},
    {"torch.BFloat16Storage", {2, DType::kBF16}},
    {"torch.DoubleStorage", {8, DType::kF64}},
    {"torch.LongStorage", {8, DType::kI64}},
    {"torch.IntStorage", {4, DType::kI32}},
    {"torch.ShortStorage", {2, DType::kI32, Reading::kSigned}},
    {"torch.CharStorage", {1, DType::kI32, Reading::kSigned}},
    {"torch.ByteStorage", {1, DType::kU8}},
    {"torch.BoolStorage", {1, DType::kU8}},
};

const std::vector<Pickle::Name>& known_names() {
  static const std::vector<Pickle::Name> names = [] {
    std::vector<Pickle::Name> out{{kTensor, true}, {kParameter, true}};
    for (const StorageKind& kind : kStorages) out.push_back({kind.name, false});
    return out;
  }();
  return names;
}

/// The type of a storage, or none.
const StorageKind* storage_kind(const PickleValue& name) {
  const auto* kind = std::find_if(std::begin(kStorages), std::end(kStorages),
                                  [&](const StorageKind& k) { return k.name == name.view(); });
  return kind == std::end(kStorages) ? nullptr : kind;
}

/// What stands for a storage in a pickle: ("storage", its type, key, device, number of elements), and in the
/// older format None. None where it is something else.
std::optional<std::span<const PickleValue>> storage_parts(const PickleValue& value) {
  if (!value.is(PickleKind::kPersistent) || !value.node->values[0].is(PickleKind::kTuple)) return {};
  const auto& parts = value.node->values[0].node->values;
  const bool fits = (parts.size() == 5 || (parts.size() == 6 && parts[5].is(PickleKind::kNone))) &&
                    parts[0].is(PickleKind::kText) && parts[0].view() == "storage" &&
                    parts[1].is(PickleKind::kName) && parts[2].is(PickleKind::kText) &&
                    parts[3].is(PickleKind::kText) && parts[4].is(PickleKind::kInteger);
  if (!fits) return {};
  return parts;
}

class TorchFile {
 public:
  TorchFile(const Buffer& file, const std::string& name) : file_(file), name_(name) {
    // A magic number, itself pickled.
    constexpr std::string_view kBefore16("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 15);
    if (file.text().starts_with(kBefore16))
      open_pickles(kBefore16.size());
    else
      open_zip();
  }

  /// Every tensor below the root, or those that are wanted; returns how many.
  std::size_t read_into(Archive& archive, const std::set<std::string>* wanted) {
    archive_ = &archive;
    wanted_ = wanted;
    visit(pickle_->root(), "", 0);
    return found_;
  }

 private:
  void open_zip() {
    std::map<std::string, ZipMember> members;
    for (ZipMember& member : read_zip_directory(file_, name_)) {
      std::string key = member.name;
      if (!members.emplace(std::move(key), std::move(member)).second)
        throw bad_data(name_ + ": two members have the same name");
    }
    const ZipMember* pickle = nullptr;
    std::string folder;
    for (const auto& [path, member] : members) {
      const auto cut = path.find('/');
      if (cut == std::string::npos || path.substr(cut) != "/data.pkl") continue;
      if (pickle != nullptr) throw bad_data(name_ + ": more than one data.pkl");
      pickle = &member;
      folder = path.substr(0, cut + 1);
    }
    if (pickle == nullptr)
      throw bad_data(name_ + ": a zip archive without NAME/data.pkl is none of PyTorch's");
    if (pickle->size > kLargestPickle)
      throw bad_data(name_ + ": " + pickle->name + " has " + std::to_string(pickle->size) +
                     " bytes, expected at most " + std::to_string(kLargestPickle));
    if (const auto order = members.find(folder + "byteorder"); order != members.end()) {
      if (order->second.size > 16)
        throw bad_data(name_ + ": byteorder has " + std::to_string(order->second.size) + " bytes");
      const Buffer text = extract(file_, order->second, name_);
      if (text.text() != "little" && text.text() != "big")
        throw bad_data(name_ + ": byteorder is neither little nor big");
      swap_ = text.text() == "big";
    }
    pickle_bytes_ = extract(file_, *pickle, name_);
    pickle_name_ = name_ + ": " + pickle->name;
    pickle_.emplace(pickle_bytes_.text(), pickle_name_, known_names());
    if (pickle_->size() != pickle_bytes_.size())
      throw bad_data(pickle_name_ + ": expected its end at offset " + std::to_string(pickle_->size()) +
                     ", found " + std::to_string(pickle_bytes_.size() - pickle_->size()) + " bytes more");
    const std::string data = folder + "data/";
    for (const auto& [path, member] : members)
      if (path.starts_with(data))
        stored_at_.emplace(path.substr(data.size()), Stored{member.size, [this, zipped = member] {
                                                              return extract(file_, zipped, name_);
                                                            }});
    within_ = data;
  }

  /// The next of pickles that follow each other, which moves `at` behind it.
  Pickle& next_pickle(std::optional<Pickle>& into, std::size_t& at, const char* what) {
    const std::string where = name_ + ": " + what + ", which begins at offset " + std::to_string(at);
    into.emplace(file_.text().substr(at, kLargestPickle), where, known_names());
    at += into->size();
    return *into;
  }
  void open_pickles(std::size_t at) {
    std::optional<Pickle> version, machine, keys;
    if (const PickleValue& found = next_pickle(version, at, "the version").root();
        !found.is(PickleKind::kInteger) || found.integer != 1001)
      throw bad_data(name_ + ": expected version 1001 of PyTorch's format at offset 15");
    next_pickle(machine, at, "the description of a machine");
    if (!little_endian(machine->root()))
      throw bad_data(name_ + ": was written by a machine that is not little-endian, and is not supported");
    pickle_bytes_ = file_;
    pickle_name_ = name_ + ": the content, which begins at offset " + std::to_string(at);
    pickle_.emplace(file_.text().substr(at, kLargestPickle), pickle_name_, known_names());
    at += pickle_->size();
    next_pickle(keys, at, "the list of storages");
    if (!keys->root().is(PickleKind::kList)) throw bad_data(name_ + ": expected a list of storages");
    std::map<std::string_view, std::size_t> widths;
    for (const PickleValue& value : pickle_->persistent())
      if (const auto parts = storage_parts(value))
        if (const StorageKind* const kind = storage_kind((*parts)[1]))
          widths.emplace((*parts)[2].view(), kind->elements.width);
    for (const PickleValue& key : keys->root().node->values) {
      const auto width = key.is(PickleKind::kText) ? widths.find(key.view()) : widths.end();
      if (width == widths.end())
        throw bad_data(name_ + ": the list of storages names one that no tensor has");
      std::uint64_t elements = 0, bytes = 0;
      const std::span<const std::byte> rest = file_.bytes().subspan(at);
      for (std::size_t i = std::min<std::size_t>(8, rest.size()); i-- > 0;)
        elements = elements << 8 | static_cast<std::uint64_t>(rest[i]);
      if (rest.size() < 8 || __builtin_mul_overflow(elements, width->second, &bytes) ||
          bytes > rest.size() - 8)
        throw bad_data(name_ + ": expected the number of a storage's elements and those at offset " +
                       std::to_string(at) + ", found " + std::to_string(rest.size()) + " bytes");
      Stored stored{bytes, [slice = file_.slice(at + 8, static_cast<std::size_t>(bytes))] { return slice; }};
      if (!stored_at_.emplace(key.view(), std::move(stored)).second)
        throw bad_data(name_ + ": storage '" + std::string(key.view()) + "' is there twice");
      at += 8 + static_cast<std::size_t>(bytes);
    }
    if (at != file_.size())
      throw bad_data(name_ + ": expected its end at offset " + std::to_string(at) + ", found " +
                     std::to_string(file_.size() - at) + " bytes more");
  }
  static bool little_endian(const PickleValue& machine) {
    if (!machine.is(PickleKind::kDictionary)) return false;
    const auto& items = machine.node->values;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
      if (items[i].is(PickleKind::kText) && items[i].view() == "little_endian")
        return items[i + 1].is(PickleKind::kBoolean) && items[i + 1].integer == 1;
    return false;
  }

  static std::string key_text(const PickleValue& key) {
    if (key.is(PickleKind::kText)) return std::string(key.view());
    if (key.is(PickleKind::kInteger)) return std::to_string(key.integer);
    return {};
  }
  void visit(const PickleValue& value, const std::string& name, int depth) {
    if (depth > kDeepest)
      throw bad_data(pickle_name_ + ": values are nested more than " + std::to_string(kDeepest) +
                     " deep, or hold themselves");
    spelt_ += name.size() + 1;
    if (spelt_ > kLongestNames * (pickle_->size() + 256))
      throw bad_data(pickle_name_ + ": the same values stand in too many places");
    const auto below = [&](const PickleValue& inner, const std::string& key) {
      visit(inner, depth == 0 ? key : name + "." + key, depth + 1);
    };
    switch (value.kind) {
      case PickleKind::kDictionary: {
        const auto& items = value.node->values;
        for (std::size_t i = 0; i + 1 < items.size(); i += 2) below(items[i + 1], key_text(items[i]));
        return;
      }
      case PickleKind::kTuple:
      case PickleKind::kList:
        for (std::size_t i = 0; i < value.node->values.size(); ++i)
          below(value.node->values[i], std::to_string(i));
        return;
      case PickleKind::kCall: {
        const std::string full = depth == 0 ? "tensor" : name;
        if (wanted_ != nullptr && !wanted_->contains(full)) return;
        put_tensor(*archive_, full, tensor_of(value, name_ + ": tensor '" + full + "'", 0), name_);
        ++found_;
        return;
      }
      default:  // numbers and texts beside the tensors
        return;
    }
  }

  [[noreturn]] static void misfit(const std::string& where, const std::string& expected) {
    throw bad_data(where + ": expected " + expected);
  }
  static std::vector<std::int64_t> numbers(const PickleValue& value, const std::string& where,
                                           const char* what) {
    std::vector<std::int64_t> out;
    if (!value.is(PickleKind::kTuple)) misfit(where, std::string("a tuple of ") + what);
    for (const PickleValue& n : value.node->values) {
      if (!n.is(PickleKind::kInteger) || n.integer < 0) misfit(where, std::string("a tuple of ") + what);
      out.push_back(n.integer);
    }
    return out;
  }

  Tensor tensor_of(const PickleValue& call, const std::string& where, int depth) {
    if (!call.is(PickleKind::kCall)) misfit(where, "a tensor");
    const auto& arguments = call.node->values[0].node->values;
    if (call.node->callee.view() == kParameter) {
      if (arguments.size() != 3 || depth > 0) misfit(where, "a parameter of a tensor and two more values");
      return tensor_of(arguments[0], where, depth + 1);
    }
    if (arguments.size() != 6 && arguments.size() != 7)
      misfit(where, "six or seven values that make a tensor");
    // Marks that its values are to be conjugated or negated.
    if (arguments.size() == 7 && !arguments[6].is(PickleKind::kNone) &&
        !(arguments[6].is(PickleKind::kDictionary) && arguments[6].node->values.empty()))
      misfit(where, "no further attributes");
    if (!arguments[1].is(PickleKind::kInteger) || arguments[1].integer < 0)
      misfit(where, "the place of the first element");
    const auto [storage, kind] = storage_of(arguments[0], where);
    ElementPlaces places{.shape = numbers(arguments[2], where, "sizes"),
                         .strides = {},
                         .first = static_cast<std::uint64_t>(arguments[1].integer),
                         .swap = swap_ && kind.width > 1};
    for (const std::int64_t stride : numbers(arguments[3], where, "strides"))
      places.strides.push_back(static_cast<std::uint64_t>(stride));
    if (places.strides.size() != places.shape.size()) misfit(where, "a stride for each size");
    check(places, storage.size() / kind.width, where);
    const std::uint64_t elements = count_elements(places.shape, where);
    unfolded_ += elements * size_of(kind.type);
    if (unfolded_ > kMostShared * stored_ + 4096)
      throw bad_data(where + ": the tensors up to this one take " + std::to_string(unfolded_) + " bytes of " +
                     std::to_string(stored_) + " that are stored");
    return gather(storage, kind, std::move(places), where);
  }
  /// All elements lie inside of the storage, and are no more than it has.
  static void check(const ElementPlaces& places, std::uint64_t available, const std::string& where) {
    const std::uint64_t elements = count_elements(places.shape, where);
    if (elements == 0) return;
    std::uint64_t last = places.first;
    bool overflow = elements > available;
    for (std::size_t d = 0; d < places.shape.size(); ++d) {
      std::uint64_t way = 0;
      overflow |=
          __builtin_mul_overflow(static_cast<std::uint64_t>(places.shape[d] - 1), places.strides[d], &way) ||
          __builtin_add_overflow(last, way, &last);
    }
    if (overflow || last >= available)
      throw bad_data(where + ": shape and strides need more than the " + std::to_string(available) +
                     " elements of its storage, from element " + std::to_string(places.first) + " on");
  }

  std::pair<Buffer, ElementKind> storage_of(const PickleValue& value, const std::string& where) {
    if (!value.is(PickleKind::kPersistent)) misfit(where, "a storage");
    const auto parts = storage_parts(value);
    if (!parts) misfit(where, "a storage: its type, key, device and number of elements");
    const StorageKind* const kind = storage_kind((*parts)[1]);
    if (kind == nullptr) misfit(where, "a storage's type, found '" + std::string((*parts)[1].view()) + "'");
    const std::string key((*parts)[2].view());
    const std::int64_t elements = (*parts)[4].integer;
    const auto stored = stored_at_.find(key);
    if (stored == stored_at_.end())
      throw bad_data(where + ": its storage '" + within_ + key + "' is not in the file");
    std::uint64_t bytes = 0;
    if (elements < 0 ||
        __builtin_mul_overflow(static_cast<std::uint64_t>(elements), kind->elements.width, &bytes) ||
        bytes != stored->second.bytes)
      throw bad_data(where + ": its storage '" + within_ + key + "' has " +
                     std::to_string(stored->second.bytes) + " bytes, expected " + std::to_string(elements) +
                     " elements of " + std::to_string(kind->elements.width));
    auto found = storages_.find(key);
    if (found == storages_.end()) {
      found = storages_.emplace(key, stored->second.read()).first;
      stored_ += bytes;
    }
    return {found->second, kind->elements};
  }

  struct Stored {
    std::uint64_t bytes;
    std::function<Buffer()> read;
  };

  const Buffer& file_;
  const std::string& name_;
  std::map<std::string, Stored> stored_at_;  ///< by key
  std::string within_;                       ///< "NAME/data/", for messages
  bool swap_ = false;
  Buffer pickle_bytes_;
  std::string pickle_name_;
  std::optional<Pickle> pickle_;
  std::map<std::string, Buffer> storages_;  ///< those that were read
  Archive* archive_ = nullptr;
  const std::set<std::string>* wanted_ = nullptr;
  std::size_t found_ = 0;
  std::uint64_t spelt_ = 0, unfolded_ = 0, stored_ = 0;
};

}  // namespace

std::size_t read_torch_into(Archive& archive, const Buffer& file, const std::string& name,
                            const std::set<std::string>* wanted) {
  if (file.text().starts_with("LITPKDS"))
    throw bad_data(name + ": packed tokens hold no tensors; llm.tokens reads them");
  return TorchFile(file, name).read_into(archive, wanted);
}

Archive read_torch(const Buffer& file, const std::string& name) {
  Archive archive;
  read_torch_into(archive, file, name, nullptr);
  return archive;
}

}  // namespace stream
