// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "store/authority_rows.hpp"

using namespace bw;

namespace {

template <class Row>
void check(std::string_view value) {
  const auto row = store::decode_row<Row>(value);
  if (row) {
    BW_ASSERT(store::encode(*row) == value);
  } else {
    BW_ASSERT(row.error().code == ErrorCode::kCorrupt);
  }
}

}  // namespace

// The value of a row of the authority index, for every kind of row: what is taken for one is
// written back byte for byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value = as_text({data, size});
  check<store::EntityRow>(value);
  check<store::DotRow>(value);
  check<store::OfferRow>(value);
  check<store::AcceptanceRow>(value);
  check<store::TextRow>(value);
  check<store::NumberRow>(value);
  check<store::MetaRow>(value);
  return 0;
}
