// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "city/results.hpp"

// The parts of the report's page about a run with participants; how to make one where there was
// none. Pure.
namespace bw::city {

std::string participants_html(const Json& report);
std::string attack_html(const Json& report);

}  // namespace bw::city
