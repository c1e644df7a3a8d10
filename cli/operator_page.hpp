/// The page of one operator or environment, from its spec: for people, and as a man page in scdoc's markup.
#pragma once

#include <string>

#include "registry/registry.hpp"

namespace stream::cli {

std::string operator_page(const OperatorInfo& info);
std::string operator_man_page(const OperatorInfo& info);
Value operator_value(const OperatorInfo& info);

std::string environment_page(const EnvironmentInfo& info);
Value environment_value(const EnvironmentInfo& info);

}  // namespace stream::cli
