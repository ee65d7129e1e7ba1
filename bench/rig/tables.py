"""Tables in Markdown: the medians of all runs, and how this crate compares within each run."""

import statistics

HEAD = ["", "server", "req/s", "p50 ms", "p99 ms", "srv", "DB", "srv + DB", "stmts", "RSS MB",
        "other %", "errors"]
FIGURES = [("rps", ".0f"), ("p50", ".3f"), ("p99", ".2f"), ("srv", ".0f"), ("db", ".0f"),
           ("total", ".0f"), ("statements", ".2f"), ("rss", ".0f"), ("other", ".0f")]


def table(head, lines):
    print()
    for cells in [head, ["---"] * len(head), *lines]:
        print(f"| {' | '.join(cells)} |")


def grouped(rows):
    """The rows of each scenario and server, by their runs; the scenarios in order."""
    groups = {}
    for row in sorted(rows, key=lambda row: row["scenario"]):
        groups.setdefault((row["scenario"], row["peer"]), {})[row["run"]] = row
    return groups


def show(rows):
    groups = grouped(rows)
    table(HEAD, [[*name, *medians(runs)] for name, runs in groups.items()])
    lines = [line for name in groups for line in comparisons(groups, *name)]
    if lines:
        table(["", "server", "beside", "srv + DB", "req/s", "p50", "p99"], lines)


def medians(runs):
    def median(figure):
        return statistics.median(row[figure] for row in runs.values())

    errors = sum(row["errors"] for row in runs.values())
    return [*(format(median(figure), form) for figure, form in FIGURES), str(errors)]


def comparisons(groups, scenario, peer):
    """With the version before, and on MariaDB with the best other server."""
    if not peer.startswith("own-"):
        return
    others = [peer.replace("own-", "before-")]
    if peer.startswith("own-mysql"):
        others.append("axum-tower-best")
    for other in others:
        theirs = groups.get((scenario, other), {})
        mine = groups[scenario, peer]
        if runs := mine.keys() & theirs.keys():
            ratios = [statistics.median(mine[run][figure] / theirs[run][figure] for run in runs)
                      for figure in ("total", "rps", "p50", "p99")]
            yield [scenario, peer, other, *(f"{ratio:.2f}" for ratio in ratios)]
