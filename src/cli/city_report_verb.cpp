// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "city/report.hpp"
#include "cli/city_verbs.hpp"

namespace bw::cli {
namespace {

Result<void> write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::trunc);
  out << text;
  out.close();
  if (out) return {};
  return fail(ErrorCode::kIo, "cannot write {}; check space and permissions", file.string());
}

Result<void> report_city(App& app) {
  const std::filesystem::path directory = city_directory(app);
  const city::Results results(directory);
  city::Findings findings;
  BW_TRY(findings.build, results.load("build"));
  BW_TRY(findings.check, results.load("check"));
  BW_TRY(findings.run, results.load("run"));
  BW_TRY(findings.attacked, results.load("attacked"));
  BW_TRY(findings.participants, results.load("participants"));
  BW_TRY(findings.capacity, results.load("capacity"));
  const Json report = city::report_json(findings);
  BW_CHECK(write_text(directory / "report.json", report.dump(1) + "\n"));
  BW_CHECK(write_text(directory / "report.html", city::report_html(report)));
  if (app.json) return print_json(report), Result<void>{};
  print_line((directory / "report.html").string());
  for (const auto& gap : report["not_measured"]) {
    print_line(fmt::format("not measured: {}; {} does", gap["what"].get<std::string>(),
                           gap["command"].get<std::string>()));
  }
  return {};
}

}  // namespace

Verb city_report_options(CLI::App&) {
  return [](App& app) { return report_city(app); };
}

}  // namespace bw::cli
