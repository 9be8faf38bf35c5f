// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Rules.sol";
import {Admission} from "./Admission.sol";
import {Affinity} from "./Affinity.sol";
import {Alias} from "./Alias.sol";
import {Authorization} from "./Authorization.sol";
import {Codec} from "./Codec.sol";
import {Tree} from "./Tree.sol";

/// The ledger: takes signed objects of every kind, in the order of the chain, from anybody. Nobody owns it,
/// nothing can change it, and it takes no money.
///
/// Entries come as packed calldata without a selector, because each byte of padding would cost gas:
///   call = how u8 (1: all or none, 2: each for itself), item...
///   item = length u16, object, y 32 (even y of the signature's R), and for a revocation: length u16, evidence
contract Registry is Admission, Authorization {
    using Tree for Tree.Store;

    /// The entries that a call added. No topics, which would cost, and data that is not of the ABI:
    /// index of the first u40, (length u16, object)...
    event Entries() anonymous;
    /// An item (counted from 0) of a call of each for itself that broke a rule, by the error's selector.
    event Rejected(uint256 indexed item, bytes4 rule);

    uint256 private constant ALL_OR_NONE = 1;
    uint256 private constant EACH = 2;

    // Working memory, from where free memory begins.
    uint256 private constant FRESH = 96; // Tree.SCRATCH
    uint256 private constant FREE = 1376; // FRESH + 32 * Tree.LEVELS
    uint256 private constant EVIDENCE = 1664; // FREE + 288
    uint256 private constant ENTRY = 1888; // EVIDENCE + 160 + 64 for the tags
    // In Admission.Evidence.
    uint256 private constant DOT_PTR = 96;
    uint256 private constant DOT_ID = 128;

    constructor() {
        // In the order of the numbers in Child.
        new Alias();
        new Affinity();
    }

    fallback() external {
        unchecked {
            uint256 how = word(0) >> 248;
            if (how != ALL_OR_NONE && how != EACH) revert BadFraming();
            uint256 base;
            Admission.Evidence memory evidence;
            assembly ("memory-safe") {
                base := mload(0x40)
                // Allocated by hand: memory is zero here.
                evidence := add(base, EVIDENCE)
            }
            Tree.scratch(base);
            uint256 first = tree.size;
            if (first >> 39 != 0) revert TreeFull();
            uint256 size = first;
            uint256 top = Tree.ones(first);
            uint256 low = top;
            uint256 log = base + ENTRY + 32 + (msg.data.length < Codec.MOST_BYTES ? msg.data.length : Codec.MOST_BYTES);
            uint256 end = log + 5;
            uint256 item;
            for (uint256 cursor = 1; cursor < msg.data.length; ++item) {
                uint256 object = cursor + 2;
                uint256 kind = word(cursor);
                uint256 length = kind >> 240;
                kind = (kind >> 232) & 0xff;
                cursor = object + length + 32;
                // The kind says whether there is evidence, be the object well formed or not.
                if (kind == Codec.REVOCATION) cursor = take(evidence, cursor, end);
                if (length == 0 || cursor > msg.data.length) revert BadFraming();
                bytes4 rule;
                uint256 id;
                if (length > Codec.MOST_BYTES) {
                    rule = TooLong.selector;
                } else {
                    assembly ("memory-safe") {
                        // What calls of other contracts allocated is free again.
                        mstore(0x40, add(base, FREE))
                        calldatacopy(add(base, ENTRY), object, length)
                    }
                    (id, rule) = judge(base + ENTRY, length, kind, word(object + length));
                    if (rule == 0) {
                        rule = kind == Codec.DOT ? admitDot(base + ENTRY) : admit(base + ENTRY, kind, evidence);
                    }
                }
                if (rule == 0) {
                    (top, low) =
                        tree.append(size, Tree.leaf(base + ENTRY, length), base + FRESH, base, top, low);
                    ++size;
                    assembly ("memory-safe") {
                        mstore(end, shl(240, length))
                        end := add(end, 2)
                        calldatacopy(end, object, length)
                        if eq(kind, 2) {
                            mstore(add(evidence, DOT_PTR), end)
                            mstore(add(evidence, DOT_ID), id)
                        }
                        end := add(end, length)
                    }
                } else if (how == EACH) {
                    emit Rejected(item, rule);
                } else {
                    assembly ("memory-safe") {
                        mstore(0, rule)
                        revert(0, 4)
                    }
                }
            }
            if (size == first) return;
            tree.save(size, base + FRESH, top, low);
            assembly ("memory-safe") {
                // The first entry's length follows the index at once, so the word is put together.
                mstore(log, or(shl(216, first), shr(40, mload(add(log, 5)))))
                log0(log, sub(end, log))
            }
        }
    }

    /// Notes the evidence at `ptr` and returns where the next item begins.
    function take(Admission.Evidence memory evidence, uint256 ptr, uint256 end) private pure returns (uint256) {
        unchecked {
            evidence.ptr = ptr + 2;
            evidence.length = word(ptr) >> 240;
            evidence.room = end + 64;
            return ptr + 2 + evidence.length;
        }
    }

    /// Whether the object is canonical and signed by whom it says, and its id.
    function judge(uint256 ptr, uint256 length, uint256 kind, uint256 y) private view returns (uint256 id, bytes4 rule) {
        rule = Codec.check(ptr, length);
        if (rule == 0) (id, rule) = Codec.verify(ptr, length, Codec.tagOf(kind), y);
    }

    function word(uint256 ptr) private pure returns (uint256 result) {
        assembly ("memory-safe") {
            result := calldataload(ptr)
        }
    }
}
