// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Rules.sol";
import {Codec} from "./Codec.sol";
import {Pattern} from "./Pattern.sol";
import {State} from "./State.sol";
import {Text} from "./Text.sol";
import {Tree} from "./Tree.sol";

/// A whole proof of authorisation judged on chain, by the rules of wave::authorize, in their order. What
/// that takes from a node's view of the ledger comes from storage here; a DoT is on the ledger when its
/// inclusion path says so; a view that is always fresh cannot be stale.
abstract contract Authorization is State {
    using Tree for Tree.Store;

    struct Request {
        bytes32 origin;
        bytes32 namespace;
        uint16 permissions;
        string pattern;
    }

    /// A DoT of the proof: the object, its place in the log, and its path as for includes().
    struct Link {
        bytes dot;
        uint256 index;
        bytes32[] path;
    }

    uint256 private constant MOST_LINKS = 16;

    /// `denial` is 0 and the request allowed until `expires`, or the selector of the error that says why not,
    /// about that link where it is about one (else -1).
    function authorize(Request memory request, Link[] memory links)
        external
        view
        returns (bytes4 denial, int256 link, uint40 expires)
    {
        (denial, link) = ends(request, links);
        if (denial != 0) return (denial, link, 0);
        for (uint256 i; i < links.length; ++i) {
            denial = itself(request, links, i);
            if (denial != 0) return (denial, int256(i), 0);
        }
        expires = type(uint40).max;
        for (uint256 i; i < links.length; ++i) {
            denial = onLedger(links[i]);
            if (denial != 0) return (denial, int256(i), 0);
            expires = earlier(expires, uint40(Codec.u40(start(links[i].dot) + Codec.DOT_CREATED + 10)));
        }
        (denial, expires) = entitiesLive(request.namespace, expires);
        if (denial != 0) return (denial, -1, 0);
        for (uint256 i = 1; i < links.length; ++i) {
            (denial, expires) = entitiesLive(Codec.key(start(links[i].dot), Codec.SIGNER), expires);
            if (denial != 0) return (denial, int256(i), 0);
        }
        (denial, expires) = entitiesLive(request.origin, expires);
        return denial != 0 ? (denial, -1, uint40(0)) : (bytes4(0), int256(-1), expires);
    }

    function ends(Request memory request, Link[] memory links) private pure returns (bytes4, int256) {
        if (request.origin == 0) return (NobodyActsAsEveryone.selector, -1);
        if (request.permissions == 0) return (AsksForNothing.selector, -1);
        if (!Text.isPattern(start(bytes(request.pattern)), bytes(request.pattern).length)) return (BadPattern.selector, -1);
        if (links.length > MOST_LINKS) return (TooManyLinks.selector, -1);
        if (links.length == 0) {
            return request.origin == request.namespace ? (bytes4(0), int256(-1)) : (WrongStart.selector, int256(-1));
        }
        for (uint256 i; i < links.length; ++i) {
            // Too short to read fields of; otherwise what is read counts once the DoT is on the ledger.
            if (links[i].dot.length < Codec.DOT_REVOKERS + 1 + Codec.SIGNATURE_BYTES) return (NotOnLedger.selector, int256(i));
        }
        if (Codec.key(start(links[0].dot), Codec.SIGNER) != request.namespace) return (WrongStart.selector, 0);
        bytes32 last = Codec.key(start(links[links.length - 1].dot), Codec.SECOND_KEY);
        if (last != request.origin && last != 0) return (WrongEnd.selector, int256(links.length) - 1);
        return (0, -1);
    }

    function itself(Request memory request, Link[] memory links, uint256 i) private view returns (bytes4) {
        unchecked {
            uint256 ptr = start(links[i].dot);
            bytes32 granter = Codec.key(ptr, Codec.SIGNER);
            if (i > 0 && Codec.key(start(links[i - 1].dot), Codec.SECOND_KEY) != granter) return BrokenPath.selector;
            if (granter == 0) return BrokenPath.selector;
            if (Codec.u8(ptr + 100) < links.length - 1 - i) return TtlSpent.selector;
            // Not the canonical DoT that stands on the ledger, which reaches to the end of its bytes.
            if (Codec.check(ptr, links[i].dot.length) != 0 || Codec.kindOf(ptr) != Codec.DOT) return NotOnLedger.selector;
            uint256 pattern = ptr + Codec.DOT_REVOKERS + 1 + 32 * Codec.u8(ptr + Codec.DOT_REVOKERS);
            uint256 length = Codec.u16(pattern);
            uint256 conditions = pattern + 2 + length + 1 + Codec.u8(pattern + 2 + length);
            if (Codec.u16(conditions) != 0) return HasConditions.selector;
            if (block.timestamp < Codec.u40(ptr + 106)) return NotYetValid.selector;
            if (block.timestamp >= Codec.u40(ptr + 111)) return LinkExpired.selector;
            if (Codec.key(ptr, Codec.DOT_NAMESPACE) != request.namespace) return WrongNamespace.selector;
            if (request.permissions & ~Codec.u16(ptr + Codec.DOT_NUMBERS) != 0) return PermissionsMissing.selector;
            bool covered = Pattern.covers(
                Pattern.Slice(pattern + 2, length),
                Pattern.Slice(start(bytes(request.pattern)), bytes(request.pattern).length)
            );
            return covered ? bytes4(0) : PatternNotCovered.selector;
        }
    }

    function onLedger(Link memory link) private view returns (bytes4) {
        uint256 length = link.dot.length;
        // A copy with room for the tags before it.
        bytes memory copy = bytes.concat(bytes32(0), bytes32(0), link.dot);
        uint256 ptr = start(copy) + 64;
        bytes32[] memory path = link.path;
        uint256 pathAt;
        assembly ("memory-safe") {
            pathAt := add(path, 32)
        }
        if (!tree.includes(link.index, Tree.leaf(ptr, length), pathAt, path.length)) return NotOnLedger.selector;
        return revoked[bytes32(Codec.idOf(ptr, length, Codec.DOT_TAG))] ? LinkRevoked.selector : bytes4(0);
    }

    function entitiesLive(bytes32 key, uint40 expires) private view returns (bytes4, uint40) {
        return (live(key), earlier(expires, uint40(entities[key])));
    }

    function earlier(uint40 a, uint40 b) private pure returns (uint40) {
        return a < b ? a : b;
    }

    function start(bytes memory data) private pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := add(data, 32)
        }
    }
}
