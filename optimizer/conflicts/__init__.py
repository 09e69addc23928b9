"""Which of a schedule's rules cannot all be kept, and the least change that would do."""

from optimizer.conflicts.search import Conflict, Relaxation, conflict_lines, find_conflict

__all__ = ["Conflict", "Relaxation", "conflict_lines", "find_conflict"]
