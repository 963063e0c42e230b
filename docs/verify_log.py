#!/usr/bin/env python3
"""verify_log.py URL VKEY [FILE.tlog-proof]: checks a log that is served as tlog-tiles, with nothing of Valija's and nothing
but Python's standard library; the one signature is openssl's to check. Exit status 0: all of it holds; 1: it does not; 3: it
does, but nobody looked at the signature, as there is no openssl, or one that is too old for it (before 3.0)."""
import base64, hashlib, pathlib, shutil, subprocess, sys, tempfile, urllib.request

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def leaf(entry): return sha(b"\0", entry)
def node(left, right): return sha(b"\1", left, right)
def must(holds, what):
    if not holds: sys.exit("DOES NOT HOLD: " + what)

def fetch(path):
    with urllib.request.urlopen(url + path, timeout=30) as answer: return answer.read()

def entries(n, width):  # what bundle n commits to
    path = "%03d" % (n % 1000)
    m = n // 1000
    while m: path, m = "x%03d/" % (m % 1000) + path, m // 1000
    bundle = fetch("tile/entries/" + path + (".p/%d" % width if width < 256 else ""))
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        yield bundle[2:2 + length]
        bundle = bundle[2 + length:]

def holds(key, text, sig):  # of Ed25519
    with tempfile.TemporaryDirectory() as temp:
        t, s, k = (pathlib.Path(temp, x) for x in "tsk")
        t.write_bytes(text); s.write_bytes(sig); k.write_bytes(bytes.fromhex("302a300506032b6570032100") + key)
        return subprocess.run([openssl, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", k, "-rawin", "-in", t,
                               "-sigfile", s], capture_output=True).returncode == 0

def signed(note):  # size and root of a checkpoint that the log signed
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    mine = [line for line in lines.splitlines() if line.startswith("\u2014 %s " % name)]
    sigs = [base64.b64decode(line.rsplit(" ", 1)[1]) for line in mine]
    sigs = [sig[4:] for sig in sigs if sig[:4].hex() == key_id]
    must(len(sigs) >= 1 and text.split("\n")[0] == name, "the checkpoint is not signed by " + name)
    for sig in sigs if openssl else []: must(holds(key[1:], text.encode(), sig), "the checkpoint's signature")
    return int(text.split("\n")[1]), base64.b64decode(text.split("\n")[2])

url, openssl = sys.argv[1].rstrip("/") + "/", shutil.which("openssl")
if openssl and not holds(*map(bytes.fromhex, (  # RFC 8032, 7.1, test 2
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))):
    openssl = print("openssl is too old to check the signature", file=sys.stderr)
name, key_id, key = sys.argv[2].split("+", 2)
key = base64.b64decode(key)
must(key[:1] == b"\1" and sha(name.encode(), b"\n", key)[:4].hex() == key_id, "the verifier key itself")
size, root = signed(fetch("checkpoint").decode())
proof = pathlib.Path(sys.argv[3]).read_text().split("\n\n", 1) if len(sys.argv) > 3 else None
wanted = [int(line[6:]) for line in proof[0].splitlines() if line.startswith("index ")][0] if proof else -1

peaks, seen, former, entry = [], 0, size, None  # roots of perfect trees, like the ones of a binary number
if proof: former, former_root = signed(proof[1])
def whole():
    joined = sha()
    for i, (_, h) in enumerate(reversed(peaks)): joined = node(h, joined) if i else h
    return joined
while seen < size:
    width = min(256, size - seen)
    batch = list(entries(seen // 256, width))
    must(len(batch) == width, "a bundle's length")
    for commitment in batch:
        peaks.append((1, leaf(commitment)))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (n, right), (_, left) = peaks.pop(), peaks.pop()
            peaks.append((2 * n, node(left, right)))
        if seen == wanted: entry = commitment
        seen += 1
        if proof and seen == former: must(whole() == former_root, "the proof's checkpoint is not one of this log")
must(seen == size and whole() == root, "the entries do not give the checkpoint's root")
print("%s: %d entries under root %s" % (name, size, root.hex()))

if proof:  # RFC 9162, 2.1.3.2
    path = [base64.b64decode(line) for line in proof[0].splitlines() if line.count(" ") == 0 and line != "c2sp.org/tlog-proof@v1"]
    must(entry is not None and wanted < former <= size, "the proof is of an entry that the log has not")
    fn, sn, r = wanted, former - 1, leaf(entry)
    for p in path:
        must(sn > 0, "the proof's path is too long")
        r = node(p, r) if fn & 1 or fn == sn else node(r, p)
        while not fn & 1 and fn == sn and fn: fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    must(sn == 0 and r == former_root, "the proof's path")
    print("entry %d is in it, commitment %s" % (wanted, entry.hex()))
if not openssl: sys.exit(3)
