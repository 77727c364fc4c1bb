"""The kill matrix: which bugs are found with how many tasks, as Markdown."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.mutant_outcomes import Outcomes
from scripts.mutant_runs import SCHEMATHESIS, Outcome, Run, mutant_named
from tests.contracts.mutants import KINDS

# The least share of runs that find a mutant, by the number of tasks.
TARGETS = {10: 0.9, 30: 1.0}


PROFILES = ("model-page", "reference")
Seeds = Mapping[int, int]


def planned_runs(names: Sequence[str], seeds: Seeds, clean_seeds: Seeds) -> list[Run]:
    """All runs of a matrix, column by column.

    Args:
        names: mutants.
        seeds: runs of each mutant, by column.
        clean_seeds: runs of the unchanged emulator in each profile, by column.
    """
    return [
        run
        for column in seeds
        for run in (
            *(r for p in PROFILES for r in _runs(None, column, clean_seeds[column], p)),
            *(r for name in names for r in _runs(name, column, seeds[column])),
        )
    ]


def _runs(name: str | None, column: int, seeds: int, profile: str = "") -> list[Run]:
    spoken = profile if name is None else mutant_named(name).profile
    return [Run(name, spoken, column, seed) for seed in range(seeds)]


@dataclass
class Matrix:
    """What all runs said.

    Attributes:
        columns: numbers of tasks, and ``SCHEMATHESIS``.
        found: mutant -> column -> what its runs said.
        unchanged: (profile, column) -> what the runs without a bug said.
    """

    columns: Sequence[int]
    found: dict[str, dict[int, list[Outcome]]] = field(default_factory=dict)
    unchanged: dict[tuple[str, int], list[Outcome]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, outcomes: Outcomes, names: Sequence[str], seeds: Seeds, clean_seeds: Seeds
    ) -> "Matrix":
        """Put outcomes together; for the arguments see ``planned_runs``."""
        found = {
            name: {
                column: [outcomes[run] for run in _runs(name, column, count)]
                for column, count in seeds.items()
            }
            for name in names
        }
        unchanged = {
            (profile, column): [outcomes[run] for run in _runs(None, column, count, profile)]
            for column, count in clean_seeds.items()
            for profile in PROFILES
        }
        return cls(list(seeds), found, unchanged)

    def usual(self, profile: str, column: int) -> frozenset[str]:
        """What fails without a bug; it kills nothing."""
        outcomes = self.unchanged.get((profile, column), [])
        return frozenset(name for outcome in outcomes for name in outcome.failed)

    def kills(self, name: str, column: int) -> list[tuple[str, ...]]:
        """What failed because of a mutant, for each run that found it."""
        usual = self.usual(mutant_named(name).profile, column)
        outcomes = self.found[name][column]
        failed = [tuple(one for one in outcome.failed if one not in usual) for outcome in outcomes]
        return [names for names in failed if names]

    def share(self, column: int) -> float:
        """The part of all runs of a column that found their mutant."""
        kills = sum(len(self.kills(name, column)) for name in self.found)
        return kills / sum(len(found[column]) for found in self.found.values())

    def survivors(self, column: int) -> list[str]:
        """Mutants that not every run of a column found, with how many did."""
        kills = {n: (len(self.kills(n, column)), len(f[column])) for n, f in self.found.items()}
        return [f"{name} ({k}/{runs})" for name, (k, runs) in kills.items() if k < runs]

    def missed_targets(self) -> Iterator[str]:
        """What the kit should have done and did not."""
        for column in self.columns:
            if column in TARGETS and self.share(column) < TARGETS[column]:
                least = f"{TARGETS[column]:.0%}"
                yield f"{self.share(column):.1%} are killed at {column} tasks; {least} should be"
        for (profile, column), outcomes in self.unchanged.items():
            alarms = [outcome for outcome in outcomes if outcome.failed or outcome.problems]
            if column != SCHEMATHESIS and alarms:
                claims = Counter(name for outcome in alarms for name in outcome.failed)
                problems = [text for outcome in alarms for text in outcome.problems][:3]
                told = ", ".join([*(f"{name} {n}x" for name, n in claims.items()), *problems])
                yield (
                    f"{len(alarms)} of {len(outcomes)} runs at {column} tasks find fault with the"
                    f" unchanged emulator, profile {profile}: {told}"
                )

    def problems(self) -> Iterator[str]:
        """Runs that could not judge what they should have judged."""
        for name, by_column in self.found.items():
            for column, outcomes in by_column.items():
                texts = Counter(text for outcome in outcomes for text in outcome.problems)
                for text, times in texts.items():
                    yield f"{name}, {heading(column)}, {times}x: {text}"


def heading(column: int) -> str:
    """A column's name."""
    return "Schemathesis" if column == SCHEMATHESIS else f"{column} tasks"


def markdown(matrix: Matrix) -> str:
    """Write the whole matrix."""
    about = (
        "What the contract kit finds of bugs that were put into the emulator: each cell says how"
        " many runs, of how many with another seed each, say that a claim is broken."
        " *Named* says how many of them blame, among others, the claim that the bug breaks."
        " Schemathesis runs with its defaults; what it reports of the unchanged emulator does not"
        " count. (R): in the profile reference. Made by"
        " `make mutants`."
    )
    parts = [
        "# Kill matrix",
        about,
        _totals(matrix),
        *(_table(matrix, kind) for kind in KINDS),
        "## Survivors",
        _survivors(matrix),
        "## Without a bug",
        _unchanged(matrix),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _totals(matrix: Matrix) -> str:
    rows = []
    for column in matrix.columns:
        always = len(matrix.found) - len(matrix.survivors(column))
        seconds = [o.seconds for found in matrix.found.values() for o in found[column]]
        rows.append(
            [
                heading(column),
                f"{matrix.share(column):.1%}",
                f"{always} of {len(matrix.found)}",
                f"{sum(seconds) / len(seconds):.1f} s",
            ]
        )
    return _rows(["", "runs that find the bug", "bugs found by every run", "a run takes"], rows)


def _table(matrix: Matrix, kind: str) -> str:
    rows = []
    for mutant in KINDS[kind]:
        if mutant.name not in matrix.found:
            continue
        kills = {column: matrix.kills(mutant.name, column) for column in matrix.columns}
        by_kit = [names for column in kills if column != SCHEMATHESIS for names in kills[column]]
        named = sum(mutant.claim in names for names in by_kit)
        profile = " (R)" if mutant.profile == "reference" else ""
        told = f"`{mutant.name}`: {mutant.says}{profile}"
        runs = matrix.found[mutant.name]
        cells = [f"{len(kills[column])}/{len(runs[column])}" for column in matrix.columns]
        rows.append([told, mutant.claim, *cells, f"{named}/{len(by_kit)}"])
    header = ["bug", "claim", *map(heading, matrix.columns), "named"]
    return f"## {kind.capitalize()}\n\n{_rows(header, rows)}" if rows else ""


def _survivors(matrix: Matrix) -> str:
    lines = [
        f"- {heading(column)}: {', '.join(matrix.survivors(column)) or 'none'}"
        for column in matrix.columns
    ]
    return "\n".join(lines)


def _unchanged(matrix: Matrix) -> str:
    rows = []
    for (profile, column), outcomes in matrix.unchanged.items():
        alarms = sum(bool(outcome.failed or outcome.problems) for outcome in outcomes)
        seen = ", ".join(sorted(matrix.usual(profile, column))) or "nothing"
        rows.append([profile, heading(column), f"{alarms} of {len(outcomes)}", seen])
    return _rows(["profile", "", "runs that find fault", "with"], rows)
