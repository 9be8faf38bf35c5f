// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Rules.sol";
import {Codec} from "./Codec.sol";
import {State} from "./State.sol";
import {Tree} from "./Tree.sol";

/// What the ledger admits (docs/formats.md, "Admission"). The one rule that is not held here is that a DoT
/// must be new: nothing is stored of DoTs, so one may stand in the log twice, and readers ignore the second.
abstract contract Admission is State {
    using Tree for Tree.Store;

    uint256 private constant SKEW = 60; // seconds that a clock may be ahead of the chain's
    uint256 private constant MOST_LIST_BYTES = 1 + 8 * 32;

    /// What a revocation has beside it, in calldata; see contracts/README.md.
    struct Evidence {
        uint256 ptr;
        uint256 length;
        uint256 room; // free memory, as are the 64 bytes before it
        // The DoT that was admitted last in this call: where it stands in memory (0: none), and its id.
        uint256 dotAt;
        bytes32 dotId;
    }

    /// The first rule that the entry breaks, after which nothing has changed; or 0, and its effects are
    /// stored. It has been checked and verified.
    function admit(uint256 ptr, uint256 kind, Evidence memory evidence) internal returns (bytes4) {
        bytes32 signer = Codec.key(ptr, Codec.SIGNER);
        if (Codec.createdOf(ptr, kind) > block.timestamp + SKEW) return CreatedInFuture.selector;
        if (kind == Codec.ENTITY) return admitEntity(ptr, signer);
        bytes4 rule = live(signer);
        if (rule != 0) return rule;
        if (kind == Codec.REVOCATION) return admitRevocation(ptr, signer, evidence);
        if (kind == Codec.ALIAS) return admitAlias(ptr, signer);
        return admitAffinity(ptr, kind, signer);
    }

    /// The same for a DoT.
    function admitDot(uint256 ptr) internal view returns (bytes4) {
        unchecked {
            uint256 times = Codec.u128(ptr + Codec.DOT_CREATED);
            if (times >> 88 > block.timestamp + SKEW) return CreatedInFuture.selector;
            if (block.timestamp >= (times >> 8) & U40) return Expired.selector;
            return live(Codec.key(ptr, Codec.SIGNER));
        }
    }

    function admitEntity(uint256 ptr, bytes32 key) private returns (bytes4) {
        unchecked {
            uint256 created = Codec.u40(ptr + 34);
            uint256 expires = Codec.u40(ptr + 39);
            if (block.timestamp >= expires) return Expired.selector;
            uint256 known = entities[key];
            if (known & REVOKED != 0) return EntityRevoked.selector;
            if (known != 0 && created <= (known >> 40) & U40) return NotNewer.selector;
            uint256 list = ptr + Codec.ENTITY_REVOKERS;
            entities[key] = hashOf(list, 1 + 32 * Codec.u8(list)) & REVOKERS | created << 40 | expires;
            return 0;
        }
    }

    function admitRevocation(uint256 ptr, bytes32 revoker, Evidence memory evidence) private returns (bytes4 rule) {
        bytes32 target = Codec.key(ptr, 35);
        if (Codec.u8(ptr + 34) == Codec.TARGET_DOT) {
            uint256 dot;
            (dot, rule) = targetDot(target, evidence);
            if (rule != 0) return rule;
            if (revoked[target]) return TargetRevoked.selector;
            if (
                revoker != Codec.key(dot, Codec.SIGNER) && revoker != Codec.key(dot, Codec.SECOND_KEY)
                    && !Codec.among(revoker, dot + Codec.DOT_REVOKERS)
            ) return NotEntitled.selector;
            revoked[target] = true;
            return 0;
        }
        uint256 known = entities[target];
        if (known == 0) return TargetUnknown.selector;
        if (known & REVOKED != 0) return TargetRevoked.selector;
        rule = revoker == target ? bytes4(0) : amongRevokers(revoker, known, evidence);
        if (rule == 0) entities[target] = known | REVOKED;
    }

    /// Where the DoT stands in memory, when it is on the ledger: the one before the revocation in the same
    /// call, or one with its inclusion path as evidence.
    function targetDot(bytes32 target, Evidence memory evidence) private view returns (uint256 ptr, bytes4 rule) {
        unchecked {
            if (evidence.length == 0) {
                if (evidence.dotAt == 0 || evidence.dotId != target) return (0, TargetUnknown.selector);
                return (evidence.dotAt, 0);
            }
            // index u40, depth u8, path, DoT
            uint256 from = evidence.ptr;
            uint256 word;
            assembly ("memory-safe") {
                word := calldataload(from)
            }
            uint256 depth = (word >> 208) & 0xff;
            uint256 used = 6 + 32 * depth;
            if (evidence.length < used + Codec.DOT_REVOKERS + 1 + Codec.SIGNATURE_BYTES) {
                return (0, BadEvidence.selector);
            }
            uint256 length = evidence.length - used;
            if (length > Codec.MOST_BYTES) return (0, BadEvidence.selector);
            ptr = evidence.room;
            uint256 path = ptr + Codec.MOST_BYTES;
            assembly ("memory-safe") {
                calldatacopy(path, add(from, 6), shl(5, depth))
                calldatacopy(ptr, add(from, used), length)
            }
            if (Codec.kindOf(ptr) != Codec.DOT || Codec.idOf(ptr, length, Codec.DOT_TAG) != uint256(target)) {
                return (0, BadEvidence.selector);
            }
            uint256 leaf = Tree.leaf(ptr, length);
            assembly ("memory-safe") {
                mstore(0x40, add(path, shl(5, depth)))
            }
            if (!tree.includes(word >> 216, leaf, path, depth)) return (0, TargetUnknown.selector);
        }
    }

    /// The evidence is the list of revokers as it stands in the entity's latest put.
    function amongRevokers(bytes32 revoker, uint256 known, Evidence memory evidence) private pure returns (bytes4) {
        unchecked {
            if (evidence.length == 0) return NotEntitled.selector;
            if (evidence.length > MOST_LIST_BYTES) return BadEvidence.selector;
            uint256 ptr = evidence.room;
            uint256 from = evidence.ptr;
            uint256 length = evidence.length;
            assembly ("memory-safe") {
                calldatacopy(ptr, from, length)
            }
            if (length != 1 + 32 * Codec.u8(ptr) || (hashOf(ptr, length) ^ known) & REVOKERS != 0) {
                return BadEvidence.selector;
            }
            return Codec.among(revoker, ptr) ? bytes4(0) : NotEntitled.selector;
        }
    }

    function admitAlias(uint256 ptr, bytes32 claimer) private returns (bytes4) {
        unchecked {
            bytes32 name = bytes32(hashOf(ptr + Codec.ALIAS_NAME + 1, Codec.u8(ptr + Codec.ALIAS_NAME)));
            return aliases().claim(name, Codec.key(ptr, Codec.SECOND_KEY), claimer) ? bytes4(0) : AliasTaken.selector;
        }
    }

    function admitAffinity(uint256 ptr, uint256 kind, bytes32 signer) private returns (bytes4) {
        unchecked {
            if (kind == Codec.ADDRESS) return affinity().address_(signer, uint64(Codec.u64(ptr + 34)));
            bytes32 other = Codec.key(ptr, Codec.SECOND_KEY);
            uint64 nonce = uint64(Codec.u64(ptr + 66));
            bool retracted = Codec.u8(ptr + 79) == 1;
            if (kind == Codec.OFFER) return affinity().offer(signer, other, nonce, retracted);
            bytes4 dead = retracted ? bytes4(0) : live(other);
            if (dead == SignerUnknown.selector) dead = RouterUnknown.selector;
            if (dead == SignerRevoked.selector) dead = RouterRevoked.selector;
            if (dead == SignerExpired.selector) dead = RouterExpired.selector;
            uint32 maxStaleness = uint32(Codec.u64(ptr + 80) >> 32);
            return affinity().accept(signer, other, nonce, retracted, maxStaleness, dead);
        }
    }

    function hashOf(uint256 ptr, uint256 length) private pure returns (uint256 hash) {
        assembly ("memory-safe") {
            hash := keccak256(ptr, length)
        }
    }
}
