// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Rules.sol";
import {Child} from "./Child.sol";

/// Which router carries a namespace: offers of routers and acceptances of namespaces, with nonces that rise
/// strictly. Made by the Registry, which alone writes, after it has judged the signers. Registry.designated()
/// answers for who is live, too.
contract Affinity {
    struct Acceptance {
        bytes32 router;
        uint64 nonce;
        uint32 maxStaleness; // seconds
        bool retracted;
    }

    /// The highest over all of a router's offers and addresses.
    mapping(bytes32 router => uint64) public routerNonce;
    /// Whether the router's latest offer to the namespace stands.
    mapping(bytes32 router => mapping(bytes32 namespace => bool)) public offered;
    /// The namespace's latest.
    mapping(bytes32 namespace => Acceptance) public acceptances;

    /// Each returns the first rule that is broken, and then changes nothing, or 0.
    function offer(bytes32 router, bytes32 namespace, uint64 nonce, bool retracted) external returns (bytes4) {
        Child.onlyParent(Child.AFFINITY);
        if (!rise(router, nonce)) return NonceNotAbove.selector;
        offered[router][namespace] = !retracted;
        return 0;
    }

    /// What the address is stands in the entry only.
    function address_(bytes32 router, uint64 nonce) external returns (bytes4) {
        Child.onlyParent(Child.AFFINITY);
        return rise(router, nonce) ? bytes4(0) : NonceNotAbove.selector;
    }

    /// `dead` is the rule that keeps the router from taking part, or 0.
    function accept(
        bytes32 namespace,
        bytes32 router,
        uint64 nonce,
        bool retracted,
        uint32 maxStaleness,
        bytes4 dead
    ) external returns (bytes4) {
        Child.onlyParent(Child.AFFINITY);
        Acceptance storage latest = acceptances[namespace];
        if (nonce <= latest.nonce) return NonceNotAbove.selector;
        if (!retracted) {
            if (!offered[router][namespace]) return NoOffer.selector;
            if (dead != 0) return dead;
        }
        acceptances[namespace] = Acceptance(router, nonce, maxStaleness, retracted);
        return 0;
    }

    /// The router that the namespace accepted, while its offer stands; else zeros.
    function agreed(bytes32 namespace) external view returns (bytes32 router, uint32 maxStaleness) {
        Acceptance storage latest = acceptances[namespace];
        if (latest.retracted || !offered[latest.router][namespace]) return (0, 0);
        return (latest.router, latest.maxStaleness);
    }

    function rise(bytes32 router, uint64 nonce) private returns (bool) {
        if (nonce <= routerNonce[router]) return false;
        routerNonce[router] = nonce;
        return true;
    }
}
