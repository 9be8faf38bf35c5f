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
    """Makes a block whenever a transaction of the account waits. Blocks that come by a fixed period would have to come
    more than once a second to be no hindrance, and then the chain's time, which goes on by whole seconds, would run away
    from the clock."""

    def __init__(self, chain, account):
        self.chain, self.account = chain, account
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
                if self._nonce("pending") != self._nonce("latest"):
                    self.chain.mine()
        except Exception as failure:
            self.failure = failure

    def _nonce(self, which: str) -> int:
        return int(self.chain.rpc("eth_getTransactionCount", self.account.address, which), 16)


def main() -> int:
    with open_chain(PROGRAM, skew=-45) as chain, LyingProxy(chain.url) as endpoint:
        account = chain.accounts[0]
        key = pathlib.Path(chain.directory, "key")
        key.touch(0o600)
        key.write_text(account.key.hex())
        with Miner(chain, account) as miner:
            code = subprocess.run([CONFORMANCE, *sys.argv[1:]], check=False,
                                  env={**os.environ, "BW_CHAIN_URL": endpoint.ws_url, "BW_CHAIN_KEY": str(key)}).returncode
        if miner.failure:
            raise miner.failure
        return code


if __name__ == "__main__":
    raise SystemExit(main())
