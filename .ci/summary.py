#!/usr/bin/env python3
"""Prints what `go test -json` said: failures whole, skips with their reasons, and a closing line of counts."""
import collections
import json
import sys

closing = sys.argv[1] == "--closing"
path = sys.argv[-1]
output = collections.defaultdict(list)
counts = collections.Counter()
failed, skipped = [], []
with open(path) as events:
    for line in events:
        try:
            e = json.loads(line)
        except ValueError:
            print(line, end="")
            continue
        key = (e.get("Package", ""), e.get("Test", ""))
        if e["Action"] in ("output", "build-output"):
            output[(e.get("Package") or e.get("ImportPath", ""), key[1])].append(e["Output"])
        elif e["Action"] in ("pass", "fail", "skip") and key[1]:
            counts[e["Action"]] += 1
            if e["Action"] == "fail":
                failed.append(key)
            elif e["Action"] == "skip":
                skipped.append(key)
        elif e["Action"] in ("fail", "build-fail"):
            failed.append((e.get("Package") or e.get("ImportPath", ""), ""))
        elif e["Action"] == "pass" and not closing:
            print("ok   %s %.1fs" % (key[0], e.get("Elapsed", 0)))

if not closing:
    for key in failed:
        print("FAIL", *key)
        print("".join(output[key]), end="")
    for key in skipped:
        why = [l.strip() for l in output[key] if not l.startswith(("=== ", "--- "))]
        print("skip", *key, "|", " ".join(why))
print("%d passed, %d failed, %d skipped" % (counts["pass"], len(failed), counts["skip"]))
