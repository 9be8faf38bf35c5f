# SPDX-License-Identifier: Apache-2.0
"""That the ledger on a chain (BW_CHAIN) does what every ledger must: src/ledger/testing/conformance.hpp, which
ledger_conformance runs, each of its tests on a Registry of its own."""
import os
import pathlib
import subprocess
import sys
import threading

from chain import ROOT, open_chain
from lying_proxy import LyingProxy

PROGRAM = os.environ.get("BW_CHAIN", "anvil")
CONFORMANCE = os.environ.get("BW_LEDGER_CONFORMANCE", ROOT / "build/release/tests/ethereum/ledger_conformance")
LOOK_SECONDS = 0.02  # how often is looked for a transaction that waits


class Miner:
    """Makes a block whenever a transaction of one of the accounts waits. Blocks that come by a fixed period would have to come
    more than once a second to be no hindrance, and then the chain's time, which goes on by whole seconds, would run away
    from the clock."""

    def __init__(self, chain, accounts):
        self.chain, self.accounts = chain, accounts
        self.failure = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._over.wait(LOOK_SECONDS):
                if any(self._nonce(one, "pending") != self._nonce(one, "latest") for one in self.accounts):
                    self.chain.mine()
        except Exception as failure:
            self.failure = failure

    def _nonce(self, account, which: str) -> int:
        return int(self.chain.rpc("eth_getTransactionCount", account.address, which), 16)


def main() -> int:
    with open_chain(PROGRAM, skew=-45) as chain, LyingProxy(chain.url) as endpoint:
        keys = {}
        for variable, account in zip(("BW_CHAIN_KEY", "BW_CHAIN_OTHER_KEY"), chain.accounts):
            key = pathlib.Path(chain.directory, variable)
            key.touch(0o600)
            key.write_text(account.key.hex())
            keys[variable] = str(key)
        with Miner(chain, chain.accounts[:2]) as miner:
            code = subprocess.run([CONFORMANCE, *sys.argv[1:]], check=False,
                                  env={**os.environ, "BW_CHAIN_URL": endpoint.ws_url, **keys}).returncode
        if miner.failure:
            raise miner.failure
        return code


if __name__ == "__main__":
    raise SystemExit(main())
