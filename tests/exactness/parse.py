#!/usr/bin/env python3
"""Holds our parser to BuildKit's on the container files of public repositories.

    parse.py --corpora DIR --judge JUDGE --ringshift RINGSHIFT [--break SEED] [--no-times]

DIR holds checkouts of the repositories of corpora.tsv, named OWNER+NAME. JUDGE is the Go program beside this file,
RINGSHIFT ours. Both get the same text, each distinct content once. Text that is not UTF-8 is counted, and both get it
with U+FFFD for every wrong byte: JSON holds nothing else.

Prints one JSON object; the exit code is 1 when anything differs or panics, or a checkout is not at its commit.
"""

import argparse
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

COMPARED = ("cmd", "args", "flags", "heredocs", "start", "end")
SHOWN = 20
# What an accident puts into a text, inside a line and as one.
PIECES = ["\"", "'", "\\", "`", "<<", "<<-E", "<<'E'", "$", "${", "}", "[", "]", ",", "=", " ", "\t", "\v", "\f", "\r", "\n", "#",
          "--", " --x ", "\u00a0", "\u0085", "\u2028", "\u3000", "é", "İ", "\0", "\ufeff", "{", "&&", "\\\n", "\\n", "|", ">", ";", "\U0001f40b"]
LINES = ["RUN <<E\n", "E\n", "\n", " \t\n", "# c\n", "ENV a\n", "ENV a b c\n", "ENV a=b c\n", "LABEL a=\"b\n", "ARG a=b c='d e'\n",
         "COPY [\"a\", \"b\"]\n", "COPY [\"a\", 1]\n", "RUN [\"a\"] b\n", "ONBUILD RUN <<E cat\n", "ONBUILD\n", "HEALTHCHECK NONE x\n",
         "HEALTHCHECK --interval=1s CMD [\"a\"]\n", "# escape=`\n", "SHELL [\"a\"]\n", "FROM a AS b\n", "FROM\n", "CMD [ ]\n",
         "EXPOSE 1 2/udp\n", "VOLUME [\"/a\"]\n", "MAINTAINER\n", "COPY <<-'A' <<B /c\n", "RUN --mount=type=bind a\n", "\\\n"]
NAME = re.compile(r"(docker|container)file([.\-_].*)?|.*\.(docker|container)file", re.I)
# Sources of other programs, and templates: what they make is a container file, they are none.
OTHER = re.compile(r".*\.(dockerignore|md|go|py|sh|ya?ml|j2|jinja2?|tmpl|tpl|template|erb|in)", re.I)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--corpora", type=Path, required=True)
    options.add_argument("--judge", required=True)
    options.add_argument("--ringshift", required=True)
    options.add_argument("--break", type=int, metavar="SEED", dest="broken",
                         help="break each text at a random place first: a line lost, a character, a line end, …")
    options.add_argument("--no-times", action="store_true", help="do not look for the slowest file")
    options = options.parse_args()
    report, texts = collect(options.corpora)
    if options.broken is not None:
        chance = random.Random(options.broken)
        texts = {path: broken(text, chance) for path, text in texts.items()}
    asked = [json.dumps({"dockerfile": text}) for text in texts.values()]
    theirs = answers([options.judge], asked)
    ours = answers([options.ringshift, "plumbing", "parse"], asked)
    used = answers([options.ringshift, "plumbing", "reach"], asked)
    report |= compare(texts, ours, theirs, used)
    if not options.no_times:
        report["slowest"] = slowest(options.ringshift, dict(zip(texts, asked)))
    json.dump(report, sys.stdout, indent=1)
    print()
    failed = report["differ"] or report["panics"] or report["not_at_their_commit"]
    return 1 if failed else 0


def collect(corpora):
    """The counts of what is there, and each distinct content by the path that has it first."""
    commits = dict(line.split("\t")[:2] for line in
                   (Path(__file__).parent / "corpora.tsv").read_text().splitlines()[1:])
    texts, seen, repositories, counts, moved = {}, set(), {}, Counter(), []
    for checkout in sorted(path for path in corpora.iterdir() if path.is_dir()):
        name = checkout.name.replace("+", "/", 1)
        head = subprocess.run(["git", "-C", checkout, "rev-parse", "HEAD"],
                              capture_output=True, text=True).stdout.strip()
        if commits.get(name) != head:
            moved.append(name)
        own = Counter()
        for path in files(checkout, counts):
            content = path.read_bytes()
            own["files"] += 1
            digest = hashlib.sha256(content).digest()
            if digest in seen:
                continue
            seen.add(digest)
            own["distinct"] += 1
            text = content.decode("utf-8", "replace")
            counts["not_utf8"] += text.encode() != content
            counts["bytes"] += len(content)
            texts[str(path.relative_to(corpora))] = text
        repositories[name] = {"commit": head, "files": own["files"], "new_contents": own["distinct"]}
    return {
        "repositories": repositories,
        "not_at_their_commit": moved,
        "files": sum(r["files"] for r in repositories.values()),
        "distinct": len(texts),
        "bytes": counts["bytes"],
        "not_utf8": counts["not_utf8"],
        "left_out": {"templates_and_sources": counts["other"], "links": counts["links"]},
    }, texts


def files(checkout, counts):
    """The container files of a checkout, in order."""
    for folder, folders, names in os.walk(checkout):
        folders[:] = sorted(f for f in folders if f != ".git")
        for name in sorted(n for n in names if NAME.fullmatch(n)):
            path = Path(folder, name)
            if path.is_symlink():
                counts["links"] += 1
            elif OTHER.fullmatch(name):
                counts["other"] += 1
            else:
                yield path


def broken(text, chance):
    """The text with one to three accidents."""
    for _ in range(chance.randint(1, 3)):
        lines = text.splitlines(keepends=True) or [""]
        at, line = chance.randrange(len(lines)), None
        place = chance.randrange(len(text) + 1)
        match chance.randrange(9):
            case 0:
                del lines[at]
            case 1:
                lines[at] = lines[at].rstrip("\n") + chance.choice(["\\\n", "`\n", "\\ \t\n", "\r\n", "\\\r\n", "\\\\\n"])
            case 2:
                lines.insert(at, chance.choice(LINES))
            case 3:
                lines = [text[:place]]
            case 4 | 5:
                lines = [text[:place], chance.choice(PIECES), text[place:]]
            case 6:
                lines = [text[:place], text[place + chance.randint(1, 3):]]
            case 7:
                lines = [chance.choice(["\ufeff", "# escape=`\n", "# syntax=docker/dockerfile:1\n", "\n", "#\n"])] + lines
            case 8:
                lines = [line.replace("\n", "\r\n") for line in lines]
        text = "".join(lines)
    return text


def answers(program, asked):
    """One answer for each question; a question on which the program dies is answered by {"panic"}."""
    given = []
    while len(given) < len(asked):
        lines = "\n".join(asked[len(given):]) + "\n"
        ran = subprocess.run(program, input=lines, capture_output=True, text=True, encoding="utf-8")
        given += [json.loads(line) for line in ran.stdout.split("\n")[:-1]]
        if len(given) < len(asked):
            given.append({"panic": ran.stderr.strip()[-400:] or f"exit code {ran.returncode}"})
    return given


def compare(texts, ours, theirs, used):
    """The counts of agreement, the first differences, and the kinds of error."""
    counts, differences, panics = Counter(), [], []
    errors, typed, refused = Counter(), Counter(), Counter()
    for (path, text), own, other, use in zip(texts.items(), ours, theirs, used):
        for who, answer in (("parse", own), ("reach", use), ("judge", other)):
            said_last = answer.get("panic") or answer.get("err", "")
            if "panic" in answer or said_last.startswith("panic:"):
                panics.append({"file": path, "in": who, "text": said_last})
        counts["foreign"] += is_foreign(text)
        difference = differs(text, own, other, use)
        if difference:
            differences.append({"file": path} | difference)
        elif "err" in other:
            counts["both_errors"] += 1
            errors[kind(other["err"])] += 1
        else:
            counts["agree"] += 1
            if "typed_err" in other:
                counts["both_typed_errors" if "typed_err" in own else "unknown_flags"] += 1
                typed[kind(other["typed_err"])] += 1
            elif "err" in use:
                counts["refused_when_used"] += 1
                refused[kind(use["err"])] += 1
    return {
        "agree": counts["agree"],
        "of_these_typed_errors_in_both": counts["both_typed_errors"],
        "of_these_unknown_flags_by_design_no_error": counts["unknown_flags"],
        "both_errors": counts["both_errors"],
        "foreign_frontends": counts["foreign"],
        "differ": len(differences),
        "panics": len(panics),
        "differences": differences[:SHOWN],
        "first_panics": panics[:SHOWN],
        "errors_of_buildkit": dict(errors.most_common()),
        "typed_errors_of_buildkit": dict(typed.most_common()),
        "refused_when_used_without_arguments": dict(refused.most_common()),
    }


def differs(text, own, other, use):
    """Where the two part, or nothing."""
    if "err" in own or "err" in other or "panic" in own:
        if "err" in own and "err" in other:
            return None
        return {"what": "error", "ours": own.get("err", own.get("panic")), "theirs": other.get("err")}
    if own["escape"] != other["escape"]:
        return {"what": "escape", "ours": own["escape"], "theirs": other["escape"]}
    for a, b in zip(own["nodes"], other["nodes"]):
        a, b = said(a), said(b)
        for key in b:
            if a[key] != b[key]:
                return {"what": key, "line": b["start"], "ours": a[key], "theirs": b[key]}
    if len(own["nodes"]) != len(other["nodes"]):
        return {"what": "nodes", "ours": len(own["nodes"]), "theirs": len(other["nodes"])}
    if own["warnings"] != other["warnings"]:
        return {"what": "warnings", "ours": own["warnings"], "theirs": other["warnings"]}
    if ("typed_err" in own) != ("typed_err" in other) and not unknown_flag(other):
        return {"what": "typed_err", "ours": own.get("typed_err"), "theirs": other.get("typed_err")}
    # What another frontend reads is not refused: the whole context stands in for it.
    foreign = is_foreign(text) and use.get("context") == "ALL"
    if "typed_err" in other and "err" not in use and not foreign and not unknown_flag(other):
        return {"what": "used in spite of typed_err", "ours": use, "theirs": other["typed_err"]}
    return None


def unknown_flag(other):
    """Whether BuildKit's error is a flag that it does not know. It is none of ours: a newer builder may know the flag,
    so the whole context stands in for what it could read, if the target reaches it."""
    return "unknown flag" in other.get("typed_err", "")


def is_foreign(text):
    """Whether the first lines name another frontend than docker/dockerfile."""
    head = re.match(r"\ufeff?(?:#\s*(?:syntax|escape|check)\s*=.*\n)*", text, re.I).group()
    named = re.search(r"^(?:\ufeff)?#\s*syntax\s*=\s*(\S+)", head, re.I | re.M)
    return bool(named) and not re.fullmatch(r"(docker\.io/)?docker/dockerfile(:(latest|labs|1([.-].*)?))?(@.*)?", named[1])


def said(node):
    """What is compared of a node, its trigger included."""
    out = {key: node.get(key) for key in COMPARED}
    out["json"] = node.get("json", False)
    out["original"] = node["original"]
    out["sub"] = said(node["sub"]) if "sub" in node else None
    return out


def kind(message):
    """An error without what is particular to one file."""
    message = re.sub(r"^(dockerfile parse error on )?line \d+: ", "", message.split("\n")[0])
    message = re.sub(r'"(\\.|[^"\\])*"|`[^`]*`|\'[^\']*\'', "…", message)
    message = re.sub(r"(unknown instruction|unknown flag|can't handle|on context): .*", r"\1: …", message)
    return re.sub(r"\d+", "N", message)[:120]


def slowest(ringshift, asked, finalists=8, copies=200):
    """The file that takes us longest: every file once in a process of its own, then the slowest many times in one."""
    def seconds(lines):
        began = time.perf_counter()
        subprocess.run([ringshift, "plumbing", "parse"], input=lines.encode(), stdout=subprocess.DEVNULL)
        return time.perf_counter() - began
    once = {path: seconds(line + "\n") for path, line in asked.items()}
    first = sorted(once, key=once.get, reverse=True)[:finalists]
    largest = sorted(asked, key=lambda path: len(asked[path]), reverse=True)[:finalists]
    start = min(seconds("") for _ in range(10))
    each = {path: (seconds((asked[path] + "\n") * copies) - start) / copies for path in first + largest}
    path = max(each, key=each.get)
    text = json.loads(asked[path])["dockerfile"]
    return {
        "file": path,
        "bytes": len(text.encode()),
        "ms_json_in_and_out_included": round(each[path] * 1000, 3),
        "slowest_process_ms": round(max(once.values()) * 1000, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
