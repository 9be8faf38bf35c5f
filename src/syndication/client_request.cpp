// SPDX-License-Identifier: Apache-2.0
#include "syndication/client_request.hpp"

#include <algorithm>

namespace bw::syndication {

void ClientRequests::add(const ClientRequestPtr& request) {
  request->handle = next_handle_++;
  by_id_.emplace(request->id, request);
  by_handle_.emplace(request->handle, request);
}

void ClientRequests::remove(const ClientRequest& request) {
  const RequestId id = request.id;  // the table may hold the last reference
  by_handle_.erase(request.handle);
  by_id_.erase(id);
}

ClientRequestPtr ClientRequests::find(const RequestId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

ClientRequestPtr ClientRequests::find(ClientSession::SubscriptionHandle handle) const {
  const auto found = by_handle_.find(handle);
  return found == by_handle_.end() ? nullptr : found->second;
}

std::vector<ClientRequestPtr> ClientRequests::all() const {
  std::vector<ClientRequestPtr> out;
  out.reserve(by_handle_.size());
  for (const auto& [handle, request] : by_handle_) out.push_back(request);
  std::ranges::sort(out, {}, &ClientRequest::handle);
  return out;
}

std::vector<ClientRequestPtr> ClientRequests::of_stream(std::uint64_t stream) const {
  std::vector<ClientRequestPtr> out = all();
  std::erase_if(out, [&](const ClientRequestPtr& request) { return request->id.stream != stream; });
  return out;
}

}  // namespace bw::syndication
