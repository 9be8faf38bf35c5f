# SPDX-License-Identifier: Apache-2.0
"""A chain played by the EthereumJS client. Like every client since the Merge it makes no blocks by itself: the other half
of a node, which says through the Engine API what the chain is (execution-apis, src/engine), is played here."""
import json
import secrets
import shutil

from chain import (CHAIN_ID, COIN, FINALIZED_DEPTH, GAS_LIMIT, GWEI, SAFE_DEPTH, Chain, NotStarted, free_port,
                   program)
from rpc import Rpc

NOTHING = "0x" + bytes(32).hex()
FORKS = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin",
         "london", "mergeNetsplit")
BLOBS = {"cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
         "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716}}


class EthereumJs(Chain):
    name = "ethereumjs"

    def _choose_port(self) -> None:
        super()._choose_port()
        self.engine_port = free_port()
        self.secret = secrets.token_bytes(32)
        (self.directory / "secret").write_text(self.secret.hex())
        self.engine = Rpc(f"http://127.0.0.1:{self.engine_port}", self.secret)
        self._hashes = []  # of all blocks of the chain, by their numbers
        (self.directory / "genesis.json").write_text(json.dumps(self._genesis()))

    def _genesis(self) -> dict:
        return {"config": {"chainId": CHAIN_ID, **{fork + "Block": 0 for fork in FORKS}, "shanghaiTime": 0, "cancunTime": 0,
                           "pragueTime": 0, "terminalTotalDifficulty": 0,
                           "terminalTotalDifficultyPassed": True, "blobSchedule": BLOBS},
                "nonce": "0x0", "timestamp": hex(self.first_time), "extraData": "0x", "gasLimit": hex(GAS_LIMIT), "difficulty": "0x0",
                "mixHash": NOTHING, "coinbase": "0x" + bytes(20).hex(), "baseFeePerGas": hex(self.base_fee),
                "alloc": {account.address: {"balance": hex(10_000 * COIN)} for account in self.accounts}}

    def _arguments(self) -> list:
        # --useJsCrypto: the other library refuses some of the signatures that the precompile at address 1 must take.
        # --pruneEngineCache=false: or it does not go back behind what it once was told is final, as revert() does.
        node = shutil.which("node")
        if not node:
            raise NotStarted("chain: node (Node.js) is missing; run tools/setup")
        return [node, program("@ethereumjs", "client", "dist", "esm", "bin", "cli.js"),
                "--gethGenesis", self.directory / "genesis.json", "--dataDir", self.directory / "data",
                "--rpc", "--rpcAddr", "127.0.0.1", "--rpcPort", str(self.port),
                "--rpcEngine", "--rpcEngineAddr", "127.0.0.1", "--rpcEnginePort", str(self.engine_port),
                "--jwtSecret", self.directory / "secret", "--isSingleNode", "--saveReceipts", "--discDns=false",
                "--discV4=false", "--useJsCrypto", "--pruneEngineCache=false", "--port", "0", "--maxPeers", "0", "--logLevel", "warn", "--logFile=false"]

    def _began(self) -> None:
        if not self._hashes:
            self._hashes = [self.block(0)["hash"]]
        self._choose(None)

    # --- the Engine API -------------------------------------------------------------------------

    def _choose(self, attributes: dict | None) -> str | None:
        """The last of _hashes is the head of the chain. With attributes it begins a block on that, and returns its id."""
        def below(depth):
            return self._hashes[max(0, len(self._hashes) - 1 - depth)]

        state = {"headBlockHash": self._hashes[-1], "safeBlockHash": below(SAFE_DEPTH),
                 "finalizedBlockHash": below(FINALIZED_DEPTH)}
        answer = self.engine("engine_forkchoiceUpdatedV3", state, attributes)
        if answer["payloadStatus"]["status"] != "VALID":
            raise RuntimeError(f"ethereumjs: does not take {state} as its head: {answer}")
        return answer["payloadId"]

    def _mine_one(self, at: int) -> None:
        with self._lock:
            begun = self._choose({"timestamp": hex(at), "prevRandao": "0x" + secrets.token_hex(32),
                                  "suggestedFeeRecipient": "0x" + "11" * 20, "withdrawals": [],
                                  "parentBeaconBlockRoot": NOTHING})
            made = self.engine("engine_getPayloadV4", begun)
            block = made["executionPayload"]
            answer = self.engine("engine_newPayloadV4", block, [], NOTHING, made["executionRequests"])
            if answer["status"] != "VALID":
                raise RuntimeError(f"ethereumjs: does not take its own block {block['blockNumber']}: {answer}")
            self._hashes.append(block["blockHash"])
            self._choose(None)

    def _replace(self, depth: int) -> None:
        del self._hashes[-depth:]
        self._choose(None)
        self.mine(depth)

    def snapshot(self):
        return len(self._hashes)

    def revert(self, snapshot) -> None:
        with self._lock:
            del self._hashes[snapshot:]
            self._choose(None)

    def spike(self, gwei: int) -> None:
        """Full blocks make the next dearer by an eighth (EIP-1559). Nothing fills one as cheaply as what is no code."""
        filler = self.accounts[1]
        while (price := int(self.block()["baseFeePerGas"], 16)) < gwei * GWEI:
            with self._lock:
                nonce = int(self.rpc("eth_getTransactionCount", filler.address, "latest"), 16)
                raw = filler.transaction(CHAIN_ID, nonce, GWEI, 2 * price + GWEI, GAS_LIMIT, None, 0, b"\xfe")
                self.rpc("eth_sendRawTransaction", "0x" + raw.hex())
                self.mine()
