/// The page of one operator, from its spec: for people, and as a man page in scdoc's markup.
#pragma once

#include <string>

#include "registry/registry.hpp"

namespace stream::cli {

std::string operator_page(const OperatorInfo& info);
std::string operator_man_page(const OperatorInfo& info);
Value operator_value(const OperatorInfo& info);

}  // namespace stream::cli
