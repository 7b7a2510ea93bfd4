"""Would that loader see objects here? A folder of videos or stills against the rules that a loader's source holds."""

from .check import Checked, Plan, Question, check_one, conclude, plan_check
from .faults import Fault
from .loaders import LOADERS, TASKS, Loader, Task, VideoRules

__all__ = [
    "LOADERS",
    "TASKS",
    "Checked",
    "Fault",
    "Loader",
    "Plan",
    "Question",
    "Task",
    "VideoRules",
    "check_one",
    "conclude",
    "plan_check",
]
