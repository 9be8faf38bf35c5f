# SPDX-License-Identifier: Apache-2.0
"""A chain played by anvil (Foundry). What its `anvil_` methods do no real chain can."""
import contextlib
import json
import sys

from chain import CHAIN_ID, FINALIZED_DEPTH, GAS_LIMIT, GWEI, KEYS, SAFE_DEPTH, Chain, NotStarted, program, wait_for


class Anvil(Chain):
    name = "anvil"

    def _arguments(self) -> list:
        if sys.platform != "linux":
            raise NotStarted("chain: contracts/package.json names anvil for Linux only; add the package of this system")
        assert FINALIZED_DEPTH == 2 * SAFE_DEPTH
        return [program("@foundry-rs", "anvil-linux-amd64", "bin", "anvil"), "--host", "127.0.0.1", "--port", str(self.port),
                "--chain-id", str(CHAIN_ID), "--hardfork", "osaka", "--gas-limit", str(GAS_LIMIT), "--enable-tx-gas-limit",
                "--timestamp", str(self.first_time), "--block-base-fee-per-gas", str(self.base_fee), "--accounts", str(len(KEYS)),
                "--slots-in-an-epoch", str(SAFE_DEPTH), "--no-mining", "--order", "fees", "--state",
                self.directory / "state", "--state-interval", "1", "--quiet"]

    def _mine_one(self, at: int) -> None:
        self.rpc("evm_mine", at)

    def _replace(self, depth: int) -> None:
        self.rpc("anvil_reorg", depth, [])

    def keep(self) -> None:
        """It writes its state once a second."""
        file, height = self.directory / "state", self.height

        def written():
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                return int(json.loads(file.read_text())["best_block_number"]) >= height
            return False

        wait_for(f"anvil to have block {height} on disk", written)

    def snapshot(self):
        return self.rpc("evm_snapshot")

    def revert(self, snapshot) -> None:
        with self._lock:
            self.rpc("evm_revert", snapshot)

    def spike(self, gwei: int) -> None:
        with self._lock:
            self.rpc("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))
            self.mine()

    def set_storage(self, address: str, slot: int, value: int) -> None:
        self.rpc("anvil_setStorageAt", address, hex(slot), "0x" + value.to_bytes(32, "big").hex())
