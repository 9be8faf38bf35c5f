// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include "base/result.hpp"

namespace bw::syndication {

// Hears what became of values, by the numbers that they were sent with.
class OutcomeListener {
 public:
  virtual ~OutcomeListener() = default;
  virtual void settled(std::size_t number, Result<void> outcome) = 0;
};

// Where the outcome of one value goes. Values that share a listener cost no allocation each.
class Done {
 public:
  Done() = default;
  Done(std::shared_ptr<OutcomeListener> listener, std::size_t number)
      : listener_(std::move(listener)), number_(number) {}
  // For whoever sends few. An empty function hears nothing.
  template <std::invocable<Result<void>> F>
  Done(F function) {
    std::function<void(Result<void>)> wrapped(std::move(function));
    if (wrapped) listener_ = std::make_shared<Function>(std::move(wrapped));
  }

  explicit operator bool() const { return listener_ != nullptr; }
  void operator()(Result<void> outcome) const { listener_->settled(number_, std::move(outcome)); }

 private:
  struct Function final : OutcomeListener {
    explicit Function(std::function<void(Result<void>)> f) : function(std::move(f)) {}
    void settled(std::size_t, Result<void> outcome) override { function(std::move(outcome)); }
    std::function<void(Result<void>)> function;
  };

  std::shared_ptr<OutcomeListener> listener_;
  std::size_t number_ = 0;
};

}  // namespace bw::syndication
