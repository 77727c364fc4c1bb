"""What the kill matrix counts, and which targets it misses."""

from scripts.mutant_matrix import Matrix, markdown
from scripts.mutant_runs import SCHEMATHESIS, Outcome
from tests.contracts.mutants import MUTANTS

ONE, OTHER = MUTANTS[0], MUTANTS[1]


def outcome(*failed: str, problems: tuple[str, ...] = ()) -> Outcome:
    return Outcome(failed, problems, 1.0)


def matrix() -> Matrix:
    made = Matrix([10, 30, SCHEMATHESIS])
    for profile in ("model-page", "reference"):
        made.unchanged |= {(profile, 10): [outcome()], (profile, 30): [outcome()]}
        made.unchanged[profile, SCHEMATHESIS] = [outcome("GET /a: wrong")]
    made.found[ONE.name] = {
        10: [outcome(ONE.claim, "ERR-1"), outcome("ERR-1")],
        30: [outcome(ONE.claim), outcome(ONE.claim)],
        SCHEMATHESIS: [outcome("GET /a: wrong"), outcome("GET /a: wrong", "GET /b: wrong")],
    }
    made.found[OTHER.name] = {
        10: [outcome(), outcome(OTHER.claim)],
        30: [outcome(OTHER.claim), outcome(problems=("it stopped",))],
        SCHEMATHESIS: [outcome(), outcome()],
    }
    return made


def test_a_run_kills_where_something_fails_that_does_not_fail_otherwise() -> None:
    made = matrix()
    assert made.share(10) == made.share(30) == 0.75
    assert made.kills(ONE.name, SCHEMATHESIS) == [("GET /b: wrong",)]
    assert made.survivors(10) == [f"{OTHER.name} (1/2)"]


def test_what_could_not_be_judged_is_no_kill() -> None:
    made = matrix()
    assert made.survivors(30) == [f"{OTHER.name} (1/2)"]
    assert list(made.problems()) == [f"{OTHER.name}, 30 tasks, 1x: it stopped"]


def test_missed_targets_are_told() -> None:
    made = matrix()
    assert list(made.missed_targets()) == [
        "75.0% are killed at 10 tasks; 90% should be",
        "75.0% are killed at 30 tasks; 100% should be",
    ]
    made.unchanged["reference", 30] = [outcome("GEN-6"), outcome(problems=("it stopped",))]
    assert list(made.missed_targets())[2] == (
        "2 of 2 runs at 30 tasks find fault with the unchanged emulator, profile reference:"
        " GEN-6 1x, it stopped"
    )


def test_the_page_names_bugs_claims_and_survivors() -> None:
    text = markdown(matrix())
    assert f"| `{ONE.name}`: {ONE.says} | {ONE.claim} | 2/2 | 2/2 | 1/2 | 3/4 |" in text
    assert f"- 10 tasks: {OTHER.name} (1/2)" in text
    assert "| reference | Schemathesis | 1 of 1 | GET /a: wrong |" in text
