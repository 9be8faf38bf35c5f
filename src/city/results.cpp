// SPDX-License-Identifier: Apache-2.0
#include "city/results.hpp"

#include <fstream>

namespace bw::city {

Result<void> Results::save(const std::string& verb, const Json& found) const {
  const std::filesystem::path fresh = file(verb).string() + ".new";
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  std::ofstream out(fresh, std::ios::trunc);
  out << found.dump(1) << '\n';
  out.close();
  if (out) std::filesystem::rename(fresh, file(verb), error);
  if (out && !error) return {};
  return fail(ErrorCode::kIo, "cannot write {}; check space and permissions", file(verb).string());
}

Result<Json> Results::load(const std::string& verb) const {
  std::ifstream in(file(verb));
  if (!in) return Json();
  Json found = Json::parse(in, nullptr, false);
  if (found.is_object()) return found;
  return fail(ErrorCode::kCorrupt, "{}: is damaged; run bw city {} once more", file(verb).string(),
              verb);
}

std::optional<double> number(const Json& from, const char* name) {
  if (!from.is_object() || !from.contains(name) || !from[name].is_number()) return std::nullopt;
  return from[name].get<double>();
}

Json list(const Json& from, const char* name) {
  const bool there = from.is_object() && from.contains(name) && from[name].is_array();
  return there ? from[name] : Json::array();
}

}  // namespace bw::city
