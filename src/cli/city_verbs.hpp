// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/app.hpp"

namespace bw::cli {

std::filesystem::path city_directory(const App& app);
// bw city run
Verb city_run_options(CLI::App& command);

}  // namespace bw::cli
