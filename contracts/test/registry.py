# SPDX-License-Identifier: Apache-2.0
"""The contracts on a chain, for a test or a bench."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "ethereum"))

from chain import BUILD, GAS_LIMIT, TX_GAS_LIMIT, Chain, open_chain  # noqa: E402
from rpc import RpcError  # noqa: E402


class Reverted(Exception):
    """A call reverted; `data` is what it returned."""

    def __init__(self, data: bytes):
        super().__init__(data.hex())
        self.data = data


def artifact(name: str) -> dict:
    return json.loads((BUILD / f"{name}.json").read_text())


__all__ = ["Registry", "Reverted", "artifact", "entries_of", "open_chain"]


def entries_of(log: bytes) -> tuple[int, list[bytes]]:
    """Index of the first and the entries that the data of a log holds."""
    found, cursor = [], 5
    while cursor < len(log):
        size = int.from_bytes(log[cursor:cursor + 2], "big")
        found.append(log[cursor + 2:cursor + 2 + size])
        cursor += 2 + size
    return int.from_bytes(log[:5], "big"), found


class Registry:
    """On a chain; deployed there unless it has an address."""

    def __init__(self, chain: Chain, address: str | None = None):
        self.chain = chain
        self.rpc = chain.rpc
        self.account = chain.accounts[0]
        self.contract = artifact("Registry")
        self.errors = {bytes.fromhex(v[2:]): k for k, v in self.contract["errors"].items()}
        self.address = address or self.deploy(self.contract["bytecode"])

    def deploy(self, code: str) -> str:
        receipt = self.chain.send(self.account, data=bytes.fromhex(code[2:]))
        assert receipt["status"] == "0x1", receipt
        return receipt["contractAddress"]

    def call(self, data: bytes, to: str | None = None, value: int = 0) -> bytes:
        """What it would return now, with no effect."""
        asked = {"from": self.account.address, "to": to or self.address, "data": "0x" + data.hex(), "gas": hex(GAS_LIMIT),
                 "value": hex(value)}
        try:
            return bytes.fromhex(self.rpc("eth_call", asked, "latest")[2:])
        except RpcError as error:
            if isinstance(error.data, str) and "revert" in error.message:
                raise Reverted(bytes.fromhex(error.data[2:])) from None
            raise

    def send(self, data: bytes, gas: int = TX_GAS_LIMIT) -> dict:
        """The receipt."""
        return self.chain.send(self.account, self.address, data, gas)

    def view(self, method: str, data: bytes = b"", to: str | None = None, of: str = "Registry") -> bytes:
        selector = next(v for k, v in artifact(of)["methods"].items() if k.split("(")[0] == method)
        return self.call(bytes.fromhex(selector) + data, to)

    def set_time(self, now: int) -> None:
        """Of the next block, and of calls from now on."""
        self.chain.mine(at=now)

    def pretend_size(self, size: int) -> None:
        """Makes the tree look as if it held so many entries already, whose hashes nobody knows. Anvil only."""
        for slot in range(41):
            self.chain.set_storage(self.address, slot, size if slot == 0 else slot)

    # --- What the contracts say -----------------------------------------------------------------

    def head(self) -> tuple[int, bytes]:
        answer = self.view("head")
        return int.from_bytes(answer[:32], "big"), answer[32:]

    def rule_of(self, data: bytes) -> str | None:
        """The rule that the call breaks, if any."""
        try:
            self.call(data)
        except Reverted as reverted:
            return self.errors.get(reverted.data, reverted.data.hex())
        return None

    def entries(self, receipt: dict) -> tuple[int, list[bytes]]:
        """Index of the first and the entries that a call added."""
        for log in receipt["logs"]:
            if not log["topics"]:
                return entries_of(bytes.fromhex(log["data"][2:]))
        return 0, []

    def rejected(self, receipt: dict) -> dict[int, str]:
        """The rules that items of a call broke."""
        return {int(log["topics"][1], 16): self.errors[bytes.fromhex(log["data"][2:10])]
                for log in receipt["logs"] if log["topics"][:1] == [self.contract["events"]["Rejected"]]}
