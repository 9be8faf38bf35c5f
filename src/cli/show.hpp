// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "wave/object.hpp"

namespace bw::cli {

// An object's fields, for people and programs alike.
Json describe(const wave::Object& object);
// The same as lines "field  value".
void print_fields(const Json& fields);
Json to_json(const google::protobuf::RepeatedPtrField<api::Hop>& path);
// "Kk3... -> P9a...  C*P on floor1/*  ttl 2  until 2027-..."
std::string hop_text(const api::Hop& hop);

// Verbs that stand in more than one group.
Verb show_verb(CLI::App& command);
Verb revoke_verb(CLI::App& command);

}  // namespace bw::cli
