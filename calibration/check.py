#!/usr/bin/env python3
"""The block [check] of transfer.toml and the table of thresholds in README.md, computed again.

    python3 calibration/check.py TABLE.csv

TABLE.csv: one row for each person and camera of the data set (doi:10.13026/3bhc-9065), with the
columns camera, subject, t_amb_c, oral_monitor_c and t_max_r1, t_max_r2, t_max_r3 (full-face
maximum of rounds 1 to 3), all in deg C. Needs Python 3.11 and nothing else.
"""
import csv
import statistics
import sys
import tomllib
from pathlib import Path

transfer = tomllib.loads(Path(__file__).with_name("transfer.toml").read_text())["transfer"]
cameras = {}
with open(sys.argv[1], newline="") as table:
    for row in csv.DictReader(table):
        looks = [float(row[f"t_max_r{n}"]) for n in (1, 2, 3) if row[f"t_max_r{n}"]]
        if not (looks and row["t_amb_c"] and row["oral_monitor_c"]):
            continue
        face, room = statistics.mean(looks), float(row["t_amb_c"])
        estimate = face + transfer["k"] * (face - room) + transfer["c"]
        cameras.setdefault(row["camera"], []).append((estimate, float(row["oral_monitor_c"])))


def share(values):
    values = list(values)
    return sum(values) / len(values)


for name, people in cameras.items():
    errors = [estimate - oral for estimate, oral in people]
    feverish = [estimate - oral for estimate, oral in people if oral >= 37.5]
    print(f"{name}: n {len(people)}, bias {statistics.mean(errors):+.3f}, "
          f"sd {statistics.pstdev(errors):.3f}, bias in {len(feverish)} feverish "
          f"{statistics.mean(feverish):+.2f} K")
    for threshold in (37.3, 37.5, 37.8):
        print(f"  at {threshold}: alarms in", ", ".join(
            f"{share(e >= threshold for e, oral in people if low <= oral < high):.3f} {word}"
            for low, high, word in ((37.5, 99, "of oral >= 37.5"), (38.0, 99, "of oral >= 38.0"),
                                    (0, 37.5, "of oral < 37.5"))))
