// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Rules.sol";
import {Affinity} from "./Affinity.sol";
import {Alias} from "./Alias.sol";
import {Child} from "./Child.sol";
import {Tree} from "./Tree.sol";

/// What the Registry stores, and views of it. Of a DoT nothing is stored but that it was revoked.
abstract contract State {
    using Tree for Tree.Store;

    // Slot 0: the number of entries; from slot 1 on as many peaks as it has ones (Tree.sol).
    Tree.Store internal tree;
    // Of an entity: hash of its revokers 168 bits, zeros 7, revoked 1, created 40, expires 40. 0 when it was
    // never put; entities expire after time 0.
    mapping(bytes32 key => uint256) internal entities;
    mapping(bytes32 id => bool) internal revoked;

    uint256 internal constant U40 = 0xffffffffff;
    uint256 internal constant REVOKED = 1 << 80;
    uint256 internal constant REVOKERS = ~uint256(0) << 88;

    /// Times in seconds since 1970; zeros when the entity is not on the ledger.
    function entity(bytes32 key) external view returns (uint40 created, uint40 expires, bool isRevoked) {
        uint256 record = entities[key];
        return (uint40(record >> 40), uint40(record), record & REVOKED != 0);
    }

    /// When the entity expires; 0 when it is not on the ledger, revoked or has expired.
    function liveUntil(bytes32 key) public view returns (uint40) {
        return live(key) == 0 ? uint40(entities[key]) : 0;
    }

    function isDotRevoked(bytes32 id) external view returns (bool) {
        return revoked[id];
    }

    /// Number of entries and the RFC 9162 root of the tree over them.
    function head() external view returns (uint256 size, bytes32 root) {
        return (tree.size, tree.root());
    }

    /// Whether entry number `index` is `entry`, shown by its RFC 9162 inclusion path, of which only the hashes
    /// within the largest whole subtree around it are given, from below.
    function includes(bytes memory entry, uint256 index, bytes32[] memory path) external view returns (bool) {
        uint256 ptr;
        uint256 pathAt;
        assembly ("memory-safe") {
            ptr := add(entry, 32)
            pathAt := add(path, 32)
        }
        return tree.includes(index, Tree.leaf(ptr, entry.length), pathAt, path.length);
    }

    /// The router that carries the namespace: accepted by it, offering, and both live. Else zeros. `maxStaleness`
    /// is in seconds.
    function designated(bytes32 namespace) external view returns (bytes32 router, uint32 maxStaleness) {
        (router, maxStaleness) = affinity().agreed(namespace);
        if (liveUntil(namespace) == 0 || liveUntil(router) == 0) return (0, 0);
    }

    /// Who owns a name: `aliases().lookup(name)`.
    function aliases() public view returns (Alias) {
        return Alias(Child.addressOf(address(this), Child.ALIAS));
    }

    function affinity() public view returns (Affinity) {
        return Affinity(Child.addressOf(address(this), Child.AFFINITY));
    }

    /// What keeps the entity from taking part as a signer, or 0.
    function live(bytes32 key) internal view returns (bytes4) {
        uint256 record = entities[key];
        if (record == 0) return SignerUnknown.selector;
        if (record & REVOKED != 0) return SignerRevoked.selector;
        if (block.timestamp >= record & U40) return SignerExpired.selector;
        return 0;
    }
}
