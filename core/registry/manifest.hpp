/// What a plugin writes down about itself, NAME.plugin.json beside its library. Names and summaries are read
/// when a folder is scanned, specs when somebody asks for one: the program that lists a hundred operators
/// starts in a millisecond or two.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stream/plugin.hpp"

namespace stream {

struct Manifest {
  struct Listed {
    std::string name, summary;
  };
  std::int64_t api_version = 0;
  std::string name, version, licence;
  std::string library;  ///< a file's name
  std::vector<Listed> operators, environments;
};

/// Throws Error(kBadData) for what is not JSON throughout, and for what is missing of the above.
Manifest parse_manifest(std::string_view json);

/// What Manifest leaves out, in its order.
struct ManifestSpecs {
  std::vector<Spec> operators, environments;
  std::vector<Spaces> spaces;  ///< of the environments
};

/// Throws Error(kBadData) that names the operator or environment.
ManifestSpecs parse_manifest_specs(std::string_view json);

/// Refuses what was built for another host, with what to do about it; `path` begins the message.
void check_fit(const PluginDescriptor& plugin, const std::string& path);
std::vector<OperatorEntry> operators_in(const PluginDescriptor& plugin);
std::vector<EnvironmentEntry> environments_in(const PluginDescriptor& plugin);

/// The manifest of a plugin as JSON.
Value manifest_of(const PluginDescriptor& plugin, const std::string& library_file);

}  // namespace stream
