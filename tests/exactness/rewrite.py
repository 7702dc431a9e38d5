"""A container file that asks a builder one thing only: what does the target read of its context?

`rewrite` keeps what decides that (stages, targets, ARG, ENV, WORKDIR, sources, `--exclude`, `--parents`, bind mounts, triggers) and
takes away what needs a network or a base image:

- a base that is no stage becomes the stage OUTSIDE: nothing but a busybox and the folder `/.read`
- every COPY and ADD of the context writes into a folder of its own below `/.read`, so that none hides another
- a RUN that binds the context writes checksums of all it sees there into a file below `/.read`; any other RUN goes
- `COPY --from` and a mount of a stage become a copy of that stage's `/.read`, so that the builder finds out what is
  reachable; of an outside image they go
- remote sources of ADD, owners, users and metadata go: none names a file of the context

The file is read here by a few rules of its own, shared with nobody. What they can't carry is `Unsupported`, with the reason.
"""

import json
import re

OUTSIDE = "reads-outside"
TOOLS = "reads-tools"  # the named context that holds `busybox` and `base`
HEAD = [f"FROM scratch AS {OUTSIDE}", f"COPY --from={TOOLS} busybox /.outside/busybox", f"COPY --from={TOOLS} base /.read/base"]
DROPPED = {"USER", "CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "SHELL", "STOPSIGNAL", "VOLUME"}
PLATFORM = {p + k: v for p in ("TARGET", "BUILD") for k, v in
            (("PLATFORM", "linux/amd64"), ("OS", "linux"), ("ARCH", "amd64"), ("VARIANT", ""), ("OSVERSION", ""))}
REMOTE = re.compile(r"(https?|ftp|git|ssh)://|git@|github\.com/|.*\.git(#|$)")
LIST = r"""b=/.outside/busybox; export b; for t in %s; do
$b find "$t" -type f -print0 | $b sort -z | $b xargs -0 -r $b sha256sum;
$b find "$t" -type l -print0 | $b sort -z | $b xargs -0 -r -n1 $b sh -c 'echo "$0 $($b readlink "$0")"';
done > /.read/%d""".replace("\n", " ")


class Unsupported(Exception):
    """A construct that the rewrite does not carry."""


def rewrite(text, args):
    """The rewritten container file. `args` are the build arguments."""
    return Rewrite(text, args).lines()


def instructions(text):
    """The escape character, then `(name, flags, rest, heredocs)` for each instruction; heredocs are lists of lines."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    escape, found, i = "\\", [], 0
    for line in lines:
        if not (directive := re.fullmatch(r"\s*#\s*([A-Za-z]+)\s*=\s*(.*?)\s*", line)):
            break
        name, value = directive[1].lower(), directive[2]
        if name == "syntax" and not re.match(r"(docker\.io/)?docker/dockerfile([:@][^/]*)?$", value):
            raise Unsupported(f"another frontend: {value}")
        if name == "escape":
            escape = value
    more = re.compile(r"(^|[^%s])%s[ \t]*$" % ((re.escape(escape),) * 2))
    while i < len(lines):
        line, i = lines[i], i + 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        while more.search(line):
            line = more.sub(r"\1", line)
            while i < len(lines) and (not lines[i].strip() or lines[i].lstrip().startswith("#")):
                i += 1
            if i == len(lines):
                break
            line, i = line + lines[i], i + 1
        name, _, rest = line.strip().partition(" ") if "\t" not in line.split(" ")[0] else line.strip().partition("\t")
        head = f"{name} {rest}".upper().split()
        bodies = []
        if head[0] in ("RUN", "COPY", "ADD") or head[:1] == ["ONBUILD"] and head[1:2] in (["RUN"], ["COPY"], ["ADD"]):
            for word in words(rest):
                if doc := re.fullmatch(r"\d*<<(-?)([\"']?)([^<\"'\s]+)\2", word):
                    body = []
                    while True:
                        if i == len(lines):
                            raise Unsupported(f"a heredoc without its end: {word}")
                        body.append(lines[i])
                        i += 1
                        if (body[-1].lstrip("\t") if doc[1] else body[-1]) == doc[3]:
                            break
                    bodies.append(body)
        flags, rest = split_flags(rest)
        found.append((name.upper(), flags, rest, bodies))
    return escape, found


def split_flags(rest):
    flags = []
    while match := re.match(r"\s*(--\S+)(\s+|$)", rest):
        flags.append(match[1])
        rest = rest[match.end():]
    return flags, rest.strip()


def words(text):
    """Words between blanks, quotes kept on, blanks inside quotes kept."""
    return re.findall(r"(?:\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|[^\s'\"\\]|\\$|['\"])+", text)


def pairs(text):
    """`k=v k="v w"`, or the form `k v`, as (key, raw value) in order; the value is None where there is no `=`."""
    found = [tuple(word.split("=", 1)) if "=" in word else (word, None) for word in words(text)]
    if found and found[0][1] is None and len(found) > 1:
        return [(found[0][0], text.split(None, 1)[1])]
    return found


def expand(word, scope):
    """The variables of a word put in, its quotes off."""
    out, i, quote = [], 0, None
    while i < len(word):
        c = word[i]
        if c == "\\" and quote != "'":
            out.append(word[i + 1:i + 2])
            i += 2
        elif c in "'\"" and quote in (None, c):
            quote = None if quote else c
            i += 1
        elif c == "$" and quote != "'":
            value, i = variable(word, i + 1, scope)
            out.append(value)
        else:
            out.append(c)
            i += 1
    return "".join(out)


def variable(word, i, scope):
    if plain := re.match(r"\w+", word[i:]):
        return scope.get(plain[0], ""), i + plain.end()
    start = re.match(r"\{(\w+)(:?[-+?]|##?|%%?|//?)?", word[i:])
    if word[i:i + 1] != "{":
        return "$", i
    if not start:
        raise Unsupported(f"a variable in `{word}`")
    name, operator = start[1], start[2]
    begin = end = i + start.end()
    depth = 1
    while end < len(word) and (depth := depth + (word[end] == "{") - (word[end] == "}")):
        end += 1
    rest, value, after = word[begin:end], scope.get(name), end + 1
    if depth or not operator and rest:
        raise Unsupported(f"a variable in `{word}`")
    if not operator:
        return value or "", after
    there = bool(value) if operator[0] == ":" else value is not None
    if operator[-1] == "-":
        return value if there else expand(rest, scope), after
    if operator[-1] == "+":
        return expand(rest, scope) if there else "", after
    if operator[-1] == "?":
        if not there:
            raise Unsupported(f"`{name}` must be set")
        return value, after
    return trim(value or "", operator, expand(rest, scope)), after


def trim(value, operator, rest):
    glob = lambda text: "".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in text)
    if operator[0] == "/":
        pattern, _, new = rest.partition("/")
        return re.sub(glob(pattern), lambda _: new, value, count=len(operator) == 1)
    ends = range(len(value) + 1) if operator in ("#", "%%") else range(len(value), -1, -1)
    for at in ends:
        piece, left = (value[:at], value[at:]) if operator[0] == "#" else (value[at:], value[:at])
        if re.fullmatch(glob(rest), piece, re.S):
            return left
    return value


class Rewrite:
    """One pass over the instructions."""

    def __init__(self, text, args):
        self.escape, self.found = instructions(text)
        self.args = args
        self.globals = {k: args.get(k, v) for k, v in PLATFORM.items()}
        self.names = []  # of the stages so far
        self.scopes = []  # their variables, as far as they can be known
        self.copied = set()  # stages that this one has copied from
        self.count = 0
        self.out = []

    def lines(self):
        for name, flags, rest, bodies in self.found:
            self.out += self.one(name, flags, rest, bodies)
        if not self.names:
            raise Unsupported("no FROM")
        head = next(i for i, line in enumerate(self.out) if line.startswith("FROM "))
        escape = [] if self.escape == "\\" else [f"# escape={self.escape}"]
        return "\n".join(escape + self.out[:head] + HEAD + self.out[head:]) + "\n"

    def one(self, name, flags, rest, bodies):
        if name == "FROM":
            return [self.stage(rest)]
        if name == "ARG":
            self.declare(rest)
            return [f"ARG {rest}"]
        if not self.names:
            raise Unsupported(f"{name} before FROM")
        if name == "ENV":
            scope = dict(self.scopes[-1])
            self.scopes[-1] |= {k: self.guess(v, scope) for k, v in pairs(rest) if v is not None}
            return [f"ENV {rest}"]
        if name == "WORKDIR":
            return [f"WORKDIR {rest}"]
        if name in ("COPY", "ADD"):
            return self.copy(name, flags, rest, bodies)
        if name == "RUN":
            return self.run(flags)
        if name == "ONBUILD":
            inner, _, rest = rest.partition(" ")
            return ["ONBUILD " + line for line in self.one(inner.upper(), *split_flags(rest), bodies)]
        if name in DROPPED:
            return []
        raise Unsupported(f"the instruction {name}")

    def stage(self, rest):
        match = re.fullmatch(r"(\S+)(?:\s+[Aa][Ss]\s+(\S+))?", rest)
        if not match:
            raise Unsupported(f"FROM {rest}")
        base = expand(match[1], self.globals)
        known = base in self.names
        parent = max((i for i, name in enumerate(self.names) if name == base), default=None)
        self.scopes.append({} if parent is None else dict(self.scopes[parent]))
        self.names.append(match[2].lower() if match[2] else None)
        self.copied = set()
        return f"FROM {base if known else OUTSIDE}" + (f" AS {match[2]}" if match[2] else "")

    def declare(self, rest):
        scope = self.scopes[-1] if self.scopes else self.globals
        for name, default in pairs(rest):
            if name in self.args:
                scope[name] = self.args[name]
            elif default is not None:
                scope[name] = self.guess(default, scope)
            elif self.scopes and name in self.globals:
                scope[name] = self.globals[name]

    def guess(self, value, scope):
        """Used to tell a remote source and to resolve FROM; what a base image would say is unset on both sides."""
        return expand(value, scope)

    def copy(self, name, flags, rest, bodies):
        kept = [f for f in flags if not f.startswith(("--chown", "--from="))]
        if origin := next((f[7:] for f in flags if f.startswith("--from=")), None):
            return self.of_stage(origin)
        listed = None
        if rest.startswith("["):
            try:
                listed = json.loads(rest)
            except ValueError:
                pass
        sources = (rest.split() if listed is None else listed)[:-1]
        if name == "ADD":
            sources = [s for s in sources if not REMOTE.match(self.guess(s, self.scopes[-1]))]
        if not sources:
            return []
        self.count += 1
        target = sources + [f"/.read/{self.count}/"]
        text = " ".join(target) if listed is None else json.dumps(target, ensure_ascii=False)
        return ["\n".join([" ".join([name, *kept, text])] + [line for body in bodies for line in body])]

    def of_stage(self, origin):
        """What another stage has read. An outside image reads nothing."""
        if origin.isdecimal():
            if int(origin) >= len(self.names) - 1:
                raise Unsupported(f"no stage {origin}")
            origin = str(int(origin) + 1)  # OUTSIDE comes before all others
        elif origin.lower() not in self.names[:-1]:
            return []
        if origin.lower() in self.copied:
            return []
        self.copied.add(origin.lower())
        self.count += 1
        return [f"COPY --from={origin} /.read/ /.read/{self.count}/"]

    def run(self, flags):
        binds, targets, out = [], [], []
        for flag in flags:
            if not flag.startswith("--mount="):
                continue
            if '"' in flag:
                raise Unsupported(f"quotes in {flag}")
            options = dict(o.partition("=")[::2] for o in flag[8:].split(","))
            if options.get("type", "bind") == "bind" and not options.get("from"):
                binds.append(flag)
                targets.append(next((options[k] for k in ("target", "dst", "destination") if k in options), "."))
            elif options.get("from") and options.get("type", "bind") in ("bind", "cache"):
                out += self.of_stage(options["from"])
        if binds:
            self.count += 1
            quoted = " ".join('"%s"' % t.replace('"', '\\"').replace("`", "\\`") for t in targets)
            command = json.dumps(["/.outside/busybox", "sh", "-c", LIST % (quoted, self.count)])
            out.append(" ".join(["RUN", *binds, command]))
        return out
