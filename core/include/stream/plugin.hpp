/// The library boundary: one extern "C" descriptor; C++ begins behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stream/environment.hpp"
#include "stream/operator.hpp"

namespace stream {

/// Raised whenever a public header changes in a way that old plugins would not survive.
inline constexpr std::uint32_t kApiVersion = 2;

struct OperatorEntry {
  Spec spec;
  std::unique_ptr<Operator> (*make)(const Params&);
};

/// What `extern "C" stream_plugin` points to. Plain C layout up to `operators`; fields are only ever
/// appended.
struct PluginDescriptor {
  char magic[8];       ///< "STREAMPL"
  std::uint32_t size;  ///< sizeof(PluginDescriptor) of the SDK that built it
  std::uint32_t api_version;
  const char* compiler;  ///< "gcc 12" or "clang 14": major version
  const char* stdlib;    ///< "libstdc++ cxx11" ...
  const char* name;
  const char* version;
  const char* licence;  ///< SPDX identifier
  void (*operators)(std::vector<OperatorEntry>& out);
  /// Plugins built before there were environments end here: look at `size` first.
  void (*environments)(std::vector<EnvironmentEntry>& out) = nullptr;
};

namespace plugin_detail {
#if defined(__clang__)
#define STREAM_COMPILER_NAME "clang"
#define STREAM_COMPILER_MAJOR __clang_major__
#else
#define STREAM_COMPILER_NAME "gcc"
#define STREAM_COMPILER_MAJOR __GNUC__
#endif
#define STREAM_STRINGIFY_(x) #x
#define STREAM_STRINGIFY(x) STREAM_STRINGIFY_(x)
inline constexpr const char* kCompiler = STREAM_COMPILER_NAME " " STREAM_STRINGIFY(STREAM_COMPILER_MAJOR);
#if defined(_LIBCPP_VERSION)
inline constexpr const char* kStdlib = "libc++";
#elif defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
inline constexpr const char* kStdlib = "libstdc++ cxx11";
#else
inline constexpr const char* kStdlib = "libstdc++ old-abi";
#endif

template <typename Op>
OperatorEntry entry() {
  return {Op::spec(), [](const Params& params) -> std::unique_ptr<Operator> {
            if constexpr (std::is_constructible_v<Op, const Params&>)
              return std::make_unique<Op>(params);
            else
              return std::make_unique<Op>();
          }};
}
template <typename Env>
EnvironmentEntry environment_entry() {
  return {Env::spec(), Env::spaces(Params(Env::spec(), {})),
          [](const Params& params) -> std::unique_ptr<Environment> { return std::make_unique<Env>(params); }};
}
template <typename Part>
void append(std::vector<OperatorEntry>& out) {
  if constexpr (!std::is_base_of_v<Environment, Part>) out.push_back(entry<Part>());
}
template <typename Part>
void append(std::vector<EnvironmentEntry>& out) {
  if constexpr (std::is_base_of_v<Environment, Part>) out.push_back(environment_entry<Part>());
}
template <typename... Parts>
void entries(std::vector<OperatorEntry>& out) {
  (append<Parts>(out), ...);
}
template <typename... Parts>
void environments(std::vector<EnvironmentEntry>& out) {
  (append<Parts>(out), ...);
}
}  // namespace plugin_detail

#ifndef STREAM_PLUGIN_VERSION
#define STREAM_PLUGIN_VERSION "0.1.0"
#endif
#ifndef STREAM_PLUGIN_LICENCE
#define STREAM_PLUGIN_LICENCE "Apache-2.0"
#endif

/// `STREAM_PLUGIN("audio-basics", Gain, Mix)`: once in each library, at namespace scope; operators and
/// environments in any order. Version and licence
/// come from `stream_add_plugin(... VERSION x.y.z LICENCE spdx-id)`.
#define STREAM_PLUGIN(NAME, ...)                                                                    \
  extern "C" __attribute__((visibility("default")))                                                 \
  const ::stream::PluginDescriptor stream_plugin = {{'S', 'T', 'R', 'E', 'A', 'M', 'P', 'L'},       \
                                                    sizeof(::stream::PluginDescriptor),             \
                                                    ::stream::kApiVersion,                          \
                                                    ::stream::plugin_detail::kCompiler,             \
                                                    ::stream::plugin_detail::kStdlib,               \
                                                    NAME,                                           \
                                                    STREAM_PLUGIN_VERSION,                          \
                                                    STREAM_PLUGIN_LICENCE,                          \
                                                    &::stream::plugin_detail::entries<__VA_ARGS__>, \
                                                    &::stream::plugin_detail::environments<__VA_ARGS__>}

}  // namespace stream
