// SPDX-License-Identifier: Apache-2.0
// bench_idle SOCKET AS NAMESPACE COUNT: an application with COUNT subscriptions at the agent's API.
// Says "ready" when all stand, ends with its standard input.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "client/client.hpp"

namespace bw::bench {
namespace {

int run(const std::vector<std::string>& args) {
  if (args.size() != 4) {
    std::cerr << "usage: bench_idle SOCKET AS NAMESPACE COUNT" << std::endl;
    return 2;
  }
  auto client = client::Client::connect({"unix:" + args[0], ""}, std::chrono::seconds(10));
  if (!client) {
    std::cerr << client.error().message << std::endl;
    return 1;
  }
  const int count = std::atoi(args[3].c_str());
  std::atomic<int> standing = 0;
  std::vector<std::jthread> subscriptions;
  for (int i = 0; i < count; ++i) {
    subscriptions.emplace_back([&, i] {
      client::api::SubscribeRequest request;
      request.set_as(args[1]);
      request.set_uri(args[2] + "/idle/" + std::to_string(i));
      const auto heard = [&](const client::api::DeliveryFrame& frame) {
        const bool stands = frame.event().starts_with("standing");
        if (stands && ++standing == count) std::cout << "ready" << std::endl;
        return true;
      };
      const auto ended = (*client)->subscribe(request, heard);
      if (!ended) std::cerr << ended.error().message << std::endl;
    });
  }
  while (std::getchar() != EOF) {
  }
  (*client)->cancel();
  return 0;
}

}  // namespace
}  // namespace bw::bench

int main(int count, char** values) {
  return bw::bench::run({values + 1, values + count});
}
