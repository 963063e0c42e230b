"""sbom.py BIN_DIR: what the programs are made of, as CycloneDX 1.5 JSON on standard output.

The shared libraries that the programs load, each by the Debian package and version that it came from when they were linked,
and the header-only ones that were compiled in. The same inputs give the same bytes: no clock, no chance.
"""
import hashlib
import json
import os
import subprocess
import sys

HEADERS = ["libcli11-dev", "nlohmann-json3-dev", "libcpp-httplib-dev", "libspdlog-dev"]
TOOLS = ["g++", "cmake", "protobuf-compiler", "protobuf-compiler-grpc"]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def distribution():
    with open("/etc/os-release", encoding="utf-8") as lines:
        return dict(line.rstrip().replace('"', "").split("=", 1) for line in lines if "=" in line)


def package_of(path):
    for name in (path, os.path.realpath(path), "/usr" + os.path.realpath(path)):
        found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(": ")[0].split(",")[0]
    sys.exit(f"sbom: no package has {path}")


def component(package, kind="library"):
    name, version, architecture, source = run(
        "dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}\t${source:Package}", package).split("\t")
    system = distribution()
    purl = (f"pkg:deb/{system['ID']}/{name}@{version.replace('+', '%2B').replace(':', '%3A')}"
            f"?arch={architecture}&distro={system['ID']}-{system['VERSION_ID']}")
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "properties": [{"name": "debian:source", "value": source}]}


def main():
    folder = sys.argv[1]
    programs = sorted(os.listdir(folder))
    loaded = {}
    for program in programs:
        for line in run("ldd", os.path.join(folder, program)).splitlines():
            words = line.split()
            path = words[2] if "=>" in words else words[0]
            if path.startswith("/"):
                loaded.setdefault(package_of(path), set()).add(program)
    version = run(os.path.join(folder, "valija"), "--version").split()[-1]
    uses = {program: [] for program in programs}
    components = []
    for package in sorted(loaded):
        made = component(package)
        components.append(made)
        for program in loaded[package]:
            uses[program].append(made["bom-ref"])
    for package in HEADERS:
        made = component(package)
        made["properties"].append({"name": "valija:compiled-in", "value": "headers"})
        components.append(made)
    ours = []
    for program in programs:
        with open(os.path.join(folder, program), "rb") as content:
            digest = hashlib.sha256(content.read()).hexdigest()
        ours.append({"type": "application", "bom-ref": program, "name": program, "version": version,
                     "hashes": [{"alg": "SHA-256", "content": digest}]})
    out = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
           "metadata": {"component": {"type": "application", "bom-ref": "valija", "name": "valija", "version": version,
                                      "licenses": [{"license": {"id": "Apache-2.0"}}], "components": ours},
                        "tools": {"components": [component(tool, "application") for tool in TOOLS]}},
           "components": components,
           "dependencies": [{"ref": program, "dependsOn": sorted(uses[program])} for program in programs]}
    json.dump(out, sys.stdout, indent=1, sort_keys=True)
    print()


main()
