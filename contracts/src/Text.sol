// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Rules for texts in memory, most of them 32 bytes at a time: a flag is the high bit of a byte of a word,
/// and moves to the next byte by a shift right by 8. Reads, but does not judge, up to 31 bytes behind a text.
library Text {
    uint256 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant HIGH = 0x8080808080808080808080808080808080808080808080808080808080808080;

    uint256 private constant MOST_PATTERN_BYTES = 512;

    /// Flags of the first `length` bytes, up to 32 of them.
    function within(uint256 length) private pure returns (uint256 flags) {
        assembly ("memory-safe") {
            flags := HIGH
            if lt(length, 32) { flags := and(HIGH, not(shr(shl(3, length), not(0)))) }
        }
    }

    /// Flags of the bytes that are >= `least` (1..128); `low` has no high bits.
    function from(uint256 low, uint256 least) private pure returns (uint256 flags) {
        assembly ("memory-safe") {
            flags := add(low, mul(sub(0x80, least), ONES))
        }
    }

    function equal(uint256 low, uint256 byte_) private pure returns (uint256 flags) {
        assembly ("memory-safe") {
            flags := not(add(xor(low, mul(byte_, ONES)), sub(HIGH, ONES)))
        }
    }

    /// UTF-8 without control characters (C0, DEL).
    function isText(uint256 ptr, uint256 length) internal pure returns (bool) {
        unchecked {
            uint256 done;
            while (done < length) {
                uint256 word = load(ptr + done);
                uint256 inside = within(length - done);
                if (word & inside != 0) return isUtf8(ptr, length);
                uint256 low = word & ~HIGH;
                if ((~from(low, 0x20) | equal(low, 0x7f)) & inside != 0) return false;
                done += 32;
            }
            return true;
        }
    }

    function isUtf8(uint256 ptr, uint256 length) private pure returns (bool) {
        unchecked {
            uint256 end = ptr + length;
            while (ptr < end) {
                uint256 word = load(ptr);
                uint256 first = word >> 248;
                if (first < 0x20 || first == 0x7f) return false;
                uint256 bytes_ = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
                if (first >= 0x80) {
                    if (first < 0xc2 || first > 0xf4 || ptr + bytes_ > end) return false;
                    uint256 point = first & (0x7f >> bytes_);
                    for (uint256 i = 1; i < bytes_; ++i) {
                        uint256 next = (word >> (248 - 8 * i)) & 0xff;
                        if (next & 0xc0 != 0x80) return false;
                        point = (point << 6) | (next & 0x3f);
                    }
                    if (bytes_ == 3 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return false;
                    if (bytes_ == 4 && (point < 0x10000 || point > 0x10ffff)) return false;
                }
                ptr += bytes_;
            }
            return true;
        }
    }

    /// The grammar of docs/formats.md and src/wave/pattern.hpp.
    function isPattern(uint256 ptr, uint256 length) internal pure returns (bool) {
        unchecked {
            // Counted over the words: slashes, and from bits 64 and 128 on words with a * and with a !.
            uint256 counts;
            // Flags of the byte before the word, at the place of its first byte: before all stands, as it
            // were, a slash.
            uint256 slash = 1 << 255;
            uint256 wild;
            uint256 bang;
            if (length - 1 > MOST_PATTERN_BYTES - 1) return false;
            for (;;) {
                uint256 inside = within(length);
                uint256 low = load(ptr);
                // Too high for a character.
                uint256 wrong = low;
                low &= ~HIGH;
                uint256 nextBang = equal(low, 0x21);
                {
                    uint256 folded = low | (0x20 * ONES);
                    wrong |= ~((from(folded, 0x61) & ~from(folded, 0x7b)) | (from(low, 0x28) & ~from(low, 0x3a))
                        | equal(low, 0x5f) | equal(low, 0x24) | nextBang);
                    wrong &= inside;
                }
                nextBang &= inside;
                uint256 star = equal(low, 0x2a) & inside;
                uint256 nextWild = star | (equal(low, 0x2b) & inside);
                uint256 nextSlash = equal(low, 0x2f) & inside;
                uint256 begins = (nextSlash >> 8) | slash;
                // No empty cell; wildcards and ! begin cells; wildcards end them; ! does not.
                wrong |= (nextSlash & begins) | ((nextWild | nextBang) & ~begins)
                    | (((nextWild >> 8) | wild) & inside & ~nextSlash) | (((nextBang >> 8) | bang) & nextSlash);
                // At most one * and one !.
                wrong |= (star & (star - 1)) | (nextBang & (nextBang - 1));
                assembly ("memory-safe") {
                    counts := add(counts, or(or(shl(64, lt(0, star)), shl(128, lt(0, nextBang))),
                        shr(248, mul(shr(7, nextSlash), ONES))))
                }
                if (length < 33) {
                    // The last byte is neither / nor !.
                    wrong |= (nextSlash | nextBang) & (0x80 << (8 * (32 - length)));
                    // Of each at most as many as allowed: the bits above that are free.
                    return wrong | (counts & ~COUNTS) == 0;
                }
                if (wrong != 0) return false;
                slash = nextSlash << 248;
                wild = nextWild << 248;
                bang = nextBang << 248;
                ptr += 32;
                length -= 32;
            }
        }
        return false;
    }

    // 31 slashes, one * and one !: all counts up to these, and no others, are without further bits.
    uint256 private constant COUNTS = 31 | (1 << 64) | (1 << 128);

    // Sets of characters, a bit for each.
    uint256 private constant NAME = 0x7fffffe8000000003ff600000000000;
    uint256 private constant HOST = 0x7fffffe07fffffe03ff600000000000;
    uint256 private constant V6 = 0x7e0000007e07ff400000000000;

    /// `[a-z][a-z0-9._-]*`, 1 to 63 bytes.
    function isName(uint256 ptr, uint256 length) internal pure returns (bool) {
        unchecked {
            if (length == 0 || length > 63) return false;
            uint256 first = load(ptr) >> 248;
            return first >= 0x61 && first <= 0x7a && onlyOf(ptr, ptr + length, NAME);
        }
    }

    /// `host:port`, the port 1 to 65535 without leading zeros.
    function isAddress(uint256 ptr, uint256 length) internal pure returns (bool) {
        unchecked {
            uint256 colon = ptr + length;
            uint256 port;
            uint256 unit = 1;
            uint256 digit;
            while (true) {
                if (colon == ptr) return false;
                digit = load(--colon) >> 248;
                if (digit == 0x3a) break;
                if (digit < 0x30 || digit > 0x39 || unit > 10000) return false;
                port += (digit - 0x30) * unit;
                unit *= 10;
            }
            // As many digits as it has without leading zeros, and at least one.
            if (port == 0 || port > 65535 || port < unit / 10 || colon == ptr) return false;
            if (load(ptr) >> 248 != 0x5b) return onlyOf(ptr, colon, HOST);
            if (load(colon - 1) >> 248 != 0x5d || colon - ptr < 3) return false;
            bool colons;
            for (uint256 i = ptr + 1; i < colon - 1; ++i) {
                if (load(i) >> 248 == 0x3a) colons = true;
            }
            return colons && onlyOf(ptr + 1, colon - 1, V6);
        }
    }

    /// Whether all bytes have their bit in `set`.
    function onlyOf(uint256 ptr, uint256 end, uint256 set) private pure returns (bool) {
        unchecked {
            for (; ptr < end; ++ptr) {
                if ((set >> (load(ptr) >> 248)) & 1 == 0) return false;
            }
            return true;
        }
    }

    function load(uint256 ptr) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(ptr)
        }
    }
}
