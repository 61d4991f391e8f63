"""The model card: one page, no scripts and nothing loaded, that a trustee can read. No member's data is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from matcher.model.affinity import PairAffinity

SMALL = 10
"""Counts below this are not printed: the page may leave the organisation."""
STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}table{border-collapse:collapse;margin:1rem 0}"
    "caption{text-align:left;font-weight:600;padding-bottom:.4rem}"
    "th,td{border-bottom:1px solid #767676;padding:.3rem .9rem .3rem 0;text-align:right}"
    "th:first-child,td:first-child{text-align:left}"
)
PURPOSES = {
    "train_model": "agreed that the model may learn from them",
    "match_serve": "asked for peers",
    "be_shown_as_peer": "agreed to be shown as a peer",
}
CHECKS = {
    "utility": "At least as good as the programme's own weights",
    "succession": "At least as good as the model before it",
    "safety": "Nobody is in a list who must not be",
    "canary": "Reads back exactly as it was written",
}
METRICS = {"log_loss": "surprise (log loss, lower is better)", "auc": "order (AUC, higher is better)"}


def card(manifest: Mapping[str, Any], affinity: PairAffinity) -> str:
    """Return the page, as HTML, of a model with this manifest and these weights."""
    title = f"{escape(str(manifest['programme']['name']))}: matching model {escape(str(manifest['version']))}"
    body = [
        f"<h1>{title}</h1>",
        _summary(affinity),
        _weights(manifest["features"], affinity),
        _sources(manifest, affinity),
        _checks(manifest),
        _held_out(manifest["metrics"]),
        _limits(manifest),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n'
        + "\n".join(part for part in body if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _summary(affinity: PairAffinity) -> str:
    """Say in plain words what it is, what it learned from, and what it does not do."""
    answers = int(affinity.n_answers_.sum())
    if answers == 0:
        learned = "It has learned from nobody’s answers yet: what two people share counts as the programme file says."
    else:
        learned = (
            f"It has learned from {_count(answers)} answers that members gave to people suggested to them, and only "
            "from members who agreed to that."
        )
    return (
        "<p>This model orders the people whom a member could meet. For two people it estimates how likely each is to "
        f"accept the other, from what both have chosen to tell. {learned} It suggests; people choose. It does not "
        "diagnose, judge how ill anybody is, or promise that a meeting will help. Rules such as consent, blocks and "
        "age are never part of it: they are applied before it is asked.</p>"
    )


def _weights(features: Iterable[str], affinity: PairAffinity) -> str:
    rows = []
    for column, feature in enumerate(features):
        cells = [affinity.prior_weights[column], *affinity.coef_[:, column], *affinity.neutral_[:, column]]
        rows.append([_label(feature), *(f"{cell:.2f}" for cell in cells)])
    head = ["Aspect", "Before learning", "Seekers", "Supporters", "If unknown, seekers", "If unknown, supporters"]
    shared = " Both columns are the same: there are too few answers to tell the two apart." if affinity.shared_ else ""
    return _table("How much each aspect counts", head, rows) + (
        "<p>A weight of 0 means that the aspect makes no difference; no weight can be below 0, so that sharing "
        "something never counts against anybody. What somebody did not tell counts as the “if unknown” share."
        f"{shared}</p>"
    )


def _sources(manifest: Mapping[str, Any], affinity: PairAffinity) -> str:
    consents: Mapping[str, int] = manifest["consents"]
    counted = {"members": "Members of the programme", **{key: f"… who {words}" for key, words in PURPOSES.items()}}
    rows = [[words, _count(consents[key])] for key, words in counted.items() if key in consents]
    for who, answers in zip(("seekers", "supporters"), affinity.n_answers_.tolist(), strict=True):
        rows.append([f"Answers by {who}", _count(answers)])
    return _table("What it learned from", ["", "Number"], rows)


def _checks(manifest: Mapping[str, Any]) -> str:
    rows = [[CHECKS.get(check, _label(check)), verdict] for check, verdict in sorted(manifest["verdicts"].items())]
    return _table("Checks before publishing", ["Check", "Result"], rows) if rows else ""


def _held_out(metrics: Mapping[str, Any]) -> str:
    """Show how it does on people whom it did not learn from."""
    rows = []
    for role, found in metrics.get("held_out", {}).items():
        if found["answers"] < SMALL:
            continue
        for metric, words in METRICS.items():
            values = [_number(found[metric][model]) for model in ("learned", "prior")]
            rows.append([f"{_label(role)}: {words}", *values])
    caption = "On people whom it had not learned from"
    return _table(caption, ["Measure", "This model", "Before learning"], rows) if rows else ""


def _limits(manifest: Mapping[str, Any]) -> str:
    epsilon = manifest["epsilon"]["release"]
    privacy = (
        "Its weights are not differentially private; there are few of them, so they can tell little of one member."
        if epsilon is None
        else f"Its weights are differentially private, with ε = {epsilon:g} for this release."
    )
    made = f"Made from what was known on {escape(manifest['created_at'])}. " if manifest["created_at"] else ""
    return (
        f"<h2>Limits</h2>\n<p>{made}{privacy} It holds no member’s data, and no condition or experience that fewer "
        "members than the programme’s threshold share.</p>"
    )


def _table(caption: str, head: list[str], rows: list[list[str]]) -> str:
    lines = ["<tr>" + "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>\n<caption>{escape(caption)}</caption>\n" + "\n".join(lines) + "\n</table>"


def _count(number: int) -> str:
    return f"{number:,}" if number >= SMALL or number == 0 else f"fewer than {SMALL}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
