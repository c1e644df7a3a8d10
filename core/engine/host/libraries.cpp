/// The libraries that are loaded when first needed, from the folder that libstream itself lies in.
#include <dlfcn.h>

#include <string>

#include "check/check.hpp"
#include "engine/engine.hpp"
#include "hdf5/archive_library.hpp"
#include "import/model_importer.hpp"
#include "logging/log_library.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

/// Folder of libstream, with a slash behind it; empty when the program was linked in some way that hides it
/// (the loader's search path decides then).
std::string own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&prepare_process), &info) == 0 || info.dli_fname == nullptr)
    return {};
  const std::string path = info.dli_fname;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

/// Never unloaded: what these libraries bring (thread pools, registries) does not survive it.
void* symbol_of(const char* library, const char* symbol) {
  const std::string path = own_folder() + library;
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    // dlerror names the file.
    throw failed(std::string(dlerror()) + " (is the installation complete? 'stream doctor' checks it)");
  }
  void* found = dlsym(handle, symbol);
  if (found == nullptr) {
    throw failed(path + " has no " + symbol + ": it belongs to another version of stream; install both anew");
  }
  return found;
}

}  // namespace

Engine::~Engine() = default;

Engine& engine() {
  using Entry = Engine* (*)();
  static Engine* const instance =
      reinterpret_cast<Entry>(symbol_of("libstream-engine.so", "stream_engine"))();
  return *instance;
}

const LogLibrary& log_library() {
  using Entry = const LogLibrary* (*)();
  static const LogLibrary* const instance =
      reinterpret_cast<Entry>(symbol_of("libstream-log.so", "stream_log_library"))();
  return *instance;
}

const ArchiveLibrary& archive_library() {
  using Entry = const ArchiveLibrary* (*)();
  static const ArchiveLibrary* const instance =
      reinterpret_cast<Entry>(symbol_of("libstream-hdf5.so", "stream_archive_library"))();
  return *instance;
}

const ModelImporter& model_importer() {
  using Entry = const ModelImporter* (*)();
  static const ModelImporter* const instance =
      reinterpret_cast<Entry>(symbol_of("libstream-import.so", "stream_model_importer"))();
  return *instance;
}

namespace laws {

Checker::~Checker() = default;

Checker& checker() {
  using Entry = Checker* (*)();
  static Checker* const instance =
      reinterpret_cast<Entry>(symbol_of("libstream-check.so", "stream_checker"))();
  return *instance;
}

}  // namespace laws
}  // namespace stream
