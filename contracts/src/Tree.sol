// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The tree of RFC 9162 over the entries: leaf = SHA256(0x00 || entry), node = SHA256(0x01 || left || right).
///
/// Stored are the number of entries and the peaks, the largest whole subtrees that they fall into, from left
/// to right: one for each 1 in the number. The root follows from the peaks, and is not stored: that would
/// cost each call a read of every peak. The peaks are a stack, so that a slot that is read for a merge is
/// written with the result, which saves a cold access.
library Tree {
    uint256 internal constant LEVELS = 40;

    struct Store {
        uint256 size;
        bytes32[LEVELS] peaks; // those behind the last are left over
    }

    /// hash() and append() work in 96 bytes of memory that scratch() prepared.
    function scratch(uint256 p) internal pure {
        assembly ("memory-safe") {
            mstore(p, 1)
        }
    }

    function hash(uint256 p, uint256 left, uint256 right) private view returns (uint256 node) {
        assembly ("memory-safe") {
            mstore(add(p, 32), left)
            mstore(add(p, 64), right)
            if iszero(staticcall(gas(), 2, add(p, 31), 65, 0, 32)) { revert(0, 0) }
            node := mload(0)
        }
    }

    /// Hash of the leaf for the entry at `ptr`; the byte before it is overwritten.
    function leaf(uint256 ptr, uint256 length) internal view returns (uint256 result) {
        assembly ("memory-safe") {
            mstore8(sub(ptr, 1), 0)
            if iszero(staticcall(gas(), 2, sub(ptr, 1), add(length, 1), 0, 32)) { revert(0, 0) }
            result := mload(0)
        }
    }

    /// Number of ones in a size: sums of 2, 4 and 8 bits, then of all bytes.
    function ones(uint256 size) internal pure returns (uint256 count) {
        assembly ("memory-safe") {
            count := sub(size, and(shr(1, size), 0x5555555555555555))
            count := add(and(count, 0x3333333333333333), and(shr(2, count), 0x3333333333333333))
            count := and(add(count, shr(4, count)), 0x0f0f0f0f0f0f0f0f)
            count := and(shr(56, mul(count, 0x0101010101010101)), 0xff)
        }
    }

    /// Adds entry number `size`, whose leaf is `current`. The stack ends at `top`; what of it was made since the
    /// store was written, from `low` on, stands in memory at `fresh` + 32 * index. Returns the new top and low.
    function append(Store storage store, uint256 size, uint256 current, uint256 fresh, uint256 p, uint256 top, uint256 low)
        internal
        view
        returns (uint256, uint256)
    {
        assembly ("memory-safe") {
            mstore(add(p, 64), current)
            for {} and(size, 1) { size := shr(1, size) } {
                top := sub(top, 1)
                switch lt(top, low)
                case 0 { mstore(add(p, 32), mload(add(fresh, shl(5, top)))) }
                default {
                    low := top
                    mstore(add(p, 32), sload(add(add(store.slot, 1), top)))
                }
                if iszero(staticcall(gas(), 2, add(p, 31), 65, add(p, 64), 32)) { revert(0, 0) }
            }
            mstore(add(fresh, shl(5, top)), mload(add(p, 64)))
            top := add(top, 1)
        }
        return (top, low);
    }

    /// Writes what append() left in memory.
    function save(Store storage store, uint256 size, uint256 fresh, uint256 top, uint256 low) internal {
        assembly ("memory-safe") {
            for {} lt(low, top) { low := add(low, 1) } {
                sstore(add(add(store.slot, 1), low), mload(add(fresh, shl(5, low))))
            }
            sstore(store.slot, size)
        }
    }

    /// Whether the path of `depth` hashes at `path` in memory shows that entry number `index` has the leaf
    /// `current`. The path is the RFC 9162 inclusion proof, as far as the peak above the entry.
    function includes(Store storage store, uint256 index, uint256 current, uint256 path, uint256 depth)
        internal
        view
        returns (bool)
    {
        unchecked {
            uint256 size = store.size;
            if (index >= size || depth >= LEVELS) return false;
            // The peak of `depth` levels covers the entry when all bits above agree, and the bit is its 1.
            if ((size >> depth) & 1 == 0 || (size >> depth) ^ 1 != index >> depth) return false;
            uint256 p;
            assembly ("memory-safe") {
                p := mload(0x40)
            }
            scratch(p);
            for (uint256 level; level < depth; ++level) {
                uint256 sibling;
                assembly ("memory-safe") {
                    sibling := mload(add(path, shl(5, level)))
                }
                current = (index >> level) & 1 == 1 ? hash(p, sibling, current) : hash(p, current, sibling);
            }
            return current == peak(store, ones(size >> depth) - 1);
        }
    }

    function root(Store storage store) internal view returns (bytes32) {
        unchecked {
            uint256 count = ones(store.size);
            if (count == 0) return sha256("");
            uint256 p;
            assembly ("memory-safe") {
                p := mload(0x40)
            }
            scratch(p);
            uint256 current = peak(store, --count);
            while (count != 0) current = hash(p, peak(store, --count), current);
            return bytes32(current);
        }
    }

    function peak(Store storage store, uint256 position) private view returns (uint256 value) {
        assembly ("memory-safe") {
            value := sload(add(add(store.slot, 1), position))
        }
    }
}
