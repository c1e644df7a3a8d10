/// stream-manifest LIBRARY MANIFEST: loads a plugin once, at build time, and writes down what it offers.
#include <dlfcn.h>

#include <cstdio>
#include <exception>

#include "registry/manifest.hpp"
#include "stream/file.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: stream-manifest LIBRARY MANIFEST\n");
    return 2;
  }
  try {
    void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) throw stream::bad_recipe(dlerror());
    const auto* plugin = static_cast<const stream::PluginDescriptor*>(dlsym(library, "stream_plugin"));
    if (!plugin) throw stream::bad_recipe("has no symbol 'stream_plugin' (is STREAM_PLUGIN missing in it?)");
    stream::write_atomically(argv[2], stream::manifest_of(*plugin, argv[1]).dump(1) + "\n");
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "stream-manifest: %s: %s\n", argv[1], e.what());
    return 1;
  }
}
