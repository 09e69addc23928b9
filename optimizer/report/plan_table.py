"""A plan as a person reads it in the terminal."""

from __future__ import annotations

from optimizer.plans import Plan
from optimizer.report.plan_sections import Steps, headline, next_steps, sections, verdict
from optimizer.report.section import Section
from optimizer.report.text_grid import folded, grid
from optimizer.report.texts import MOST_READ, plain


def plan_text(
    plan: Plan,
    *,
    why: bool = False,
    details: bool = False,
    path: str = "",
    steps: Steps = (),
    width: int | None = None,
    color: bool = False,
) -> str:
    """The whole plan, from the decision down to the prices behind it.

    Args:
        why: add the hardware and the offers that were ruled out, with the reasons.
        details: every rental on its own line.
        path: of the schedule, for the commands to type next; its file name when left out.
        steps: those commands, where they are not the usual ones.
        width: columns of the terminal to fold to; nothing is folded without it.
        color: titles in bold.
    """
    first, *rest = headline(plan)
    text = f"{_bold(plain(first), color)}\n" + _lines(rest, "", width)
    decision, *more = verdict(plan)
    text += f"\n{_bold(plain(decision), color)}\n" + _lines(more, "", width)
    for section in sections(plan, why=why, details=details, width=width and width - 2):
        text += "\n" + section_text(section, width, color)
    if plan.warnings:
        text += f"\n{_bold('Before you sign', color)}\n"
        text += _lines(plan.warnings, "  ! ", width)
    text += f"\n{_bold('Next', color)}\n"
    steps = steps or next_steps(plan, path, why=why)
    room = max(len(command) for command, _ in steps)
    return text + _lines([f"{command:<{room}}  {about}" for command, about in steps], "  ", None)


def section_text(section: Section, width: int | None, color: bool) -> str:
    text = f"{_bold(section.title, color)}\n"
    if section.rows:
        text += grid(section.columns, section.rows, width=width)
    text += "".join(f"  {plain(line)}".rstrip() + "\n" for line in section.block.splitlines())
    return text + _lines(section.notes, "  - ", width)


def _bold(text: str, color: bool) -> str:
    return f"\x1b[1m{text}\x1b[0m" if color else text


def _lines(lines: object, lead: str, width: int | None) -> str:
    """Lines after a lead, folded under themselves."""
    text = ""
    for line in lines if isinstance(lines, list | tuple) else [str(lines)]:
        shown = plain(line, MOST_READ)
        parts = [shown] if width is None else folded(shown, max(20, width - len(lead)))
        text += f"{lead}{parts[0]}\n"
        text += "".join(f"{' ' * len(lead)}{part}\n" for part in parts[1:])
    return text
