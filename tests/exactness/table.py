#!/usr/bin/env python3
"""Makes docs/exactness.md of the counts in target/exactness; reads counts out of logs for `run`.

    table.py --results DIR            the page, on standard output
    table.py --oracle LOG --seed N --rounds N
    table.py --crate LOG
    table.py --targets LOG            counts as JSON, on standard output
"""

import argparse
import ast
import json
import re
import subprocess
from pathlib import Path

HEAD = """# Exactness

An image that changes must never keep its revision, and a revision must not move without a reason. This page says how that is
proven, and what came of it. It is written by one command, which takes hours:

```text
CORPORA=… tests/exactness/run
```

`tests/exactness/README.md` says what the parts are and how the public repositories are had. The tests of every change (`tests/run`) hold
the recorded answers, the frozen samples, the seeds of the fuzz targets, and three minutes of new random worlds against BuildKit.
"""

NEEDLESS = """
### Needless moves

A revision that moves while the image stays costs a build, and nothing else. These kinds are known and accepted; no other was seen:

| kind | rule |
|---|---|
| a reachable stage reads a file, and what it makes of it reaches no image | 24 |
| an argument is declared and a `RUN` follows that does not use it | 27 |
| an instruction that repeats another, or that a later one undoes | – |
| a bind mount shows a file that the command does not read, or whose mode it does not look at | 70 |
| two sources of one name: the earlier one is overwritten | 43 |
| the body of a heredoc that reaches no image, a line that looks like a comment included | 58 |
| blanks inside the text of a `RUN` | 9, 10 |
| another target that comes to the same image | 21 |
| a wildcard, a destination, `--link`, a mount's or flag's text that comes to the same | 37, 44, 52, 71, 73 |
"""


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("results", "oracle", "crate", "targets"):
        options.add_argument(f"--{name}", type=Path)
    options.add_argument("--seed", type=int)
    options.add_argument("--rounds", type=int)
    options = options.parse_args()
    if options.oracle:
        print(json.dumps(oracle(options.oracle.read_text(), options.seed, options.rounds)))
    elif options.crate:
        print(json.dumps(crate(options.crate.read_text())))
    elif options.targets:
        print(json.dumps(targets(options.targets.read_text())))
    else:
        print(page(options.results), end="")


def oracle(text, seed, rounds):
    found = re.search(r"^(\{.*\}) false positives by flip: (\{.*\})$", text, re.M)
    counts, needless = ast.literal_eval(found[1]), ast.literal_eval(found[2])
    return {
        "seed": seed,
        "rounds": rounds,
        "valid": sum(n for kind, n in counts.items() if kind != "build error"),
        "both_changed": counts.get("both changed", 0),
        "both_same": counts.get("both same", 0),
        "false_negatives": counts.get("FALSE NEGATIVE", 0),
        "needless": counts.get("false positive", 0),
        "needless_by_kind": dict(sorted(needless.items())),
    }


def crate(text):
    rows = re.findall(r"^ *(\d+) (.+)$", text, re.M)
    return {kind: int(count) for count, kind in rows}


def targets(text):
    counts, name = {}, None
    for line in text.splitlines():
        if begun := re.match(r"== (\S+), (\d+) seconds", line):
            name = begun[1]
            counts[name] = {"seconds": int(begun[2])}
        elif done := re.match(r"stat::(number_of_executed_units|peak_rss_mb): *(\d+)", line):
            counts[name][done[1]] = int(done[2])
    return counts


def page(results):
    parts = {path.stem: json.loads(path.read_text()) for path in results.glob("*.json")}
    parts = {name: part for name, part in parts.items() if "counts" in part}
    rows = [row for name, make in ROWS.items() if name in parts for row in dated(make(parts[name]["counts"]), parts[name])]
    out = [HEAD, "| what | asked | came of it | when | at |", "|---|---|---|---|---|", *rows]
    for name, make in DETAILS.items():
        if name in parts:
            out.append(make(parts[name]["counts"]))
    out.append(NEEDLESS)
    out += ["### Tools\n", *(f"- {line}" for line in tools()), ""]
    return "\n".join(out)


def dated(rows, part):
    return [f"| {what} | {asked} | {came} | {part['date']} | {part['commit']} |" for what, asked, came in rows]


def number(n):
    return f"{n:,}"


def share(part, whole):
    return f"{number(part)} ({100 * part / whole:.1f} %)" if whole else number(part)


def vectors(counts):
    flips = counts["flips"]
    names = [name for name in counts if isinstance(counts[name], int) and name not in ("samples", "flips")]
    return [
        ("Recorded answers of BuildKit: " + ", ".join(names), number(sum(counts[name] for name in names)), "all agree"),
        ("Recorded flips: an image that changes", number(flips["changed"] + flips["changed, excepted"]),
         f"{number(flips['changed'])} change the revision; {flips['changed, excepted']} are what no git tree or no builder's key holds"),
        ("Recorded flips: an image that stays", number(flips["same"] + flips["same, needless"]),
         f"{number(flips['same'])} keep it; {flips['same, needless']} move it without need, each by its rule"),
        ("Recorded flips: errors and others", number(flips["error"] + flips["other, safe"]),
         f"{flips['error']} are errors in both; {flips['other, safe']} are ours, and safe"),
        ("Frozen samples of the format", number(counts["samples"]), "all the same"),
    ]


def fuzz(what):
    def rows(counts):
        return [(
            f"{what}, seed {counts['seed']}",
            f"{number(counts['rounds'])} rounds, {number(counts['valid'])} valid",
            f"**{counts['false_negatives']} stale**; {number(counts['both_changed'])} both changed, "
            f"{number(counts['both_same'])} both stayed, {share(counts['needless'], counts['valid'])} needless",
        )]
    return rows


def parser(counts):
    return [(
        f"Container files of {len(counts['repositories'])} public repositories",
        f"{number(counts['files'])} files, {number(counts['distinct'])} contents",
        outcome(counts),
    )]


def outcome(counts):
    def total(value):
        return sum(value.values()) if isinstance(value, dict) else len(value) if isinstance(value, list) else value
    return (f"{number(total(counts['agree']))} parse as by BuildKit, {number(total(counts['both_errors']))} are errors in both, "
            f"**{total(counts['differ'])} differ, {total(counts['panics'])} panics**")


def broken(counts):
    return [(f"The same, each broken at random, seed {counts['seed']}", number(counts["distinct"]), outcome(counts))]


def crate_rows(counts):
    agree = counts.get("both say the same", 0)
    unknown = counts.get("of no known kind", 0)
    return [("What the crate dockerfile-parser 0.9 says of them", number(sum(counts.values())),
             f"{number(agree)} agree, **{unknown} differ for no known reason**, the rest are its errors by kind (below)")]


def repositories(counts):
    return [(
        f"{name} at {row['commit'][:12]}: edges, files read, consequences of changes",
        f"{row['images']} images, {row['edges']} edges, {number(row['files'])} files, {row['changes']} changes",
        "all equal" if not row["differences"] else f"**{len(row['differences'])} differences**",
    ) for name, row in counts.items()]


def reads(counts):
    samples = sum(row["samples"] for row in counts)
    wrong = sum(len(row["disagreements"]) for row in counts)
    return [(
        f"What images of {len(counts)} public repositories read, a file altered at a time",
        f"{number(samples)} files of {number(sum(row['sampled_images'] for row in counts))} images",
        f"{number(sum(row['agreements'] for row in counts))} agree, **{wrong} disagree**",
    )]


def fuzz_targets(counts):
    runs = sum(row.get("number_of_executed_units", 0) for row in counts.values())
    return [(
        f"Fuzz targets: {', '.join(counts)}",
        f"{number(sum(row['seconds'] for row in counts.values()))} seconds, {number(runs)} runs",
        "no crash, no hang; at most "
        f"{max(row.get('peak_rss_mb', 0) for row in counts.values())} MB",
    )]


def crate_details(counts):
    rows = [f"| {kind} | {number(count)} |" for kind, count in sorted(counts.items(), key=lambda row: -row[1])]
    return "\n### Where the crate dockerfile-parser differs\n\n" + "\n".join(["| kind | contents |", "|---|---|", *rows])


def reads_details(counts):
    rows = [
        f"| {row['repository'].replace('+', '/')} | {row['commit'][:12]} | {number(row['images'])} | {number(row['samples'])} "
        f"| {number(row['agreements'])} | {len(row['skipped'])} |"
        for row in counts
    ]
    head = ["| repository | commit | images | files altered | agree | images passed over |", "|---|---|---|---|---|---|"]
    return "\n### What a builder reads, by repository\n\n" + "\n".join(head + rows) + (
        "\n\nThe container file is rewritten for this by a program that knows nothing of ringshift, since outside bases cannot be pulled: "
        "each stage that is reached gives all that it read. What that cannot carry is passed over and counted.")


def corpora_details(counts):
    rows = [f"| {name} | {row['commit'][:12]} | {number(row['files'])} |" for name, row in sorted(counts["repositories"].items())]
    return "\n### The corpora\n\n" + "\n".join(["| repository | commit | container files |", "|---|---|---|", *rows])


def tools():
    def said(*command):
        try:
            return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.splitlines()[0]
        except (OSError, IndexError):
            return f"{command[0]}: not found"
    return [
        said("target/lab/bin/buildkitd", "--version"),
        said("rustc", "--version"),
        said("go", "version"),
        said("python3", "--version"),
        said("docker-registry", "--version"),
        said("git", "--version"),
    ]


ROWS = {
    "vectors": vectors,
    "oracle": fuzz("Random worlds of the recorded generator on BuildKit, one flip each"),
    "differential": fuzz("Random worlds of our own generator on BuildKit, one flip each"),
    "parser": parser,
    "broken": broken,
    "crate": crate_rows,
    "repositories": repositories,
    "reads": reads,
    "targets": fuzz_targets,
}
DETAILS = {"reads": reads_details, "crate": crate_details, "parser": corpora_details}

if __name__ == "__main__":
    main()
