"""A throw-away clone of a repository, its tree on disk for a builder, and the builder."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import rewrite

LINK = "120000"
UPSTREAM = r"^(# *syntax *= *)docker/dockerfile-upstream:[a-z0-9._-]+"
ARCHIVE = re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|.{257}ustar", re.S)
GIT = {k: "reads" for k in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME")} | {
    k: "reads@example.com" for k in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")} | {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, env=os.environ | GIT, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Clone:
    """The repository at its commit, with a rings.yaml."""

    def __init__(self, corpus, place, ringshift):
        self.path, self.ringshift = place / corpus.name, ringshift
        self.cache = place / "cache"
        git = self.git
        run("git", "clone", "-q", "--shared", "--no-checkout", corpus, self.path)
        self.commit = git("rev-parse", "HEAD").decode().strip()
        git("read-tree", "HEAD")
        self.own = set(self.tree())
        self.absent, self.upstream = self.fill(), self.released()
        git("checkout-index", "-a", "-f", "-q")
        if not (self.path / "rings.yaml").exists():
            self.tool("init", "--yes")
            git("add", "-A", "-f")
        git("commit", "-q", "--allow-empty", "-m", "A rings.yaml")
        self.files = self.tree("HEAD")

    def git(self, *words, **options):
        return run("git", "-C", self.path, "-c", "core.autocrlf=false", *words, **options)

    def tree(self, commit=None):
        """path -> (mode, object) of all but submodules."""
        listed = self.git("ls-tree", "-r", "-z", commit or "HEAD")
        found = {}
        for row in filter(None, listed.split(b"\0")):
            meta, path = row.split(b"\t", 1)
            mode, kind, oid = meta.decode().split()
            if kind == "blob":
                found[os.fsdecode(path)] = (mode, oid)
        return found

    def fill(self):
        """Puts a line in the place of each blob that this clone's source has not got: snapshots leave the largest out."""
        blobs = self.tree()
        said = self.git("cat-file", "--batch-check", input="".join(f"{oid}\n" for _, oid in blobs.values()).encode()).decode().splitlines()
        absent = [p for p, line in zip(blobs, said) if line.endswith("missing")]
        for path in absent:
            mode, oid = blobs[path]
            made = self.git("hash-object", "-w", "--stdin", input=f"absent {oid}\n".encode()).decode().strip()
            self.git("update-index", "--cacheinfo", f"{mode},{made},{path}")
        if absent:
            self.git("commit", "-q", "-m", "Lines for absent blobs")
        return len(absent)

    def released(self):
        """Names the released frontend where a file wants a snapshot of it: that one can't be known, so that all of the context counts."""
        found = subprocess.run(["git", "-C", self.path, "grep", "-lzIE", UPSTREAM, "HEAD", "--", "*[Dd]ockerfile*"], capture_output=True).stdout
        paths = [os.fsdecode(name.removeprefix(b"HEAD:")) for name in filter(None, found.split(b"\0"))]
        blobs = self.tree()
        for path in paths:
            data = self.git("cat-file", "blob", blobs[path][1])
            data = re.sub(UPSTREAM.encode(), rb"\1docker/dockerfile:1", data, flags=re.M)
            made = self.git("hash-object", "-w", "--stdin", input=data).decode().strip()
            self.git("update-index", "--cacheinfo", f"{blobs[path][0]},{made},{path}")
        if paths:
            self.git("commit", "-q", "-m", "The released frontend")
        return len(paths)

    def tool(self, *words):
        """What ringshift prints; RuntimeError with what it complains of."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("RINGSHIFT_")} | GIT
        done = subprocess.run([self.ringshift, *words], cwd=self.path, capture_output=True, env=env | {"RINGSHIFT_CACHE": str(self.cache)})
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace").strip())
        return done.stdout.decode()

    def explain(self, image):
        return json.loads(self.tool("explain", image, "--json").splitlines()[-1])

    def blob(self, path):
        return self.git("cat-file", "blob", self.files[path][1])

    def images(self):
        """name -> {context, file, target, args, …} of rings.yaml, in the form in which `init` writes it; contexts as text."""
        found, entry = {}, None
        text = (self.path / "rings.yaml").read_text()
        for line in text.partition("\nimages:\n")[2].split("\n"):
            if line and not line.startswith((" ", "#")):
                break
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            match = re.fullmatch(r"( {2}| {4})(\"[^\"]+\"|[^\s:\"]+):(?: (.*))?", line)
            if not match:
                raise RuntimeError(f"rings.yaml: {line}")
            key, value = match[2].strip('"'), match[3]
            if len(match[1]) == 2:
                entry = found[key] = {}
                key = "context"
            if value:
                entry[key] = value if key == "contexts" else flow(value)
        return found


def flow(value):
    """A scalar, `{k: v, …}` or `[v, …]` of scalars."""
    token = r"\"(?:\\.|[^\"\\])*\"|[^\s,:{}\[\]\"][^,{}\[\]\"]*"
    plain = lambda text: json.loads(text) if text.startswith('"') else text.strip()
    if value.startswith("{"):
        return {plain(k): plain(v) for k, v in re.findall(rf"({token.replace(',{', ',:{')})\s*:\s*({token})", value)}
    return [plain(v) for v in re.findall(token, value)] if value.startswith("[") else plain(value)


class Disk:
    """The files of a commit on disk. No two writes get the same time: a builder takes a file of the same size and time for the same."""

    def __init__(self, clone, root):
        self.clone, self.root, self.written, self.last = clone, root, set(), 0

    def stamp(self, place):
        self.last = max(time.time_ns(), self.last + 1000)
        os.utime(place, ns=(self.last, self.last), follow_symlinks=False)

    def below(self, folder):
        """All paths of the commit below a folder, written if they were not."""
        prefix = "" if folder in (".", "") else folder.rstrip("/") + "/"
        paths = [p for p in self.clone.files if p.startswith(prefix)]
        (self.root / prefix).mkdir(parents=True, exist_ok=True)
        for path, data in self.read(p for p in paths if p not in self.written):
            self.put(path, data)
        return paths

    def read(self, paths):
        paths = list(paths)
        out = self.clone.git("cat-file", "--batch", input="".join(self.clone.files[p][1] + "\n" for p in paths).encode())
        at = 0
        for path in paths:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            yield path, out[end + 1:end + 1 + size]
            at = end + size + 2

    def put(self, path, data):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        mode = self.clone.files[path][0]
        if mode == LINK:
            place.unlink(missing_ok=True)
            os.symlink(data, os.fsencode(place))
        else:
            place.write_bytes(data)
            place.chmod(0o755 if mode == "100755" else 0o644)
        self.stamp(place)
        self.written.add(path)

    def alter(self, path, data):
        """Another content that means the same to an ignore file. An archive becomes none: not every byte of one tells."""
        tail = b"-altered" if self.clone.files[path][0] == LINK else b"\n# altered\n"
        self.put(path, tail if ARCHIVE.match(data) else data + tail)


class Builder:
    """What BuildKit makes of a rewritten container file."""

    def __init__(self, buildctl, address, place):
        self.command = [buildctl, "--addr", address, "build", "--frontend", "dockerfile.v0", "--progress", "plain",
                        "--opt", "platform=linux/amd64", "--opt", "force-network-mode=none", "--output", "type=tar"]
        self.place, self.questions, self.builds, self.seconds = place, 0, 0, 0.0
        self.tools = place / "tools"
        self.tools.mkdir()
        shutil.copyfile("/bin/busybox", self.tools / "busybox")
        (self.tools / "busybox").chmod(0o755)
        (self.tools / "base").write_text("")

    def question(self, text, name, ignore):
        """A folder with the rewritten container file, and the ignore file that stood beside it."""
        folder = self.place / f"question{self.questions}"
        self.questions += 1
        folder.mkdir()
        (folder / name).write_text(text, newline="")
        if ignore is not None:
            (folder / f"{name}.dockerignore").write_bytes(ignore)
        return folder

    def digest(self, folder, name, context, target, args):
        """A digest over paths, kinds, modes, links and contents of the image; or `error: …`."""
        words = ["--local", f"context={context}", "--local", f"dockerfile={folder}", "--opt", f"filename={name}",
                 "--local", f"{rewrite.TOOLS}={self.tools}", "--opt", f"context:{rewrite.TOOLS}=local:{rewrite.TOOLS}"]
        words += ["--opt", f"target={target}"] if target else []
        words += [w for k, v in args.items() for w in ("--opt", f"build-arg:{k}={v}")]
        began = time.monotonic()
        with open(self.place / "stderr", "w+b") as complaints:
            process = subprocess.Popen(self.command + words, stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL)
            try:
                rows = entries(process.stdout)
            except tarfile.ReadError:
                rows = []
            process.stdout.close()
            failed = process.wait()
            complaints.seek(0)
            said = complaints.read().decode(errors="replace")
        self.seconds += time.monotonic() - began
        self.builds += 1
        if failed:
            last = [line for line in said.splitlines() if line.strip() and not line.startswith(("----", " "))]
            return "error: " + last[-1].removeprefix("error: ") if last else "error"
        return hashlib.sha256("\0".join(sorted(rows)).encode("utf-8", "surrogateescape")).hexdigest()


def entries(stream):
    rows = []
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if member.name.startswith((".outside/", "./.outside/")):
                continue
            content = hashlib.sha256()
            if member.isreg():
                source = tar.extractfile(member)
                while piece := source.read(1 << 20):
                    content.update(piece)
            rows.append(f"{member.name} {member.type} {member.mode:o} {member.linkname} {content.hexdigest()}")
    return rows
