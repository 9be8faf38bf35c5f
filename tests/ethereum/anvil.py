# SPDX-License-Identifier: Apache-2.0
"""A chain played by anvil (Foundry). What its `anvil_` methods do no real chain can."""
import contextlib
import json
import secrets
import shutil
import sys

from chain import CHAIN_ID, FINALIZED_DEPTH, GAS_LIMIT, GWEI, KEYS, SAFE_DEPTH, Chain, NotStarted, program, wait_for


class Anvil(Chain):
    """`state`: a file with the blocks to begin with (twin())."""

    name = "anvil"

    def __init__(self, state=None, **options):
        self._begin_with = state
        super().__init__(**options)

    def _choose_port(self) -> None:
        super()._choose_port()
        if self._begin_with:
            shutil.copy(self._begin_with, self.directory / "state")

    def twin(self) -> "Anvil":
        """Another chain, with the same blocks up to now and its own from then on."""
        with self._lock:
            self.keep()
            return Anvil(self.directory / "state", period=self.period, now=self.now, skew=self.skew)

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

    def _began(self) -> None:
        # Or chains that have seen the same would make the same blocks, and a reorganisation the ones it replaced.
        self.rpc("anvil_setCoinbase", "0x" + secrets.token_hex(20))

    def _replace(self, depth: int) -> None:
        self._began()
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
