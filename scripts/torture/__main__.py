"""python -m scripts.torture: see docs/torture.md."""
import sys
from scripts.torture.crash import Plan, crash
plan = Plan(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), 1)
r = crash(plan)
print(plan.name, r.summary)
print("\n".join(r.problems[:20]), len(r.problems))
