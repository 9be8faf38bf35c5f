#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes chain.json beside it: a header and state proofs as a real node gave them, for src/evm/*_test.cpp.

Needs what contracts/install puts into build/contracts. The header is encoded here from the node's JSON, apart from the
product's own code, and must give the hash that the node says."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "contracts" / "test"))

from chain import Chain  # noqa: E402

NUMBERS = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas")
FIELDS = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
          "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
          "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash")


def rlp(value) -> bytes:
    def header(short, content):
        if len(content) <= 55:
            return bytes([short + len(content)])
        length = len(content).to_bytes(8, "big").lstrip(b"\0")
        return bytes([short + 55 + len(length)]) + length

    if isinstance(value, list):
        content = b"".join(map(rlp, value))
        return header(0xC0, content) + content
    if len(value) == 1 and value[0] < 0x80:
        return value
    return header(0x80, value) + value


def field(block, name) -> bytes:
    if name in NUMBERS:
        return int(block[name], 16).to_bytes(32, "big").lstrip(b"\0")
    return bytes.fromhex(block[name][2:])


def main() -> None:
    chain = Chain(1_700_000_000)
    try:
        slots = ["0x" + slot.to_bytes(32, "big").hex() for slot in (0, 1, 7)]
        block = chain.rpc("eth_getBlockByNumber", "latest", False)
        proof = chain.rpc("eth_getProof", chain.address, slots, block["number"])
        nobody = chain.rpc("eth_getProof", "0x" + "12" * 20, [], block["number"])
        header = rlp([field(block, name) for name in FIELDS if name in block])
        out = {
            "header": header.hex(), "hash": block["hash"][2:], "state_root": block["stateRoot"][2:],
            "number": int(block["number"], 16), "time": int(block["timestamp"], 16),
            "account": {"address": chain.address, "proof": [one[2:] for one in proof["accountProof"]],
                        "code_hash": proof["codeHash"][2:], "storage_root": proof["storageHash"][2:],
                        "nonce": int(proof["nonce"], 16)},
            "storage": [{"slot": slot[2:], "value": one["value"], "proof": [node[2:] for node in one["proof"]]}
                        for slot, one in zip(slots, proof["storageProof"])],
            "nobody": {"address": "0x" + "12" * 20, "proof": [one[2:] for one in nobody["accountProof"]]},
        }
        (HERE / "chain.json").write_text(json.dumps(out, indent=1) + "\n")
    finally:
        chain.close()


if __name__ == "__main__":
    main()
