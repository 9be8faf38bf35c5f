// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Contracts that another made in its constructor know each other by their addresses, which follow from the
/// maker's: nothing has to be stored, and their code is the same everywhere.
library Child {
    uint8 internal constant ALIAS = 1;
    uint8 internal constant AFFINITY = 2;

    error OnlyTheRegistry();

    /// The address of the contract that `parent` made as its number `nonce` (below 128).
    function addressOf(address parent, uint8 nonce) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", parent, nonce)))));
    }

    /// Reverts unless the sender made this contract, as its number `nonce`.
    function onlyParent(uint8 nonce) internal view {
        if (addressOf(msg.sender, nonce) != address(this)) revert OnlyTheRegistry();
    }
}
