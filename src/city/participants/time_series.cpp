// SPDX-License-Identifier: Apache-2.0
#include "city/participants/time_series.hpp"

#include <string>
#include <type_traits>

#include <sqlite3.h>

namespace bw::city {
namespace {

constexpr const char* kTables = R"(
PRAGMA journal_mode = WAL;
CREATE TABLE participant(id INTEGER PRIMARY KEY, role TEXT NOT NULL, home INTEGER NOT NULL,
  access TEXT NOT NULL, up_bits_per_s REAL NOT NULL, down_bits_per_s REAL NOT NULL,
  up_delay_us INTEGER NOT NULL, down_delay_us INTEGER NOT NULL,
  up_jitter_us INTEGER NOT NULL, down_jitter_us INTEGER NOT NULL,
  up_loss REAL NOT NULL, down_loss REAL NOT NULL);
CREATE TABLE sample(s REAL NOT NULL, phase INTEGER NOT NULL, participant INTEGER NOT NULL,
  cpu_s REAL NOT NULL, rss_bytes INTEGER NOT NULL, up_bytes INTEGER NOT NULL,
  down_bytes INTEGER NOT NULL);
CREATE TABLE message(s REAL NOT NULL, phase INTEGER NOT NULL, sender INTEGER NOT NULL,
  receiver INTEGER NOT NULL, latency_us REAL NOT NULL);
BEGIN;
)";
constexpr const char* kParticipant = "INSERT INTO participant VALUES(?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* kSample = "INSERT INTO sample VALUES(?,?,?,?,?,?,?)";
constexpr const char* kMessage = "INSERT INTO message VALUES(?,?,?,?,?)";

struct CloseStatement {
  void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;
struct CloseDatabase {
  void operator()(sqlite3* database) const { ::sqlite3_close(database); }
};

template <class T>
int bind(sqlite3_stmt* statement, int place, const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    return ::sqlite3_bind_double(statement, place, value);
  } else if constexpr (std::is_integral_v<T>) {
    return ::sqlite3_bind_int64(statement, place, static_cast<sqlite3_int64>(value));
  } else {
    return ::sqlite3_bind_text(statement, place, value.data(), static_cast<int>(value.size()),
                               SQLITE_TRANSIENT);
  }
}

}  // namespace

struct TimeSeries::Impl {
  std::filesystem::path file;
  std::unique_ptr<sqlite3, CloseDatabase> database;
  Statement participant;
  Statement sample;
  Statement message;

  [[nodiscard]] tl::unexpected<Error> failed() const {
    return fail(ErrorCode::kIo, "{}: {}", file.string(), ::sqlite3_errmsg(database.get()));
  }
  Result<void> execute(const char* sql) const {
    if (::sqlite3_exec(database.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return failed();
  }
  Result<void> prepare(const char* sql, Statement& statement) const {
    sqlite3_stmt* made = nullptr;
    const int done = ::sqlite3_prepare_v2(database.get(), sql, -1, &made, nullptr);
    statement.reset(made);
    if (done == SQLITE_OK) return {};
    return failed();
  }
  template <class... Values>
  Result<void> insert(const Statement& statement, const Values&... values) const {
    int place = 0;
    const bool bound = ((bind(statement.get(), ++place, values) == SQLITE_OK) && ...);
    const bool stepped = bound && ::sqlite3_step(statement.get()) == SQLITE_DONE;
    ::sqlite3_reset(statement.get());
    if (stepped) return {};
    return failed();
  }
};

TimeSeries::TimeSeries(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TimeSeries::~TimeSeries() {
  // Whoever did not commit has been told of an error already.
  ::sqlite3_exec(impl_->database.get(), "COMMIT", nullptr, nullptr, nullptr);
}

Result<std::unique_ptr<TimeSeries>> TimeSeries::create(const std::filesystem::path& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(file.string() + suffix, ignored);
  }
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  sqlite3* made = nullptr;
  const int opened = ::sqlite3_open(file.c_str(), &made);
  impl->database.reset(made);
  if (opened != SQLITE_OK) return impl->failed();
  BW_CHECK(impl->execute(kTables));
  BW_CHECK(impl->prepare(kParticipant, impl->participant));
  BW_CHECK(impl->prepare(kSample, impl->sample));
  BW_CHECK(impl->prepare(kMessage, impl->message));
  return std::unique_ptr<TimeSeries>(new TimeSeries(std::move(impl)));
}

Result<void> TimeSeries::participant(std::size_t id, std::string_view role, std::uint32_t home,
                                     const link::Access& access) {
  const auto& [name, up, down] = access;
  return impl_->insert(impl_->participant, id, role, home, name, up.bits_per_s, down.bits_per_s,
                       up.delay.count(), down.delay.count(), up.jitter.count(), down.jitter.count(),
                       up.loss, down.loss);
}

Result<void> TimeSeries::sample(const Sample& sample) {
  return impl_->insert(impl_->sample, sample.s, sample.phase, sample.participant, sample.use.cpu_s,
                       sample.use.rss_bytes, sample.use.up_bytes, sample.use.down_bytes);
}

Result<void> TimeSeries::message(double s, int phase, std::size_t sender, std::size_t receiver,
                                 double latency_us) {
  return impl_->insert(impl_->message, s, phase, sender, receiver, latency_us);
}

Result<void> TimeSeries::commit() {
  return impl_->execute("COMMIT; BEGIN");
}

}  // namespace bw::city
