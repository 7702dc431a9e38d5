#!/usr/bin/env python3
"""Scores edges, files and consequences of changes against what is known of two public repositories.

    repositories.py --corpora DIR --ringshift RINGSHIFT

DIR holds checkouts named OWNER+NAME; truth/ says at which commit, and what is true there. A repository without rings.yaml
gets the one that `init --yes` proposes, in a clone; a root that had to be invented, and its edges, are left out.
Prints one JSON object; the exit code is 1 when anything differs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

TRUTH = Path(__file__).resolve().parent / "truth"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--corpora", type=Path, required=True)
    options.add_argument("--ringshift", type=Path, required=True)
    options = options.parse_args()
    report = {}
    for path in sorted(TRUTH.glob("*.files.json")):
        name = path.name.removesuffix(".files.json")
        truth = json.loads((TRUTH / f"{name}.json").read_text())
        files = json.loads(path.read_text())
        with tempfile.TemporaryDirectory() as place:
            checkout = prepare(truth, options, Path(place) / "clone")
            report[truth["repo"]] = score(truth, files, Asker(options.ringshift.resolve(), checkout))
    print(json.dumps(report))
    return 1 if any(row["differences"] for row in report.values()) else 0


def prepare(truth, options, clone):
    git = lambda *args: subprocess.run(["git", *args], check=True, stdout=subprocess.DEVNULL)
    source = options.corpora / truth["repo"].replace("/", "+")
    git("clone", "--quiet", "--no-checkout", str(source), str(clone))
    git("-C", str(clone), "checkout", "--quiet", truth["commit"])
    subprocess.run(
        [options.ringshift.resolve(), "-q", "init", "--yes"], cwd=clone, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    git("-C", str(clone), "add", "-A")
    git("-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "-m", "Rings")
    return clone


class Asker:
    def __init__(self, program, checkout):
        self.command = [program, "-q", "-C", checkout]

    def __call__(self, *args):
        ran = subprocess.run([*self.command, *args, "--json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(ran.stdout)


def score(truth, files, ask):
    names = {image["name"] if isinstance(image, dict) else image for image in truth["images"]}
    known = lambda images: {image for image in images if image in names}
    differences = []

    def same(what, ours, theirs):
        if set(ours) != set(theirs):
            differences.append({"what": what, "too_many": sorted(set(ours) - set(theirs)), "missing": sorted(set(theirs) - set(ours))})

    graph = ask("graph")
    edges = {
        (image["name"], dependency["image"])
        for image in graph["images"] for dependency in image["dependencies"]
        if dependency["via"] != "root" and {image["name"], dependency["image"]} <= names
    }
    same("edges", edges, map(tuple, truth["edges"]))
    for image, wanted in files.items():
        same(f"files of {image}", (read["path"] for read in ask("explain", image)["reads"]), wanted)
    paths = [change["path"] for change in truth["changes"]]
    affected = ask("affected", *(word for path in paths for word in ("--path", path)))["paths"]
    for change in truth["changes"]:
        ours = affected.get(change["path"], {"direct": [], "rebuilt": []})
        for key in ("direct", "rebuilt"):
            same(f"{key} of {change['path']}", known(ours[key]), change[key])
    return {
        "commit": truth["commit"],
        "images": len(names),
        "edges": len(truth["edges"]),
        "files": sum(len(set(paths)) for paths in files.values()),
        "changes": len(truth["changes"]),
        "differences": differences,
    }


if __name__ == "__main__":
    sys.exit(main())
