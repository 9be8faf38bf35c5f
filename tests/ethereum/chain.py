# SPDX-License-Identifier: Apache-2.0
"""A chain of its own for a test, a bench or a show, and what can befall one. Two programs play it, which have nothing in
common: anvil (anvil.py) and EthereumJS (ethereumjs.py); both come by contracts/install.

Blocks are made by a thread here and not by the programs themselves, so that halting, hurrying and reorganising is the
same with both."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from rpc import UNREACHABLE, Rpc, RpcError
from transactions import Account

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "system"))

from bosswave import free_port, wait_for  # noqa: E402

# Where contracts/install leaves the packages and the compiled contracts.
BUILD = pathlib.Path(os.environ.get("BW_CONTRACTS_BUILD", ROOT / "build" / "contracts"))
CHAIN_ID = 31337
GAS_LIMIT = 60_000_000
TX_GAS_LIMIT = 1 << 24  # EIP-7825
GWEI = 10**9
COIN = 10**18
# Blocks below the head that the tags `safe` and `finalized` stand for.
SAFE_DEPTH, FINALIZED_DEPTH = 4, 8
# The first two that every development node knows. They hold 10,000 coins each in the first block.
KEYS = ("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")


class NotStarted(SystemExit):
    """A node program is missing or does not run; says what to do."""


class Chain:
    """`period`: seconds between blocks; without it there are only those that mine() makes. `now`: time of the first block
    in seconds since 1970, from where chain time then goes on by a second for each block; without it the clock is followed,
    `skew` seconds ahead of it. Blocks are a second apart at least, so chains of a shorter period run ahead: let those begin
    behind the clock. `base_fee`: of the first block, in wei. Use as a context manager, or close()."""

    name = ""

    def __init__(self, period: float | None = None, now: int | None = None, skew: int = 0, base_fee: int = GWEI):
        self.period, self.now, self.base_fee = period, now, base_fee
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bwchain"))
        self.accounts = [Account(bytes.fromhex(key)) for key in KEYS]
        self.skew = skew
        self.first_time = now if now is not None else int(time.time()) + skew
        self.process = None
        self._lock = threading.RLock()  # whoever changes the chain holds it
        self._stopped = threading.Event()  # no producer: halted, or not started yet
        self._stopped.set()
        self._thread = None
        try:
            self._choose_port()
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- the program ----------------------------------------------------------------------------

    def _arguments(self) -> list:
        raise NotImplementedError

    def _began(self) -> None:
        """Called when the program answers."""

    def _choose_port(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rpc = Rpc(self.url)

    def start(self) -> None:
        """Starts the program, again if it was killed, and with it the making of blocks."""
        log_path = self.directory / "log"
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(
                self._arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                env={**os.environ, "HOME": str(self.directory)})  # so that they leave nothing elsewhere

        def answers():
            if self.process.poll() is not None:
                said = log_path.read_text(errors="replace")[-2000:]
                raise NotStarted(f"chain: {self.name} ended with {self.process.returncode} at its start; it said:\n{said}\n"
                                 f"Try it by hand: {' '.join(map(str, self._arguments()))}")
            with contextlib.suppress(*UNREACHABLE):
                return int(self.rpc("eth_chainId"), 16) == CHAIN_ID
            return False

        wait_for(f"{self.name} to answer at {self.url}", answers)
        self._began()
        self.go_on()

    def kill(self) -> None:
        """As a crash does; start() goes on from what it had on disk."""
        self.halt()
        self.process.kill()
        self.process.wait()

    def keep(self) -> None:
        """Returns when the chain as it is now would outlive kill()."""

    def pause(self) -> None:
        """Lets it hang: connections stand, nothing is answered."""
        self.halt()
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.go_on()

    def close(self) -> None:
        self.halt()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- blocks ---------------------------------------------------------------------------------

    def _mine_one(self, at: int) -> None:
        """One block on the head, of this time."""
        raise NotImplementedError

    def _replace(self, depth: int) -> None:
        """Goes back so many blocks and makes as many others."""
        raise NotImplementedError

    def _next_time(self) -> int:
        after = int(self.block()["timestamp"], 16) + 1
        return after if self.now is not None else max(after, int(time.time()) + self.skew)

    def mine(self, count: int = 1, at: int | None = None) -> None:
        """So many blocks at once; `at`: the time of the first."""
        with self._lock:
            for _ in range(count):
                self._mine_one(at or self._next_time())
                at = None

    def reorg(self, depth: int) -> None:
        """Replaces the last blocks by others, and one more. Their transactions are in none of them and forgotten."""
        with self._lock:
            self._replace(depth)
            self.mine()

    def halt(self) -> None:
        """No more blocks, until go_on(); mine() still makes some."""
        self._stopped.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def go_on(self) -> None:
        if self.period and self._stopped.is_set():
            self._stopped.clear()
            self._thread = threading.Thread(target=self._produce, name="_produce", daemon=True)
            self._thread.start()

    def _produce(self) -> None:
        due = time.monotonic()
        while not self._stopped.is_set():
            try:
                self.mine()
            except UNREACHABLE:
                if self.process.poll() is not None:
                    return
            due = max(due + self.period, time.monotonic())
            self._stopped.wait(due - time.monotonic())

    def jump(self, seconds: int) -> None:
        """The next block is so much later, and so are all behind it."""
        self.skew = max(self.skew, int(self.block()["timestamp"], 16) - int(time.time())) + seconds

    def snapshot(self):
        """For revert(), which forgets all that came after; once. That is seen from the next block on."""
        raise NotImplementedError

    def revert(self, snapshot) -> None:
        raise NotImplementedError

    def block(self, which: str | int = "latest") -> dict | None:
        return self.rpc("eth_getBlockByNumber", hex(which) if isinstance(which, int) else which, False)

    @property
    def height(self) -> int:
        return int(self.rpc("eth_blockNumber"), 16)

    # --- money ----------------------------------------------------------------------------------

    def balance(self, address: str) -> int:
        return int(self.rpc("eth_getBalance", address, "latest"), 16)

    def send(self, account: Account, to: str | None = None, data: bytes = b"", gas: int = TX_GAS_LIMIT, value: int = 0,
             max_fee: int | None = None, tip: int = 1) -> dict:
        """The receipt of a transaction, which is in a block then. RpcError when the node refuses it."""
        max_fee = max_fee or 2 * int(self.block()["baseFeePerGas"], 16) + tip
        nonce = int(self.rpc("eth_getTransactionCount", account.address, "latest"), 16)
        raw = account.transaction(CHAIN_ID, nonce, tip, max_fee, gas, to, value, data)
        return self.receipt(self.rpc("eth_sendRawTransaction", "0x" + raw.hex()))

    def receipt(self, transaction: str) -> dict:
        """Of one that was sent, once it is in a block."""
        if self._stopped.is_set():
            self.mine()
        return wait_for(f"transaction {transaction} to get into a block",
                        lambda: self.rpc("eth_getTransactionReceipt", transaction))

    def fund(self, address: str, wei: int) -> None:
        self.send(self.accounts[0], address, gas=21_000, value=wei)

    def drain(self, account: Account) -> None:
        """Leaves the account nothing at all."""
        for _ in range(5):  # fees may rise, or somebody else use the nonce, at the same time
            price = 4 * int(self.block()["baseFeePerGas"], 16)
            left = self.balance(account.address) - 21_000 * price
            if left < 0:
                break
            with contextlib.suppress(RpcError):
                self.send(account, self.accounts[0].address, gas=21_000, value=left, max_fee=price, tip=price)
            if self.balance(account.address) == 0:
                return
        raise AssertionError(f"{account.address} cannot be emptied: {self.balance(account.address)} wei are left")

    def spike(self, gwei: int) -> None:
        """Makes blocks until a unit of gas costs that much. From there it falls by an eighth with each empty block."""
        raise NotImplementedError


def program(*parts: str) -> pathlib.Path:
    """A file of the packages that contracts/install installed."""
    found = BUILD.joinpath("npm", "node_modules", *parts)
    if not found.exists():
        raise NotStarted(f"chain: {found} is missing; run {ROOT}/contracts/install {BUILD} (ctest does: contracts_install), "
                         "which needs npm (tools/setup) and, the first time, a network")
    return found


def open_chain(name: str, **options) -> Chain:
    """By the name of its program: anvil or ethereumjs."""
    import anvil
    import ethereumjs
    kinds = {kind.name: kind for kind in (anvil.Anvil, ethereumjs.EthereumJs)}
    if name not in kinds:
        raise NotStarted(f"chain: no node program '{name}'; there are {', '.join(kinds)}")
    return kinds[name](**options)
