/// PyTorch's files since its version 1.6: a zip archive of a pickle, `NAME/data.pkl`, and of the bytes of
/// each storage, `NAME/data/KEY`. A tensor in the pickle is a call of torch._utils._rebuild_tensor_v2 with a
/// storage, the place of its first element there, its shape and its strides.
#include <algorithm>
#include <map>

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

std::vector<Pickle::Name> known_names() {
  std::vector<Pickle::Name> out{{kTensor, true}, {kParameter, true}};
  for (const StorageKind& kind : kStorages) out.push_back({kind.name, false});
  return out;
}

class TorchFile {
 public:
  TorchFile(const Buffer& file, const std::string& name) : file_(file), name_(name) {
    for (ZipMember& member : read_zip_directory(file, name)) {
      std::string key = member.name;
      if (!members_.emplace(std::move(key), std::move(member)).second)
        throw bad_data(name + ": two members have the same name");
    }
    const ZipMember* pickle = nullptr;
    for (const auto& [path, member] : members_) {
      const auto cut = path.find('/');
      if (cut == std::string::npos || path.substr(cut) != "/data.pkl") continue;
      if (pickle != nullptr) throw bad_data(name + ": more than one data.pkl");
      pickle = &member;
      folder_ = path.substr(0, cut + 1);
    }
    if (pickle == nullptr)
      throw bad_data(name + ": a zip archive without NAME/data.pkl is none of PyTorch's");
    if (pickle->size > kLargestPickle)
      throw bad_data(name + ": " + pickle->name + " has " + std::to_string(pickle->size) +
                     " bytes, expected at most " + std::to_string(kLargestPickle));
    if (const auto order = members_.find(folder_ + "byteorder"); order != members_.end()) {
      if (order->second.size > 16)
        throw bad_data(name + ": byteorder has " + std::to_string(order->second.size) + " bytes");
      const Buffer text = extract(file, order->second, name);
      if (text.text() != "little" && text.text() != "big")
        throw bad_data(name + ": byteorder is neither little nor big");
      swap_ = text.text() == "big";
    }
    pickle_bytes_ = extract(file, *pickle, name);
    pickle_name_ = name + ": " + pickle->name;
  }

  /// Every tensor below the root, or those that are wanted; returns how many.
  std::size_t read_into(Archive& archive, const std::set<std::string>* wanted) {
    const auto names = known_names();
    const Pickle pickle(pickle_bytes_.text(), pickle_name_, names);
    if (pickle.size() != pickle_bytes_.size())
      throw bad_data(pickle_name_ + ": expected its end at offset " + std::to_string(pickle.size()) +
                     ", found " + std::to_string(pickle_bytes_.size() - pickle.size()) + " bytes more");
    archive_ = &archive;
    wanted_ = wanted;
    visit(pickle.root(), "", 0);
    return found_;
  }

 private:
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
    if (spelt_ > kLongestNames * (pickle_bytes_.size() + 256))
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

  /// ("storage", its type, key, device, number of elements).
  std::pair<Buffer, ElementKind> storage_of(const PickleValue& value, const std::string& where) {
    const bool tuple = value.is(PickleKind::kPersistent) && value.node->values[0].is(PickleKind::kTuple);
    if (!tuple) misfit(where, "a storage");
    const auto& parts = value.node->values[0].node->values;
    if (parts.size() != 5 || !parts[0].is(PickleKind::kText) || parts[0].view() != "storage" ||
        !parts[1].is(PickleKind::kName) || !parts[2].is(PickleKind::kText) ||
        !parts[3].is(PickleKind::kText) || !parts[4].is(PickleKind::kInteger))
      misfit(where, "a storage: its type, key, device and number of elements");
    const auto* kind = std::find_if(std::begin(kStorages), std::end(kStorages),
                                    [&](const StorageKind& k) { return k.name == parts[1].view(); });
    if (kind == std::end(kStorages))
      misfit(where, "a storage's type, found '" + std::string(parts[1].view()) + "'");
    const std::string path = folder_ + "data/" + std::string(parts[2].view());
    const auto member = members_.find(path);
    if (member == members_.end()) throw bad_data(where + ": its storage '" + path + "' is not in the file");
    std::uint64_t bytes = 0;
    if (parts[4].integer < 0 ||
        __builtin_mul_overflow(static_cast<std::uint64_t>(parts[4].integer), kind->elements.width, &bytes) ||
        bytes != member->second.size)
      throw bad_data(where + ": its storage '" + path + "' has " + std::to_string(member->second.size) +
                     " bytes, expected " + std::to_string(parts[4].integer) + " elements of " +
                     std::to_string(kind->elements.width));
    auto found = storages_.find(path);
    if (found == storages_.end()) {
      found = storages_.emplace(path, extract(file_, member->second, name_)).first;
      stored_ += bytes;
    }
    return {found->second, kind->elements};
  }

  const Buffer& file_;
  const std::string& name_;
  std::map<std::string, ZipMember> members_;
  std::string folder_;  ///< "NAME/"
  bool swap_ = false;
  Buffer pickle_bytes_;
  std::string pickle_name_;
  std::map<std::string, Buffer> storages_;
  Archive* archive_ = nullptr;
  const std::set<std::string>* wanted_ = nullptr;
  std::size_t found_ = 0;
  std::uint64_t spelt_ = 0, unfolded_ = 0, stored_ = 0;
};

}  // namespace

std::size_t read_torch_into(Archive& archive, const Buffer& file, const std::string& name,
                            const std::set<std::string>* wanted) {
  // The magic number that begins the older format, itself pickled.
  if (file.text().starts_with("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19."))
    throw bad_data(
        name +
        ": PyTorch's format before version 1.6 is not supported; torch.load and torch.save there give "
        "the newer one, a zip archive");
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
