// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Child} from "./Child.sol";

/// Names for 32 bytes: first come, immutable. Made by the Registry, which alone writes.
contract Alias {
    struct Entry {
        bytes32 claimer; // never 0 once the name is taken
        bytes32 value;
    }

    mapping(bytes32 nameHash => Entry) private entries;

    /// False when the name is taken. `nameHash` is keccak256 of the name.
    function claim(bytes32 nameHash, bytes32 value, bytes32 claimer) external returns (bool) {
        Child.onlyParent(Child.ALIAS);
        Entry storage entry = entries[nameHash];
        if (entry.claimer != 0) return false;
        entry.claimer = claimer;
        entry.value = value;
        return true;
    }

    /// Zeros when nobody claimed the name.
    function lookup(string calldata name) external view returns (bytes32 value, bytes32 claimer) {
        Entry storage entry = entries[keccak256(bytes(name))];
        return (entry.value, entry.claimer);
    }
}
