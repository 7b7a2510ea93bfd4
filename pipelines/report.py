"""What commands say on standard output, as text for people or JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.wording import counted, plain_kind, printable, size_text

from .inverted import inverted_line
from .min_iou import below_line, judged_when
from .progress import clock

if TYPE_CHECKING:
    from datakit.errors import Problem
    from datakit.sample import SampleData
    from datakit.shards import Contents
    from datakit.shards.examine import Finding
    from datakit.validate import Notice

    from .build_shards import BuildSummary
    from .dry_run import DryRun
    from .inspect_shards import Comparison, GroupStatistics
    from .preview_deformations import PreviewSummary
    from .score import ScoreSummary
    from .settings import BuildSettings
    from .train import TrainSummary
    from .validate_source import Validation
    from .verify_shards import Verification

MOST_TOLD = 20  # problems a preview prints
BAR = 40  # characters of the longest histogram bar


def as_text(value: Any) -> str:
    """JSON as every `--json` prints it."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def written(path: Path | None) -> list[str]:
    """The line that says that a file was written; none where none was asked for."""
    return [f"{path}: {size_text(path.stat().st_size)}"] if path else []


def settings_lines(settings: BuildSettings) -> str:
    """The resolved settings of a build, a line per recipe and one for the rest."""
    stored = settings.to_dict()
    lines = []
    for recipe in stored.pop("recipes"):
        steps = " → ".join(_step(step) for step in recipe["steps"]) or "no step"
        kinds = [step["kind"] for step in recipe["steps"]]
        rest = ", ".join(f"{k} {v}" for k, v in recipe.items() if k not in ("name", "steps") and v is not None)
        rest = rest.replace(floor := f"min_iou {recipe['min_iou']}", floor + judged_when(kinds))
        lines.append(f"recipe {recipe['name']}: {steps}; {rest}")
    read = stored.pop("read")
    shown = {**stored, **read}
    lines.append("settings: " + ", ".join(f"{key} {value}" for key, value in shown.items() if value is not None))
    return "\n".join(lines)


def _step(step: dict[str, Any]) -> str:
    numbers = ", ".join(f"{key} {value}" for key, value in step.items() if key != "kind")
    return f"{step['kind']}({numbers})"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns of text, the first left-aligned, the others right-aligned."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The same as a table of Markdown; a bar in a name stays one."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in (head, *rows)]
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:]))


def build_report(summary: BuildSummary, as_json: bool) -> str:
    """Counts per source that add up, what was not used and why, and where it all lies."""
    manifest = summary.manifest
    if as_json:
        body = {key: value for key, value in manifest.to_dict().items() if key in ("sources", "problems", "digest")}
        return as_text({**body, "out": str(summary.out), "triples": manifest.triples, "shards": len(manifest.shards),
                        "below_min_iou": summary.below.to_dict(), "kept": summary.kept,
                        "built": summary.built, "seconds": summary.seconds})  # fmt: skip
    columns = ("photos", "items", "samples", "failed", "left_out", "triples")
    rows = [
        [label, source["layout"], *(source[name] for name in columns)] for label, source in manifest.sources.items()
    ]
    total = ["total", "", *(sum(source[name] for source in manifest.sources.values()) for name in columns)]
    lines = [table(("source", "layout", "photos", "items", "samples", "failed", "left out", "triples"), [*rows, total])]
    lines += [f"  {count} {plain_kind(reason)}" for reason, count in manifest.problems.items()]
    lines += [
        f"  {note['count']} noted in {label}: {reason}; such as {printable(note['example'])}"
        for label, source in manifest.sources.items()
        for reason, note in source.get("notes", {}).items()
    ]
    lines += [f"  {below_line(summary.below, manifest.triples)}"] if summary.below.total else []
    lines += [f"  {inverted_line(label, *counts)}" for label, counts in summary.inverted.items()]
    size = sum(shard.bytes for shard in manifest.shards)
    lines.append(
        f"{summary.out}: {counted(len(manifest.shards), 'shard')} ({summary.kept} kept, {summary.built} built), "
        f"{counted(manifest.triples, 'triple')}, {size_text(size)}, in {clock(summary.seconds)}"
    )
    return "\n".join(lines)


def validation_report(found: Validation, examples: int, as_json: bool) -> str:
    """Counts per source that add up, problems and warnings by reason with examples, and every duplicate."""
    from .reasons import grouped

    entries: list[Problem | Notice] = []
    for source in found.sources.values():
        entries += [*source.problems, *source.remarks]
    groups = grouped(entries, examples)
    counts = {label: source.counts() for label, source in found.sources.items()}
    if as_json:
        duplicates = [asdict(duplicate) for duplicate in found.duplicates]
        return as_text({"found": found.found, "sources": counts, "groups": groups, "duplicates": duplicates,
                        "compared": found.compared})  # fmt: skip
    names = ("layout", "photos", "items", "samples", "failed", "left_out", "warnings")
    head = ("source", *(name.replace("_", " ") for name in names))
    lines = [table(head, [[label, *(count[name] for name in names)] for label, count in counts.items()])]
    for group in groups:
        lines.append(f"  {group['count']} {plain_kind(group['kind'])}: {group['reason']}")
        lines += [f"      {printable(example['key'])}  {printable(example['detail'])}" for example in group["examples"]]
        more = group["count"] - len(group["examples"])
        lines += [f"      and {more} more"] if more and group["examples"] else []
    for duplicate in sorted(found.duplicates, key=lambda duplicate: not duplicate.across):
        where = "in two sources" if duplicate.across else "within one source"
        pair = f"{printable(duplicate.first)} = {printable(duplicate.second)}"
        lines.append(f"  duplicate {where}: {pair} ({duplicate.how}, {duplicate.score:.3f})")
    lines.append(
        f"{counted(found.compared, 'photo')} compared with each other; "
        + ("found something" if found.found else "sound")
    )
    return "\n".join([*lines, *written(found.preview)])


def dry_run_report(run: DryRun, as_json: bool) -> str:
    """Estimates per source, the total, the room there is, and bytes and requests."""
    from .cost import cost_json, cost_line

    if as_json:
        return as_text({**asdict(run), "bytes": run.bytes, "seconds": run.seconds, "fits": run.fits,
                        "refused": run.refused, "cost": cost_json(run.cost, run.work)})  # fmt: skip
    head = ("source", "layout", "photos", "shards", "~samples", "~triples", "~size", "~time, 1 worker")
    rows = [
        [s.label, s.layout, s.photos, s.shards, s.samples, s.triples, size_text(s.bytes), clock(s.seconds)]
        for s in run.sources
    ]
    fits = "fits" if run.fits else "does NOT fit"
    room = "" if run.free_bytes is None else f"; {size_text(run.free_bytes)} free: {fits}"
    return "\n".join(
        [
            table(head, rows),
            f"about {size_text(run.bytes)} and {clock(run.seconds)} with -j {run.jobs}{room}. Nothing was written.",
            cost_line(run.cost, run.work),
            *_refusal_lines(run),
        ]
    )


def _refusal_lines(run: DryRun) -> list[str]:
    """That the build would end without a manifest for what fails, why, and the way out."""
    if run.refused == "no":
        return []
    items, failed = (sum(getattr(source, name) for source in run.sources) for name in ("items", "failed"))
    about = "" if failed == sum(source.seen_failed for source in run.sources) else "about "
    verb = "would" if run.refused == "yes" else "may"
    why = ", ".join(f"{count} {reason}" for reason, count in run.reasons.items())
    if run.on_error == "fail":
        return [f"the build {verb} stop at the first of {about}{failed} failures ({why}), as --on-error fail asks"]
    return [
        f"the build {verb} be refused: {about}{failed} of {items} items fail ({why}), more than --max-error-rate "
        f"{run.max_error_rate:g} allows; mend the source, or build the others with `--max-error-rate 1`"
    ]


def preview_report(summary: PreviewSummary) -> str:
    """What was drawn, and what was asked for but could not be."""
    size = size_text(summary.out.stat().st_size)
    if summary.size:
        size = "{1}x{0} pixels".format(*summary.size)
    flagged = f", {summary.flagged} of them flagged" if summary.flagged else ""
    lines = [f"  not shown: {problem.key}: {problem.detail}" for problem in summary.problems[:MOST_TOLD]]
    if summary.skipped > MOST_TOLD:
        lines.append(f"  not shown: {summary.skipped - MOST_TOLD} more")
    drawn = f"{counted(summary.samples, 'sample')}, {counted(summary.triples, 'triple')}{flagged}, {size}"
    return "\n".join([*lines, f"{summary.out}: {drawn}"])


def sample_report(sample: SampleData) -> str:
    """What was drawn, and where."""
    rows = [
        [str(sample.ecssd), f"{sample.photos} photos with one mask each, as ECSSD lays them out"],
        [str(sample.coco), f"{sample.scenes} photos with {sample.objects} objects, as COCO instances"],
        [str(sample.davis), f"a clip of {sample.frames} frames with two objects, as DAVIS lays it out"],
    ]
    width = max(len(place) for place, _ in rows)
    return "\n".join(f"{place.ljust(width)}  {text}" for place, text in rows)


def verify_report(summary: Verification, as_json: bool) -> str:
    """Every finding with its place, or that there is none; what was repaired and what was refused."""
    from datakit.shards.examine import OPEN

    from .repair import AS_PUBLISHED

    path, findings = summary.path, summary.remaining
    if as_json:
        repair = {"repaired": list(summary.repaired), "refused": dict(summary.refused)} if summary.repair else {}
        return as_text({"folder": str(path), "vouched_for": summary.vouched_for, "deep": summary.deep,
                        "findings": [asdict(finding) for finding in findings], **repair})  # fmt: skip
    if [finding.place for finding in findings] == ["manifest"] and not summary.repair:
        return findings[0].text  # begins with the folder, and says what it is and what to do
    if path.is_file() and findings:
        lines = [f"  {_finding_text(finding)}" for finding in findings]
        alone = "it was examined by itself: name its folder to compare it with a manifest"
        return "\n".join([f"{path}: {counted(len(findings), 'finding')}; {alone}", *lines])
    lines = [f"{finding.shard}: {_finding_text(finding)}" for finding in findings]
    lines += [f"{name}: repaired" for name in summary.repaired]
    lines += [f"{name}: not repaired: {why}" for name, why in summary.refused.items()]
    if not summary.vouched_for and path.is_file():
        lines.append(f"{path}: examined by itself, in a child process; name its folder to compare it with a manifest")
    shards = sorted({finding.shard for finding in findings})
    if summary.repair or not summary.vouched_for:
        way_out = ""
    elif any(finding.place == "view" for finding in findings):
        way_out = ""  # each says its own
    elif summary.is_view:
        way_out = "; mend the folders behind the view, each by itself: `datakit verify FOLDER --repair`"
    elif any(finding.place == "file" for finding in findings):
        way_out = "; `datakit verify --repair` mends what it can"
    elif any(finding.place == OPEN for finding in findings):
        way_out = "; what is open elsewhere is not damaged: close it there and verify again"
    else:
        way_out = f"; {AS_PUBLISHED}"
    extent = "every record" if summary.deep else "bytes, structure and tables; --deep reads every record"
    found = f"{counted(len(findings), 'finding')} in {', '.join(shards)}{way_out}"
    if not findings:
        triples = "" if summary.triples is None else f", {counted(summary.triples, 'triple')}"
        found = f"sound: {counted(summary.shards, 'shard')}{triples} ({extent})"
    return "\n".join([*lines, f"{path}: {found}"])


def _finding_text(found: Finding) -> str:
    """Its place and what is wrong there."""
    return f"{found.place}{f' ({found.key})' if found.key else ''}: {found.text}"


def comparison_report(compared: Sequence[Comparison], as_json: bool) -> str:
    """`identical` or what differs, a line per triple."""
    if as_json:
        return as_text([{"key": c.key, "identical": not c.differs, "differs": list(c.differs)} for c in compared])
    same = sum(not comparison.differs for comparison in compared)
    lines = [f"{c.key}: {'; '.join(c.differs) or 'identical'}" for c in compared]
    return "\n".join([*lines, f"{same} of {len(compared)} identical"])


def statistics_report(contents: Contents, groups: Sequence[GroupStatistics], as_json: bool) -> str:
    """Counts, sizes, and the distributions of IoU and area ratio as bars; of a view first what it is a view of."""
    from .view_report import view_dict, view_lines

    if as_json:
        body = {"folder": str(contents.folder), "groups": [asdict(group) for group in groups]}
        return as_text({**body, **view_dict(contents)})
    if not groups:
        return f"{contents.folder}: no triples"
    head = ("source", "recipe", "kind", "photos", "samples", "triples", "median size", "IoU", "area ratio", "redraws")
    rows = [
        [g.source, g.recipe, g.kind, g.photos, g.samples, g.triples, f"{g.widths[1]}x{g.heights[1]}",
         f"{g.iou_mean:.3f}", f"{g.area_ratio_mean:.2f}", g.redraws]
        for g in groups
    ]  # fmt: skip
    everything = groups[-1]
    flags = [f"  {count} flagged {flag}" for flag, count in everything.flags.items()]
    iou_names = [f"{low / 10:.1f}-{(low + 1) / 10:.1f}" for low in range(10)]
    ratio_names = ["< 0.5", "0.5-0.8", "0.8-1.0", "1.0-1.2", "1.2-1.5", "1.5-2.0", "2.0-3.0", "> 3.0"]
    return "\n".join(
        [
            *view_lines(contents),
            table(head, rows),
            *flags,
            "",
            "IoU of guide mask and target",
            histogram(iou_names, everything.iou_histogram),
            "",
            "area of guide mask over target",
            histogram(ratio_names, everything.area_ratio_histogram),
        ]
    )


def histogram(names: Sequence[str], counts: Sequence[int]) -> str:
    """A bar of characters per bin, the largest `BAR` long."""
    most = max(counts) or 1
    width = max(len(name) for name in names)
    return "\n".join(
        f"  {name.rjust(width)}  {'█' * round(BAR * count / most)}{'▏' if 0 < BAR * count / most < 0.5 else ''} {count}"
        for name, count in zip(names, counts, strict=True)
    )


def train_report(summary: TrainSummary, as_json: bool) -> str:
    """How the run ended, its best validation against the start, and what to do with it."""
    best = summary.out / "best.safetensors"
    if as_json:
        against = {"start": summary.start, "trained": summary.trained, "over_start": summary.gain}
        return as_text({"out": str(summary.out), "steps": summary.steps, "weights": str(best),
                        "validation": summary.validation, **against, "extended": summary.extended,
                        "in_one_go": summary.in_one_go})  # fmt: skip
    found = summary.validation
    lines = [f"{summary.out}: {counted(summary.steps, 'step')}, weights in {best}"]
    if found:
        best_known = f"best {found['output_iou']:.3f} at step {found['step']}; what it began with was not judged"
        lines.append(summary.verdict() or best_known)
        lines.append(f"IoU on {counted(found['triples'], 'triple')} of photos held back, whose guide masks have "
                     f"{found['input_iou']:.3f}")  # fmt: skip
    else:
        lines.append(summary.verdict())
    if not summary.in_one_go:
        planned = ", ".join(f"{each['planned']} (step {each['done']})" for each in summary.extended)
        lines.append(f"iterations were added after {planned}: the learning rate fell sooner than in {summary.steps} "
                     "steps in one go, so these are not their weights")  # fmt: skip
    return "\n".join(lines)


def score_report(summary: ScoreSummary, as_json: bool) -> str:
    """Mean IoU of guide masks and outputs, a line per source and kind, and in total."""
    scores = summary.scores.to_dict()
    if as_json:
        about = {"shards": str(summary.shards), "weights": summary.weights, "view": asdict(summary.view)}
        return as_text({**about, **scores, "seconds": summary.seconds})
    rows = [(f"{source} {kind}", part) for source, kinds in scores["sources"].items() for kind, part in kinds.items()]
    body = [
        [name, part["triples"], f"{part['input_iou']:.3f}", f"{part['output_iou']:.3f}",
         f"{part['output_iou'] - part['input_iou']:+.3f}"]
        for name, part in [*rows, ("total", scores)]
    ]  # fmt: skip
    return "\n".join([table(("source", "triples", "input IoU", "output IoU", "gain"), body), *written(summary.picture)])
