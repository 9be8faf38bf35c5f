#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that tools/check_layers.py and tools/tidy.py fail on what they are there to catch: each case
breaks a small correct tree in one way and expects the complaint. And that documents hold."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent / "tools"
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"

GOOD = {
    "src/base/CMakeLists.txt": "bw_room(base LEVEL 0)\n",
    "src/base/bytes.hpp": "",
    "src/base/testing/data.hpp": "",
    "src/crypto/CMakeLists.txt": "bw_room(crypto LEVEL 1\n  DEPS base\n  LIBS PkgConfig::SODIUM)\n",
    "src/crypto/keys.hpp": '#include "base/bytes.hpp"\n',
    "src/crypto/keys.cpp": '#include "crypto/keys.hpp"\n#include <sodium.h>\n',
    "src/crypto/keys_test.cpp": '#include "base/testing/data.hpp"\n#include <sodium.h>\n',
    "src/net/CMakeLists.txt": "bw_room(net LEVEL 4 DEPS base)\n",
    "src/net/channel.hpp": "#include <boost/asio/io_context.hpp>\n",
    "src/net/tls.hpp": "#include <openssl/ssl.h>\n",
    "src/router/CMakeLists.txt": "bw_room(router LEVEL 6 DEPS base net TEST_DEPS crypto)\n",
    "src/router/router.cpp": '#include "net/channel.hpp"\n',
    "src/router/router_test.cpp": '#include "crypto/keys.hpp"\n',
}


def run(tool, changes):
    """The tool's exit code and output over GOOD with `changes`."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in {**GOOD, **changes}.items():
            path = pathlib.Path(directory, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if path.name == "CMakeLists.txt" else SPDX + text)
        done = subprocess.run([sys.executable, TOOLS / tool, directory], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


class Layers(unittest.TestCase):
    def breaks(self, changes, complaint):
        code, output = run("check_layers.py", changes)
        self.assertEqual(code, 1, output)
        self.assertIn(complaint, output)
        self.assertEqual(output.count("\n"), 1, output)

    def test_a_good_tree_passes(self):
        self.assertEqual(run("check_layers.py", {}), (0, ""))

    def test_room_not_in_deps_even_when_reached_through_another(self):
        self.breaks({"src/crypto/CMakeLists.txt": "bw_room(crypto LEVEL 1 DEPS)\n",
                     "src/crypto/keys_test.cpp": ""},
                    'keys.hpp:2: "base/bytes.hpp": crypto does not name base')
        self.breaks({"src/router/CMakeLists.txt": "bw_room(router LEVEL 6 DEPS net TEST_DEPS crypto)\n",
                     "src/router/router.cpp": '#include "base/bytes.hpp"\n'}, "router does not name base")

    def test_including_upwards(self):
        self.breaks({"src/base/bytes.hpp": '#include "crypto/keys.hpp"\n',
                     "src/crypto/keys.hpp": ""}, "base does not name crypto")

    def test_depending_upwards_or_sideways(self):
        for level in (1, 4):
            code, output = run("check_layers.py",
                               {"src/net/CMakeLists.txt": f"bw_room(net LEVEL {level} DEPS base crypto)\n",
                                "src/crypto/CMakeLists.txt": "bw_room(crypto LEVEL 4 DEPS base)\n"})
            self.assertEqual(code, 1)
            self.assertIn("net (level %d): depends on crypto (level 4)" % level, output)

    def test_unknown_rooms_and_files(self):
        self.breaks({"src/router/router.cpp": '#include "nowhere/x.hpp"\n'}, "nowhere is no room")
        self.breaks({"src/router/router.cpp": '#include "net/x.hpp"\n'}, "no such file")
        self.breaks({"src/net/CMakeLists.txt": "bw_room(net LEVEL 4 DEPS base bsae)\n"}, "bsae, which is no room")
        self.breaks({"src/loose/x.hpp": ""}, "loose is no room")
        self.breaks({"src/bare/CMakeLists.txt": "", "src/bare/x.cpp": ""}, "sources but no bw_room")

    def test_headers_that_include_each_other(self):
        self.breaks({"src/base/bytes.hpp": '#include "base/id.hpp"\n',
                     "src/base/id.hpp": '#include "base/bytes.hpp"\n'}, "include each other")

    def test_program_code_that_uses_test_code(self):
        self.breaks({"src/crypto/keys.hpp": '#include "base/testing/data.hpp"\n'}, "only tests may use")

    def test_libraries_outside_their_rooms(self):
        for header, library in [("boost/beast/http.hpp", "Beast"), ("rocksdb/db.h", "RocksDB"),
                                ("sodium.h", "libsodium"), ("secp256k1.h", "libsecp256k1"),
                                ("openssl/ssl.h", "OpenSSL"), ("grpcpp/grpcpp.h", "gRPC")]:
            self.breaks({"src/router/router.cpp": f"#include <{header}>\n"}, f"{library} belongs to")
        self.breaks({"src/crypto/keys.cpp": "#include <boost/asio/post.hpp>\n"}, "Asio is for rooms from level 4")

    def test_a_hidden_library_in_a_header_for_others(self):
        self.breaks({"src/router/router.cpp": '#include "net/channel.hpp"\n',
                     "src/net/channel.hpp": '#include "net/tls.hpp"\n'}, "net/channel.hpp brings OpenSSL with it")


class Tidy(unittest.TestCase):
    def breaks(self, text, complaint):
        code, output = run("tidy.py", {"src/base/bytes.hpp": text,
                                       **{name: "# " + SPDX[3:] + old for name, old in GOOD.items()
                                          if name.endswith(".txt")}})
        self.assertEqual(code, 1, output)
        self.assertIn(complaint, output)

    def test_rules(self):
        self.breaks("\tint x;\n", "a tab")
        self.breaks("int x; \n", "spaces at the end")
        self.breaks("// TO" "DO: more\n", "work left")
        self.breaks("co_spawn(io, f(), asio::det" "ached);\n", "detached coroutine")
        self.breaks("int " + "x" * 100 + ";\n", "columns")
        self.breaks("int x;\n" * 600, "601 lines")
        code, output = run("tidy.py", {})
        self.assertEqual(code, 1)
        self.assertIn("src/net/CMakeLists.txt:1: the first line must be", output)


class Documents(unittest.TestCase):
    """docs/security.md names the test that shows each claim: those tests must exist."""

    def test_named_tests_exist(self):
        root = TOOLS.parent
        files = [*(root / "src").rglob("*_test.cpp"), *(root / "tests").rglob("*_test.cpp"),
                 *(root / "tests" / "system").glob("*.py")]
        source = "\n".join(path.read_text() for path in files)
        text = (root / "docs" / "security.md").read_text()
        cases = re.findall(r"`([A-Z]\w+)\.(\w+)`", text)
        self.assertGreater(len(cases), 20)
        for suite, name in cases:
            self.assertRegex(source, rf"\(\s*{suite}\s*,\s*{name}\b")
        for name in re.findall(r"`(test_\w+)`", text):
            self.assertIn(f"def {name}(", source)


if __name__ == "__main__":
    unittest.main()
