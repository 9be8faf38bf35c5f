// SPDX-License-Identifier: Apache-2.0
#include "city/chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace bw::city {
namespace {

// Pixels of the view box.
constexpr double kWidth = 680;
constexpr double kHeight = 320;
constexpr double kLeft = 72;
constexpr double kRight = 560;
constexpr double kTop = 28;
constexpr double kBottom = 268;
constexpr double kLine = 15;
constexpr double kTicks = 6;
constexpr std::size_t kColours = 3;

// One axis: from values to pixels.
class Scale {
 public:
  Scale(double low, double high, double from, double to, bool log)
      : from_(from), to_(to), log_(log) {
    if (log) {
      low_ = std::floor(std::log10(low) + 1e-9);
      high_ = std::max(std::ceil(std::log10(high) - 1e-9), low_ + 1);
    } else {
      low_ = low;
      high_ = high > low ? high : low + 1;
    }
  }

  [[nodiscard]] double at(double value) const {
    const double shown = log_ ? std::log10(value) : value;
    return from_ + (shown - low_) / (high_ - low_) * (to_ - from_);
  }

  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> out;
    if (log_) {
      const bool few = high_ - low_ < 2.5;
      for (double power = low_; power <= high_ + 1e-9; ++power) {
        for (const double digit : {1.0, 2.0, 5.0}) {
          const double value = digit * std::pow(10, power);
          if ((digit == 1 || few) && std::log10(value) <= high_ + 1e-9) out.push_back(value);
        }
      }
      return out;
    }
    const double step = nice((high_ - low_) / kTicks);
    for (double i = std::ceil(low_ / step - 1e-9); i * step <= high_ + step * 1e-6; ++i) {
      out.push_back(i * step);
    }
    return out;
  }

 private:
  static double nice(double step) {
    const double power = std::pow(10, std::floor(std::log10(step)));
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (step <= digit * power) return digit * power;
    }
    return 10 * power;
  }

  double from_;
  double to_;
  bool log_;
  double low_;
  double high_;
};

struct Bounds {
  double low = std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::lowest();
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class Drawing {
 public:
  explicit Drawing(const Chart& chart)
      : chart_(chart), x_(horizontal(chart)), y_(vertical(chart)) {}

  std::string text() && {
    grid();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) series(i);
    for (const Mark& mark : chart_.marks) this->mark(mark);
    labels();
    titles();
    return std::move(out_);
  }

 private:
  static Scale horizontal(const Chart& chart) {
    Bounds bounds;
    for (const Series& one : chart.series) {
      for (const auto& [x, y] : one.points) bounds.take(x);
    }
    for (const Mark& mark : chart.marks) bounds.take(mark.x);
    const bool apart = chart.kind != Chart::Kind::kLines && !chart.x.log;
    const double margin = apart ? 0.5 : 0;
    return {bounds.low - margin, bounds.high + margin, kLeft, kRight, chart.x.log};
  }

  static Scale vertical(const Chart& chart) {
    Bounds bounds;
    for (const Series& one : chart.series) {
      for (const auto& [x, y] : one.points) bounds.take(y);
    }
    if (!chart.y.log) bounds.low = 0;
    return {bounds.low, bounds.high, kBottom, kTop, chart.y.log};
  }

  void grid() {
    for (const double value : y_.ticks()) {
      const double y = y_.at(value);
      out_ += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft,
                          kRight, y, y);
      words(kLeft - 8, y + 4, "end", number_text(value));
    }
    for (const double value : x_.ticks()) {
      words(x_.at(value), kBottom + 18, "middle", number_text(value));
    }
  }

  void series(std::size_t number) {
    const auto& points = chart_.series[number].points;
    const std::string colour = fmt::format("s{}", number % kColours);
    if (chart_.kind == Chart::Kind::kBars) return bars(points, colour);
    std::string path;
    for (const auto& [x, y] : points) path += fmt::format("{:.1f},{:.1f} ", x_.at(x), y_.at(y));
    out_ += fmt::format(R"(<polyline class="line {}" points="{}"/>)", colour, path);
    if (chart_.kind != Chart::Kind::kDots) return;
    for (const auto& [x, y] : points) {
      out_ += fmt::format(R"(<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="4"/>)", colour,
                          x_.at(x), y_.at(y));
    }
  }

  void bars(const std::vector<std::pair<double, double>>& points, const std::string& colour) {
    const double width = (x_.at(1) - x_.at(0)) * 0.8;
    for (const auto& [x, y] : points) {
      out_ += fmt::format(
          R"(<rect class="bar {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)", colour,
          x_.at(x) - width / 2, y_.at(y), width, kBottom - y_.at(y));
    }
  }

  void mark(const Mark& mark) {
    const double x = x_.at(mark.x);
    out_ += fmt::format(R"(<line class="mark" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)", x, x,
                        kTop, kBottom);
    // On the side that has more room.
    const bool left = x > (kLeft + kRight) / 2;
    words(left ? x - 5 : x + 5, kTop + kLine, left ? "end" : "start", mark.label);
  }

  // At the ends of their lines, moved apart where they would meet.
  void labels() {
    std::vector<std::pair<double, std::size_t>> ends;
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const auto& points = chart_.series[i].points;
      if (!points.empty()) ends.emplace_back(y_.at(points.back().second) + 4, i);
    }
    std::ranges::sort(ends);
    double lowest = 0;
    for (const auto& [y, i] : ends) {
      lowest = std::max(y, lowest + kLine);
      out_ += fmt::format(R"(<text class="label s{}" x="{}" y="{:.1f}">{}</text>)", i % kColours,
                          kRight + 8, lowest, escaped(chart_.series[i].label));
    }
  }

  void titles() {
    words((kLeft + kRight) / 2, kHeight - 12, "middle", chart_.x.title);
    words(8, 14, "start", chart_.y.title);
  }

  void words(double x, double y, const char* anchor, const std::string& text) {
    out_ += fmt::format(R"(<text class="text" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)", x,
                        y, anchor, escaped(text));
  }

  const Chart& chart_;
  Scale x_;
  Scale y_;
  std::string out_;
};

bool has_points(const Chart& chart) {
  return std::ranges::any_of(chart.series, [](const Series& one) { return !one.points.empty(); });
}

// What a logarithmic axis cannot show is left out.
Chart showable(Chart chart) {
  for (Series& one : chart.series) {
    std::erase_if(one.points, [&](const auto& point) {
      return !std::isfinite(point.first) || !std::isfinite(point.second) ||
             (chart.x.log && point.first <= 0) || (chart.y.log && point.second <= 0);
    });
  }
  std::erase_if(chart.marks, [&](const Mark& mark) { return chart.x.log && mark.x <= 0; });
  return chart;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') ? '?' : c;
    }
  }
  return out;
}

std::string number_text(double value) {
  const auto trimmed = [](double shown, const char* unit) {
    std::string digits = fmt::format("{:.3g}", shown);
    return digits + unit;
  };
  const double size = std::abs(value);
  if (size >= 999'500'000) return trimmed(value / 1e9, " G");
  if (size >= 999'500) return trimmed(value / 1e6, " M");
  if (size >= 9'995) return trimmed(value / 1e3, " k");
  if (size >= 999.5) return fmt::format("{:.0f}", value);
  return size < 1e-9 ? "0" : trimmed(value, "");
}

std::string count_text(std::uint64_t value) {
  std::string out = std::to_string(value);
  for (std::size_t i = out.size(); i > 3;) out.insert(i -= 3, ",");
  return out;
}

std::string svg(const Chart& chart) {
  const Chart shown = showable(chart);
  std::string out = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}">)",
      kWidth, kHeight, escaped(chart.title));
  out += has_points(shown)
             ? Drawing(shown).text()
             : fmt::format(R"(<text class="text" x="{}" y="{}">nothing to show</text>)", kLeft,
                           kHeight / 2);
  return out + "</svg>\n";
}

}  // namespace bw::city
