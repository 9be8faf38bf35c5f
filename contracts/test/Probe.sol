// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pattern} from "./Pattern.sol";
import {Schnorr} from "./Schnorr.sol";
import {Text} from "./Text.sol";

/// Opens libraries to tests that only look at them.
contract Probe {
    function verify(uint256 key, uint256 r, uint256 s, uint256 y, uint256 message) external view returns (bytes4) {
        return Schnorr.verify(key, r, s, y, message);
    }

    function covers(string memory wide, string memory narrow) external pure returns (bool) {
        return Pattern.covers(slice(wide), slice(narrow));
    }

    function isPattern(string memory text) external pure returns (bool) {
        return Text.isPattern(slice(text).ptr, bytes(text).length);
    }

    function slice(string memory text) private pure returns (Pattern.Slice memory result) {
        result.length = bytes(text).length;
        assembly ("memory-safe") {
            mstore(result, add(text, 32))
        }
    }
}
