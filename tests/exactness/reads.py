#!/usr/bin/env python3
"""Asks a real builder which files it reads, and holds `ringshift explain IMAGE --json` to that.

    reads.py --corpora DIR --ringshift RINGSHIFT --buildctl BUILDCTL --address ADDRESS
             [--seed N] [--samples N] [--repository OWNER+NAME] [--each N]

DIR holds clones of the repositories of reads.tsv, named OWNER+NAME, at their commits. In a throw-away clone of each `ringshift init
--yes` writes a rings.yaml. Then, for images drawn at random, one file of the context at a time is altered, half of them
files that `reads` lists, half others, and near misses first. BuildKit builds the image from a rewritten container file (rewrite.py)
before and after: what it reads changes the image, and nothing else does. Besides, all files of a context that `reads` does
not list are altered at once.

Prints one JSON object for each repository; the exit code is 1 when anything disagrees. What can't be asked is among `skipped`,
with the reason. A disagreement found by `all` is one among the files altered at once. A build that fails once a file is altered has
read that file. `kinds` says what the altered files were. A snapshot that lacks its largest blobs gets a line in their place (`absent_blobs`).

    corpora=$HOME/corpora; mkdir -p "$corpora"
    tail -n +2 tests/exactness/reads.tsv | while IFS="$(printf '\\t')" read -r repository commit _; do
      git clone --quiet --no-checkout "https://github.com/$repository" "$corpora/$(echo "$repository" | tr / +)"
      git -C "$corpora/$(echo "$repository" | tr / +)" reset --quiet --soft "$commit"
    done
    tests/lab/lab.sh install && address=$(tests/lab/lab.sh start)
    tests/exactness/reads.py --corpora "$corpora" --ringshift target/release/ringshift --buildctl target/lab/bin/buildctl --address "$address"
"""

import argparse
import fnmatch
import json
import os
import posixpath
import random
import re
import sys
import tempfile
import time
from pathlib import Path

import rewrite
from world import LINK, Builder, Clone, Disk

HERE = Path(__file__).parent
# Where ringshift knowingly takes more than a builder reads.
WHOLE = {"foreign-syntax", "not-understood"}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("corpora", "ringshift", "buildctl", "address"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    options.add_argument("--samples", type=int, default=60, help="of each repository")
    options.add_argument("--each", type=int, default=4, help="samples of an image before the next one is drawn")
    options.add_argument("--list", type=Path, default=HERE / "reads.tsv", help="repositories, commits, kinds")
    options.add_argument("--repository", action="append")
    options.add_argument("--image", action="append", help="only this one")
    given = options.parse_args()
    wrong = 0
    rows = [row.split("\t") for row in given.list.read_text().splitlines()[1:]]
    for name, commit, _ in rows:
        name = name.replace("/", "+")
        if given.repository and name not in given.repository:
            continue
        with tempfile.TemporaryDirectory(prefix="reads-") as place:
            report = Repository(given, Path(given.corpora, name), Path(place)).ask(commit)
        print(json.dumps(report), flush=True)
        wrong += len(report["disagreements"])
    sys.exit(wrong > 0)


class Repository:
    def __init__(self, given, corpus, place):
        self.given, self.random = given, random.Random(f"{given.seed} {corpus.name}")
        self.clone = Clone(corpus, place, Path(given.ringshift).resolve())
        self.disk = Disk(self.clone, place / "tree")
        self.builder = Builder(given.buildctl, given.address, place)
        self.report = {"repository": corpus.name, "commit": self.clone.commit, "seed": given.seed, "absent_blobs": self.clone.absent,
                       "frontends_replaced": self.clone.upstream,
                       "images": 0, "sampled_images": 0, "samples": 0, "kinds": {}, "agreements": 0,
                       "disagreements": [], "at_once": {"images": 0, "files": 0}, "reads": 0, "builds": 0, "skipped": []}

    def ask(self, commit):
        if self.clone.commit != commit:
            raise SystemExit(f"{self.report['repository']} is at {self.clone.commit}, not at {commit}")
        images = {n: e for n, e in self.clone.images().items() if file_of(self.clone, e) in self.clone.own}
        self.report["images"] = len(images)
        names = sorted(self.given.image or images)
        self.random.shuffle(names)
        ready, began = [], time.monotonic()
        for name in names:
            if self.report["samples"] >= self.given.samples:
                break
            if image := self.open(name, images[name]):
                self.report["sampled_images"] += 1
                ready.append(image)
                self.sample(image)
        while ready and self.report["samples"] < self.given.samples:
            ready = [image for image in ready if self.sample(image)]
        self.report |= {"builds": self.builder.builds, "seconds": round(time.monotonic() - began), "builder_seconds": round(self.builder.seconds)}
        return self.report

    def open(self, name, entry):
        """The image ready to be asked about, or None and a reason among what was skipped."""
        skip = lambda reason: self.report["skipped"].append({"image": name, "reason": reason})
        try:
            said = self.clone.explain(name)
        except RuntimeError as error:
            return skip(f"ringshift: {error}")
        if unknown := [w["message"] for w in said["warnings"] if w["code"] in WHOLE]:
            return skip(f"the whole context by design: {unknown[0]}")
        named = re.sub(r"\{ *image:[^}]*\}|\"?docker-image://[^\",}]*\"?", "IMAGE", entry.get("contexts", "{}").strip()[1:-1])
        if not all(context.endswith(": IMAGE") for context in named.split(",") if context):
            return skip("a named context that is a folder")
        try:
            image = Image(self, name, entry, said)
        except rewrite.Unsupported as reason:
            return skip(f"rewrite: {reason}")
        if image.base.startswith("error"):
            return skip(f"builder: {image.base}")
        self.at_once(image)
        return image

    def sample(self, image):
        """Up to `each` files of an image, one at a time. How many there were."""
        count = 0
        for _ in range(self.given.each // 2):
            for drawn, listed in ((image.listed, True), (image.others, False)):
                if drawn and self.report["samples"] < self.given.samples:
                    self.one(image, *drawn.pop(), listed)
                    count += 1
        return count

    def one(self, image, path, kind, listed):
        changed, digest = image.changes([path])
        self.report["samples"] += 1
        self.report["kinds"][kind] = self.report["kinds"].get(kind, 0) + 1
        if changed == listed:
            self.report["agreements"] += 1
        else:
            self.disagree(image, path, listed, digest)

    def disagree(self, image, path, listed, digest, found_by="one"):
        said = digest if digest.startswith("error") else "changed" if digest != image.base else "same"
        row = {"path": path, "mode": self.clone.files[path][0], "image": image.name, "ringshift": "read" if listed else "not read",
               "builder": said, "found_by": found_by}
        self.report["disagreements"].append(row)
        print(json.dumps(row), file=sys.stderr)

    def at_once(self, image):
        """All files that are not listed, altered together; a change is narrowed down to a file."""
        paths = [path for path, _ in image.others]
        self.report["at_once"]["images"] += 1
        self.report["at_once"]["files"] += len(paths)
        self.report["reads"] += len(image.listed)
        changed, digest = image.changes(paths) if paths else (False, "")
        while changed and len(paths) > 1:
            half = paths[:len(paths) // 2]
            now, at = image.changes(half)
            paths, digest = (half, at) if now else (paths[len(half):], digest)
        if changed:
            changed, digest = image.changes(paths)
            self.disagree(image, paths[0], False, digest, "all" if changed else "all, but not alone")


class Image:
    """One image: its rewritten container file, its context on disk, and what the builder makes of it."""

    def __init__(self, of, name, entry, said):
        self.of, self.name, self.entry = of, name, entry
        clone, context = of.clone, posixpath.normpath(entry["context"])
        file = file_of(clone, entry)
        for other in said["dependencies"]:
            if re.search(rb"(?im)^[ \t]*ONBUILD\b", clone.blob(file_of(clone, clone.images()[other]))):
                raise rewrite.Unsupported(f"triggers of {other}")
        self.args = entry.get("args", {})
        text = rewrite.rewrite(clone.blob(file).decode("utf-8", "surrogateescape"), self.args)
        ignore = file + ".dockerignore"
        self.file = posixpath.basename(file)
        self.folder = of.builder.question(text, self.file, clone.blob(ignore) if ignore in clone.files else None)
        self.context = of.disk.root / context
        paths = of.disk.below(context)
        listed = {unescaped(r["path"]) for r in said["reads"]}
        if stray := listed - set(paths):
            raise rewrite.Unsupported(f"reads outside of the context: {sorted(stray)[0]}")
        self.listed = [(p, "listed link" if clone.files[p][0] == LINK else "listed") for p in sorted(listed)]
        self.others = near(of.random, clone, context, file, paths, listed)
        of.random.shuffle(self.listed)
        self.base = self.digest()

    def digest(self):
        return self.of.builder.digest(self.folder, self.file, self.context, self.entry.get("target"), self.args)

    def changes(self, paths):
        """Whether the image is another one with these files altered, and what it is then."""
        disk = self.of.disk
        were = list(disk.read(paths))
        for path, data in were:
            disk.alter(path, data)
        digest = self.digest()
        for path, data in were:
            disk.put(path, data)
        return digest != self.base, digest


def file_of(clone, entry):
    if "file" in entry:
        return posixpath.normpath(entry["file"])
    found = (posixpath.normpath(f"{entry['context']}/{n}") for n in ("Dockerfile", "dockerfile", "Containerfile"))
    return next((p for p in found if p in clone.files), None)


def unescaped(path):
    return os.fsdecode(re.sub(rb"\\(x[0-9a-f]{2}|\\)", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), path.encode()))


def near(random, clone, context, file, paths, listed):
    """The files that are not listed, with their kinds, in the order in which to `pop` them: of each kind of near miss in turn."""
    folders = {posixpath.dirname(p) for p in listed}
    above = {posixpath.dirname(f) for f in folders}
    names = {posixpath.basename(p) for p in listed}
    targets = {posixpath.normpath(posixpath.join(posixpath.dirname(p), os.fsdecode(clone.blob(p))))
               for p in listed if clone.files[p][0] == LINK}
    patterns = []
    for ignore in (file + ".dockerignore", posixpath.join(context, ".dockerignore")):
        if posixpath.normpath(ignore) in clone.files:
            text = clone.blob(posixpath.normpath(ignore)).decode(errors="replace")
            patterns += [line.strip().strip("!/") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    ignored = re.compile("|".join(fnmatch.translate(p).replace("\\Z", "(/.*)?\\Z") for p in patterns) or r"(?!)", re.S)
    kinds = {
        "a listed link's target": lambda p: p in targets or any(p.startswith(t + "/") for t in targets),
        "a link": lambda p: clone.files[p][0] == LINK,
        "container or ignore file": lambda p: p in (file, file + ".dockerignore") or posixpath.basename(p) == ".dockerignore",
        "named by the ignore file": lambda p: ignored.match(posixpath.relpath(p, context)),
        "beside a listed file": lambda p: posixpath.dirname(p) in folders,
        "beside a listed file's folder": lambda p: posixpath.dirname(p) in above,
        "named as a listed file": lambda p: posixpath.basename(p) in names,
        "below a listed file's folder": lambda p: posixpath.dirname(posixpath.dirname(p)) in folders,
        "other": lambda p: True,
    }
    piles = {kind: [] for kind in kinds}
    rest = sorted(set(paths) - listed)
    random.shuffle(rest)
    for path in rest:
        piles[next(kind for kind, fits in kinds.items() if fits(path))].append(path)
    order = []
    while any(piles.values()):
        order += [(pile.pop(), kind) for kind, pile in piles.items() if pile]
    return order[::-1]


if __name__ == "__main__":
    main()
