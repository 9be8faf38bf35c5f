// SPDX-License-Identifier: Apache-2.0
#include "city/progress_file.hpp"

#include <charconv>
#include <fstream>

namespace bw::city {

Result<std::uint64_t> ProgressFile::load() const {
  std::ifstream in(file_);
  std::string line;
  if (!in || !std::getline(in, line)) return 0;
  const std::size_t space = line.rfind(' ');
  std::uint64_t done = 0;
  if (space == std::string::npos || line.substr(0, space) != work_) {
    return fail(ErrorCode::kConflict,
                "{}: tells of another city ({}), not of {}; choose another directory with --dir",
                file_.string(), line.substr(0, space), work_);
  }
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + space + 1, end, done);
  if (error == std::errc{} && stop == end) return done;
  return fail(ErrorCode::kCorrupt,
              "{}: is damaged; remove it, and the city is checked from its start", file_.string());
}

Result<void> ProgressFile::save(std::uint64_t done) const {
  const std::filesystem::path fresh = file_.string() + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << work_ << ' ' << done << '\n';
    out.close();
    if (!out)
      return fail(ErrorCode::kIo, "cannot write {}; check space and permissions", fresh.string());
  }
  std::error_code error;
  std::filesystem::rename(fresh, file_, error);
  if (!error) return {};
  return fail(ErrorCode::kIo, "cannot write {}: {}", file_.string(), error.message());
}

}  // namespace bw::city
