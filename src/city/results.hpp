// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace bw::city {

using Json = nlohmann::ordered_json;

// What the verbs of a city found out, one JSON file each in its directory, for the report.
class Results {
 public:
  explicit Results(const std::filesystem::path& city) : directory_(city / "results") {}
  // Replaces what an earlier run found, as a whole.
  Result<void> save(const std::string& verb, const Json& found) const;
  // null when that verb has not run.
  [[nodiscard]] Result<Json> load(const std::string& verb) const;

 private:
  [[nodiscard]] std::filesystem::path file(const std::string& verb) const {
    return directory_ / (verb + ".json");
  }
  std::filesystem::path directory_;
};

// Members of what was found, whatever it is: nothing, or an empty array, when they are not there or
// not of this type.
std::optional<double> number(const Json& from, const char* name);
Json list(const Json& from, const char* name);

}  // namespace bw::city
