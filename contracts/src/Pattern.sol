// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// covers() of src/wave/pattern.hpp over patterns in memory that Text.isPattern() passed.
library Pattern {
    uint256 private constant SLASH = 0x2f;
    uint256 private constant PLUS = 0x2b;
    uint256 private constant STAR = 0x2a;

    /// A part of a text: `length` bytes at `ptr`.
    struct Slice {
        uint256 ptr;
        uint256 length;
    }

    /// Whether every URI that matches `narrow` matches `wide` too.
    function covers(Slice memory wide, Slice memory narrow) internal pure returns (bool) {
        unchecked {
            (uint256 wideCells, bool wideStar) = count(wide);
            (uint256 cells, bool star) = count(narrow);
            if (!wideStar) return !star && wideCells == cells && endCovers(wide, narrow, false);
            uint256 fixedCells = star ? cells - 1 : cells;
            // A URI has at least one cell, so that "+/*" covers "*".
            if (fixedCells == 0) fixedCells = 1;
            return fixedCells >= wideCells - 1 && endCovers(wide, narrow, false) && endCovers(wide, narrow, true);
        }
    }

    /// Compares the cells of `wide` up to its * (or all) with those of `narrow`, from the front or the back.
    /// Where `narrow` has reached its own *, anything can stand, which only + covers.
    function endCovers(Slice memory wide, Slice memory narrow, bool back) private pure returns (bool) {
        Slice memory rest = Slice(wide.ptr, wide.length);
        Slice memory otherRest = Slice(narrow.ptr, narrow.length);
        Slice memory other;
        while (rest.length != 0) {
            Slice memory cell = take(rest, back);
            if (is_(cell, STAR)) return true;
            if (!is_(other, STAR)) other = take(otherRest, back);
            if (!is_(cell, PLUS) && !same(cell, other)) return false;
        }
        return true;
    }

    /// Cuts the first or last cell off; an empty one from an empty rest.
    function take(Slice memory rest, bool back) private pure returns (Slice memory cell) {
        unchecked {
            uint256 length;
            while (length < rest.length && byteAt(back ? rest.ptr + rest.length - 1 - length : rest.ptr + length) != SLASH) {
                ++length;
            }
            uint256 cut = length < rest.length ? length + 1 : length;
            cell = Slice(back ? rest.ptr + rest.length - length : rest.ptr, length);
            rest.length -= cut;
            if (!back) rest.ptr += cut;
        }
    }

    function count(Slice memory text) private pure returns (uint256 cells, bool star) {
        unchecked {
            cells = 1;
            for (uint256 i; i < text.length; ++i) {
                uint256 one = byteAt(text.ptr + i);
                if (one == SLASH) ++cells;
                if (one == STAR) star = true;
            }
        }
    }

    function is_(Slice memory cell, uint256 wildcard) private pure returns (bool) {
        return cell.length == 1 && byteAt(cell.ptr) == wildcard;
    }

    function same(Slice memory a, Slice memory b) private pure returns (bool equal) {
        if (a.length != b.length) return false;
        assembly ("memory-safe") {
            equal := eq(keccak256(mload(a), mload(add(a, 32))), keccak256(mload(b), mload(add(b, 32))))
        }
    }

    function byteAt(uint256 ptr) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(ptr))
        }
    }
}
