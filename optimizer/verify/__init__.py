"""Whether a plan holds: checked with nothing of the solver's, nor of what read its answer."""

from optimizer.verify.examine import Verdict, examine, verify
from optimizer.verify.plan_document import PlanFormatError

__all__ = ["PlanFormatError", "Verdict", "examine", "verify"]
