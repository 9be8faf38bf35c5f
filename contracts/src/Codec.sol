// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Rules.sol";
import {Schnorr} from "./Schnorr.sol";
import {Text} from "./Text.sol";

/// Objects of docs/formats.md in memory, `body || signature`: their rules, ids and signatures. Offsets are
/// from the object's first byte. Reads, but does not judge, up to 31 bytes behind an object.
library Codec {
    uint256 internal constant ENTITY = 1;
    uint256 internal constant DOT = 2;
    uint256 internal constant REVOCATION = 3;
    uint256 internal constant ALIAS = 4;
    uint256 internal constant OFFER = 5;
    uint256 internal constant ACCEPTANCE = 6;
    uint256 internal constant ADDRESS = 7;

    uint256 internal constant MOST_BYTES = 4096;
    uint256 internal constant SIGNATURE_BYTES = 64;

    // Every object: kind u8, version u8, the signer's key.
    uint256 internal constant SIGNER = 2;
    uint256 internal constant SECOND_KEY = 34;

    uint256 internal constant ENTITY_REVOKERS = 44;
    uint256 internal constant DOT_NAMESPACE = 66;
    uint256 internal constant DOT_NUMBERS = 98;
    uint256 internal constant DOT_CREATED = 101; // and not_before and expires behind it
    uint256 internal constant DOT_REVOKERS = 125;
    uint256 internal constant ALIAS_NAME = 71;

    uint256 internal constant TARGET_ENTITY = 1;
    uint256 internal constant TARGET_DOT = 2;

    uint256 private constant MOST_REVOKERS = 8;
    uint256 private constant MOST_TEXT_BYTES = 128;
    uint256 private constant MOST_CONDITION_BYTES = 1024;
    uint256 private constant U40 = 0xffffffffff;

    /// The first rule that the `length` bytes at `ptr` break, 0 when they are canonical. Bytes that end too
    /// early may break that rule before the others.
    function check(uint256 ptr, uint256 length) internal pure returns (bytes4) {
        unchecked {
            if (length > MOST_BYTES) return TooLong.selector;
            uint256 end = ptr + length - SIGNATURE_BYTES;
            uint256 kind = u16(ptr);
            if (kind == (DOT << 8 | 1)) return dot(ptr, end);
            if (length < 2 + SIGNATURE_BYTES) return Truncated.selector;
            if (kind & 0xff != 1) return (kind >> 8) - 1 > ADDRESS - 1 ? BadKind.selector : BadVersion.selector;
            kind >>= 8;
            if (kind - 1 > ADDRESS - 1) return BadKind.selector;
            if (kind == ENTITY) return entity(ptr, end);
            if (kind == REVOCATION) return revocation(ptr, end);
            if (kind == ALIAS) return alias_(ptr, end);
            if (kind == OFFER) return offer(ptr, end);
            if (kind == ACCEPTANCE) return acceptance(ptr, end);
            return address_(ptr, end);
        }
    }

    /// The id of an object that check() passed, and whether it is signed by whom it says, given the even y
    /// of R. Overwrites the 64 bytes before the object.
    function verify(uint256 ptr, uint256 length, uint256 tag_, uint256 y) internal view returns (uint256 id, bytes4 rule) {
        unchecked {
            id = idOf(ptr, length, tag_);
            uint256 signature = ptr + length - SIGNATURE_BYTES;
            rule = Schnorr.verify(load(ptr + SIGNER), load(signature), load(signature + 32), y, id);
        }
    }

    /// The tagged hash of the object's body. Overwrites the 64 bytes before the object.
    function idOf(uint256 ptr, uint256 length, uint256 tag_) internal view returns (uint256 id) {
        assembly ("memory-safe") {
            mstore(sub(ptr, 64), tag_)
            mstore(sub(ptr, 32), tag_)
            // The body with the two tags before it is just as long as the object.
            if iszero(staticcall(gas(), 2, sub(ptr, 64), length, 0, 32)) { revert(0, 0) }
            id := mload(0)
        }
    }

    // SHA256("bosswave/dot")
    uint256 internal constant DOT_TAG = 0x5795d9d781330cb5ca535f6cea025091a5decfc6663db9ba8498ff55ea473524;

    /// SHA256 of the name of the kind's tag.
    function tagOf(uint256 kind) internal pure returns (uint256) {
        if (kind == DOT) return DOT_TAG;
        // bosswave/entity, /revocation, /alias, /router-offer, /router-acceptance, /router-address
        if (kind == ENTITY) return 0xbfab480acecbcb0e81c8d2320105c87e470f3fc35a68d8aee534ed8ad21d5e26;
        if (kind == REVOCATION) return 0x0917a2ee53a1e5b78922196c95f4445313a441e505dc5de56076352a751fef5b;
        if (kind == ALIAS) return 0x4ca0bce6325265620e16b1cc0125fd7f00b628418308d0247963df2dacd3322f;
        if (kind == OFFER) return 0x26e732619e02b876ae270c06fa87f92d121e9f52f2a9dfc86b84cf03736854f5;
        if (kind == ACCEPTANCE) return 0x17f2f440b02fc9d6b036e936cdedd72552f8b20f87531774bf214a94d1bcea93;
        return 0x954d754a37bc32174598a44e8958decece8f14c1f2f99d32fa9af1c5f7eeff8c;
    }

    // --- Fields of objects that check() passed ---------------------------------------------------

    function kindOf(uint256 ptr) internal pure returns (uint256) {
        return load(ptr) >> 248;
    }

    function createdOf(uint256 ptr, uint256 kind) internal pure returns (uint256) {
        unchecked {
            if (kind == DOT) return u40(ptr + DOT_CREATED);
            if (kind == ENTITY) return u40(ptr + 34);
            if (kind == REVOCATION) return u40(ptr + 67);
            if (kind == ALIAS) return u40(ptr + 66);
            if (kind == ADDRESS) return u40(ptr + 42);
            return u40(ptr + 74);
        }
    }

    function key(uint256 ptr, uint256 offset) internal pure returns (bytes32) {
        return bytes32(load(ptr + offset));
    }

    function u8(uint256 ptr) internal pure returns (uint256) {
        return load(ptr) >> 248;
    }

    function u16(uint256 ptr) internal pure returns (uint256) {
        return load(ptr) >> 240;
    }

    function u40(uint256 ptr) internal pure returns (uint256) {
        return load(ptr) >> 216;
    }

    function u64(uint256 ptr) internal pure returns (uint256) {
        return load(ptr) >> 192;
    }

    function u128(uint256 ptr) internal pure returns (uint256) {
        return load(ptr) >> 128;
    }

    /// Whether `one` is among the keys of the list at `ptr`.
    function among(bytes32 one, uint256 ptr) internal pure returns (bool) {
        unchecked {
            uint256 count = u8(ptr);
            for (uint256 i; i < count; ++i) {
                if (load(ptr + 1 + 32 * i) == uint256(one)) return true;
            }
            return false;
        }
    }

    // --- Rules of each kind ----------------------------------------------------------------------

    function entity(uint256 ptr, uint256 end) private pure returns (bytes4) {
        unchecked {
            if (ptr + ENTITY_REVOKERS + 1 > end) return Truncated.selector;
            if (u40(ptr + 39) <= u40(ptr + 34)) return BadExpires.selector;
            uint256 next = keys(ptr + ENTITY_REVOKERS, end);
            if (next == 0) return BadRevokers.selector;
            next = text(next, end);
            if (next == 0) return BadContact.selector;
            next = text(next, end);
            if (next == 0) return BadComment.selector;
            return finish(next, end);
        }
    }

    /// check() for what is known to have the kind and the length of a DoT's first fields. Written for gas: no
    /// branch for each rule, a bit.
    function dot(uint256 ptr, uint256 end) internal pure returns (bytes4) {
        unchecked {
            uint256 broken;
            uint256 count;
            assembly ("memory-safe") {
                let grantee := mload(add(ptr, SECOND_KEY))
                // permissions u16, ttl u8, created u40, not_before u40, expires u40, ..., revokers u8
                let numbers := mload(add(ptr, DOT_NUMBERS))
                let permissions := shr(240, numbers)
                let notBefore := and(shr(152, numbers), U40)
                // Of each right the one below it that it contains.
                let implied := and(shr(1, permissions), 0x36)
                broken := or(shl(5, iszero(gt(and(shr(112, numbers), U40), notBefore))),
                    shl(4, lt(notBefore, and(shr(192, numbers), U40))))
                broken := or(broken, shl(3, gt(and(shr(232, numbers), 0xff), mul(255, iszero(iszero(grantee))))))
                broken := or(broken, shl(2, or(lt(0xff, permissions),
                    or(iszero(permissions), lt(0, and(implied, not(permissions)))))))
                broken := or(broken, or(shl(1, eq(grantee, mload(add(ptr, SIGNER)))), gt(add(ptr, 126), end)))
                count := and(shr(32, numbers), 0xff)
            }
            if (broken != 0) return dotRule(broken);
            uint256 next = ptr + DOT_REVOKERS + 1;
            if (count != 0) {
                next = keys(ptr + DOT_REVOKERS, end);
                if (next == 0) return BadRevokers.selector;
            }
            uint256 length = u16(next);
            next += 2;
            if (!Text.isPattern(next, length)) return BadPattern.selector;
            next += length;
            // The comment and the length of the conditions: at best three zeros to the end.
            if (next + 3 == end && load(next) >> 232 == 0) return 0;
            if (next > end) return BadPattern.selector;
            next = text(next, end);
            if (next == 0) return BadComment.selector;
            length = u16(next);
            if (next + 2 > end || length > MOST_CONDITION_BYTES) return BadConditions.selector;
            return finish(next + 2 + length, end);
        }
    }

    function dotRule(uint256 broken) private pure returns (bytes4) {
        if (broken & 1 != 0) return Truncated.selector;
        if (broken & 2 != 0) return BadGrantee.selector;
        if (broken & 4 != 0) return BadPermissions.selector;
        if (broken & 8 != 0) return BadTtl.selector;
        return broken & 16 != 0 ? BadNotBefore.selector : BadExpires.selector;
    }

    function revocation(uint256 ptr, uint256 end) private pure returns (bytes4) {
        unchecked {
            if (ptr + 72 > end) return Truncated.selector;
            uint256 target = u8(ptr + 34);
            if (target != TARGET_ENTITY && target != TARGET_DOT) return BadTarget.selector;
            uint256 next = text(ptr + 72, end);
            if (next == 0) return BadComment.selector;
            return finish(next, end);
        }
    }

    function alias_(uint256 ptr, uint256 end) private pure returns (bytes4) {
        unchecked {
            if (ptr + ALIAS_NAME + 1 > end) return Truncated.selector;
            uint256 length = u8(ptr + ALIAS_NAME);
            uint256 next = ptr + ALIAS_NAME + 1 + length;
            if (next > end || !Text.isName(ptr + ALIAS_NAME + 1, length)) return BadName.selector;
            return finish(next, end);
        }
    }

    function offer(uint256 ptr, uint256 end) private pure returns (bytes4) {
        unchecked {
            if (ptr + 80 > end) return Truncated.selector;
            if (u64(ptr + 66) == 0) return BadNonce.selector;
            if (u8(ptr + 79) > 1) return BadRetracted.selector;
            return finish(ptr + 80, end);
        }
    }

    function acceptance(uint256 ptr, uint256 end) private pure returns (bytes4) {
        unchecked {
            if (ptr + 84 > end) return Truncated.selector;
            if (u64(ptr + 66) == 0) return BadNonce.selector;
            if (u8(ptr + 79) > 1) return BadRetracted.selector;
            return finish(ptr + 84, end);
        }
    }

    function address_(uint256 ptr, uint256 end) private pure returns (bytes4) {
        unchecked {
            if (ptr + 48 > end) return Truncated.selector;
            if (u64(ptr + 34) == 0) return BadNonce.selector;
            uint256 length = u8(ptr + 47);
            if (ptr + 48 + length > end || !Text.isAddress(ptr + 48, length)) return BadAddress.selector;
            return finish(ptr + 48 + length, end);
        }
    }

    // --- Parts ------------------------------------------------------------------------------------

    /// Where what follows the list of keys begins; 0 when it breaks a rule.
    function keys(uint256 ptr, uint256 end) private pure returns (uint256 next) {
        unchecked {
            uint256 count = u8(ptr);
            next = ptr + 1 + 32 * count;
            if (count > MOST_REVOKERS || next > end) return 0;
            for (uint256 i = 1; i < count; ++i) {
                if (load(ptr + 1 + 32 * i) <= load(ptr + 32 * i - 31)) return 0;
            }
        }
    }

    /// The same for a text.
    function text(uint256 ptr, uint256 end) private pure returns (uint256 next) {
        unchecked {
            uint256 length = u8(ptr);
            next = ptr + 1 + length;
            if (next > end || length > MOST_TEXT_BYTES || !Text.isText(ptr + 1, length)) return 0;
        }
    }

    function finish(uint256 next, uint256 end) private pure returns (bytes4) {
        if (next == end) return 0;
        return next > end ? Truncated.selector : TrailingBytes.selector;
    }

    function load(uint256 ptr) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(ptr)
        }
    }
}
