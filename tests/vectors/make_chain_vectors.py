#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes chain.json beside it: headers and state proofs as two real node programs gave them, for src/evm/*_test.cpp.

Needs what contracts/install puts into build/contracts. The header is encoded here from the node's JSON, apart from the
product's own code, and must give the hash that the node says."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "contracts" / "test"))

from registry import Registry, open_chain  # noqa: E402
from transactions import keccak256, rlp  # noqa: E402

NUMBERS = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas")
FIELDS = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
          "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
          "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash")


def field(block, name) -> bytes:
    if name in NUMBERS:
        return int(block[name], 16).to_bytes(32, "big").lstrip(b"\0")
    return bytes.fromhex(block[name][2:])


def vectors(program: str) -> dict:
    with open_chain(program, now=1_700_000_000) as chain:
        address = Registry(chain).address
        slots = ["0x" + slot.to_bytes(32, "big").hex() for slot in (0, 1, 7)]
        block = chain.block()
        proof = chain.rpc("eth_getProof", address, slots, block["number"])
        nobody = chain.rpc("eth_getProof", "0x" + "12" * 20, [], block["number"])
    header = rlp([field(block, name) for name in FIELDS if name in block])
    assert keccak256(header).hex() == block["hash"][2:]
    return {
        "program": program, "header": header.hex(), "hash": block["hash"][2:], "state_root": block["stateRoot"][2:],
        "number": int(block["number"], 16), "time": int(block["timestamp"], 16),
        "account": {"address": address, "proof": [one[2:] for one in proof["accountProof"]],
                    "code_hash": proof["codeHash"][2:], "storage_root": proof["storageHash"][2:],
                    "nonce": int(proof["nonce"], 16)},
        "storage": [{"slot": slot[2:], "value": one["value"], "proof": [node[2:] for node in one["proof"]]}
                    for slot, one in zip(slots, proof["storageProof"])],
        "nobody": {"address": "0x" + "12" * 20, "proof": [one[2:] for one in nobody["accountProof"]]},
    }


def main() -> None:
    out = [vectors(program) for program in ("anvil", "ethereumjs")]
    (HERE / "chain.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
