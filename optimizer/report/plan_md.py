"""A plan as Markdown: a comment on a change, a page of a wiki, a memo."""

from __future__ import annotations

from optimizer.plans import Plan
from optimizer.report.plan_sections import headline, sections, verdict
from optimizer.report.section import Section
from optimizer.report.tables import render
from optimizer.report.texts import plain


def plan_md(plan: Plan, *, why: bool = False, details: bool = False) -> str:
    """The decision first; long tables folded away, to be opened by whoever asks."""
    title, *rest = headline(plan)
    decision, *more = verdict(plan)
    parts = [
        f"## {md_text(title)}\n",
        f"**{md_text(decision)}**\n",
        "\n".join(f"{md_text(line)}  " for line in (*more, *rest)) + "\n",
        *(section_md(section) for section in sections(plan, why=why, details=details)),
    ]
    if plan.warnings:
        warnings = "".join(f"- {md_text(line)}\n" for line in plan.warnings)
        parts.append(f"### Before you sign\n\n{warnings}")
    return "\n".join(parts)


def section_md(section: Section) -> str:
    columns = [column if column else " " for column in section.columns]
    body = ""
    if section.rows:
        rows = [[md_text(cell) for cell in row] for row in section.rows]
        body += render(columns, rows, "md")
    if section.block:
        block = "".join(f"{plain(line)}\n" for line in section.block.splitlines())
        body += f"```text\n{block}```\n"
    if section.notes:
        body += "\n" + "".join(f"- {md_text(note)}\n" for note in section.notes)
    if section.aside:
        return f"<details><summary>{section.title}</summary>\n\n{body}\n</details>\n"
    return f"### {section.title}\n\n{body}"


def md_text(line: str) -> str:
    """What would be markup is shown as it is."""
    line = plain(line)
    for character in "\\*_`<[":
        line = line.replace(character, f"\\{character}")
    return line
