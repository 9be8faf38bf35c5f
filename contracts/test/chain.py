# SPDX-License-Identifier: Apache-2.0
"""A chain of its own for a test or a bench: anvil on a free port, and the contracts on it."""
import http.client
import json
import os
import pathlib
import re
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where contracts/install leaves the packages and contracts/build the artifacts.
BUILD = pathlib.Path(os.environ.get("BW_CONTRACTS_BUILD", ROOT / "build" / "contracts"))
GAS_LIMIT = 60_000_000
TX_GAS_LIMIT = 1 << 24  # EIP-7825


class Reverted(Exception):
    """A call reverted; `data` is what it returned."""

    def __init__(self, data: bytes):
        super().__init__(data.hex())
        self.data = data


def artifact(name: str) -> dict:
    return json.loads((BUILD / f"{name}.json").read_text())


def anvil_program() -> pathlib.Path:
    found = sorted((BUILD / "npm" / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil"))
    if not found:
        raise SystemExit(f"chain: no anvil in {BUILD}/npm; run contracts/install {BUILD}")
    return found[0]


class Chain:
    """Anvil with the Registry on it. `now` is the time of the first block, in seconds."""

    def __init__(self, now: int):
        self.process = subprocess.Popen(
            [anvil_program(), "--port", "0", "--hardfork", "osaka", "--gas-limit", str(GAS_LIMIT),
             "--timestamp", str(now), "--block-base-fee-per-gas", "0", "--gas-price", "0", "--accounts", "2"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        port = self._port()
        threading.Thread(target=self.process.stdout.read, daemon=True).start()  # so that it never blocks
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.account = self.rpc("eth_accounts")[0]
        self.registry = artifact("Registry")
        self.errors = {bytes.fromhex(v[2:]): k for k, v in self.registry["errors"].items()}
        self.address = self.deploy(self.registry["bytecode"])

    def _port(self) -> int:
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if listening := re.search(r"Listening on 127\.0\.0\.1:(\d+)", line):
                return int(listening[1])
        raise SystemExit("chain: anvil did not start: " + "".join(seen))

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def rpc(self, method: str, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self.connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        if "error" in answer:
            data = answer["error"].get("data")
            if isinstance(data, str) and "revert" in answer["error"]["message"]:
                raise Reverted(bytes.fromhex(data[2:]))
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def deploy(self, code: str) -> str:
        sent = self.rpc("eth_sendTransaction", {"from": self.account, "data": code, "gas": hex(TX_GAS_LIMIT)})
        receipt = self.receipt(sent)
        assert receipt["status"] == "0x1", receipt
        return receipt["contractAddress"]

    def call(self, data: bytes, to: str | None = None, gas: int = GAS_LIMIT) -> bytes:
        """What it would return now, with no effect."""
        result = self.rpc("eth_call", {"from": self.account, "to": to or self.address, "data": "0x" + data.hex(),
                                       "gas": hex(gas)}, "latest")
        return bytes.fromhex(result[2:])

    def send(self, data: bytes, gas: int = TX_GAS_LIMIT) -> dict:
        """The receipt."""
        sent = self.rpc("eth_sendTransaction", {"from": self.account, "to": self.address, "data": "0x" + data.hex(),
                                                "gas": hex(gas)})
        return self.receipt(sent)

    def receipt(self, sent: str) -> dict:
        """Of a transaction, once it is in a block."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if found := self.rpc("eth_getTransactionReceipt", sent):
                return found
            time.sleep(0.01)
        raise RuntimeError(f"chain: transaction {sent} does not get into a block")

    def view(self, method: str, data: bytes = b"", to: str | None = None, of: str = "Registry") -> bytes:
        selector = next(v for k, v in artifact(of)["methods"].items() if k.split("(")[0] == method)
        return self.call(bytes.fromhex(selector) + data, to)

    def set_time(self, now: int) -> None:
        """Of the next block, and of calls from now on."""
        self.rpc("evm_setNextBlockTimestamp", now)
        self.rpc("evm_mine")

    def pretend_size(self, size: int) -> None:
        """Makes the tree look as if it held so many entries already, whose hashes nobody knows."""
        for slot in range(41):
            value = (size if slot == 0 else slot).to_bytes(32, "big")
            self.rpc("anvil_setStorageAt", self.address, hex(slot), "0x" + value.hex())

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
                data = bytes.fromhex(log["data"][2:])
                found, cursor = [], 5
                while cursor < len(data):
                    size = int.from_bytes(data[cursor:cursor + 2], "big")
                    found.append(data[cursor + 2:cursor + 2 + size])
                    cursor += 2 + size
                return int.from_bytes(data[:5], "big"), found
        return 0, []

    def rejected(self, receipt: dict) -> dict[int, str]:
        """The rules that items of a call broke."""
        return {int(log["topics"][1], 16): self.errors[bytes.fromhex(log["data"][2:10])]
                for log in receipt["logs"] if log["topics"][:1] == [self.registry["events"]["Rejected"]]}
