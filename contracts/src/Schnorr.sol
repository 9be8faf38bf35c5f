// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./Rules.sol";

/// BIP-340 signatures over secp256k1, by the precompiles for ecrecover and SHA-256.
library Schnorr {
    uint256 private constant P = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    uint256 private constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    // SHA256("BIP0340/challenge")
    uint256 private constant TAG = 0x7bb52d7a9fef58323eb1bf7a407db382d2f3f2d81bb1224f49fe518f6d48d37c;

    /// Judges the signature (r, s) of `key` over `message`. `y` is a hint, the even y of the point with
    /// x = r, which saves a square root. Uses the free memory as scratch.
    ///
    /// ecrecover(z, 27, key, t) is the address of (t*K - z*G)/key, K being the point with x = key and
    /// even y; with z = -s*key and t = -e*key that is s*G - e*K, which must be R. R is compared by its
    /// address, so (r, y) must be held to the curve: free choice of y would leave 80 bits of security
    /// instead of 160. An r or y above P then fails by itself, being no coordinate of a point. Keys from N
    /// to P, one in 2^128, are refused by ecrecover.
    function verify(uint256 key, uint256 r, uint256 s, uint256 y, uint256 message)
        internal
        view
        returns (bytes4 rule)
    {
        bool hinted;
        bool valid;
        assembly ("memory-safe") {
            hinted := and(eq(mulmod(y, y, P), addmod(mulmod(mulmod(r, r, P), r, P), 7, P)), iszero(and(y, 1)))
            let p := mload(0x40)
            mstore(p, TAG)
            mstore(add(p, 32), TAG)
            mstore(add(p, 64), r)
            mstore(add(p, 96), key)
            mstore(add(p, 128), message)
            valid := staticcall(gas(), 2, p, 160, 0, 32)
            mstore(add(p, 96), sub(N, mulmod(mload(0), key, N)))
            mstore(p, sub(N, mulmod(s, key, N)))
            mstore(add(p, 32), 27)
            mstore(add(p, 64), key)
            mstore(0, 0)
            valid := and(staticcall(gas(), 1, p, 128, 0, 32), valid)
            let q := mload(0)
            mstore(0, r)
            mstore(32, y)
            valid := and(and(valid, lt(s, N)), eq(q, shr(96, shl(96, keccak256(0, 64)))))
        }
        if (!hinted) return BadHint.selector;
        if (!valid) return BadSignature.selector;
    }
}
