"""Why a session is suspected or trusted, in plain sentences with its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.design.answers import LEFT, NOT_SURE, RIGHT, UNKNOWN, Answers, Bools, Floats, Ints
from annotation.design.behaviours import EVADING, INVERTED, ONE_SIDED, PATTERNED, PATTERNS, back

# A signal is spoken of from these odds on: about 3 to 1, or 12 to 1 in a trusted session.
_SPEAKS, _SPEAKS_OF_TRUSTED = 1.0, 2.5
_FEWEST_OTHERS = 3


@dataclass(frozen=True, eq=False)
class Seen:
    """What the screening knows of a study: see the names in `screening`."""

    answers: Answers
    usual: Floats
    belief: Floats
    attending: Floats
    careless: Floats
    is_timed: Bools


def reasons_for(
    seen: Seen, session: int, signals: Mapping[str, float], verdict: str
) -> tuple[str, ...]:
    """The strongest first. An undecided session is told what was missing."""
    answers = seen.answers
    rows = np.arange(*np.searchsorted(answers.session, [session, session + 1]))
    if not len(rows):
        return ("no answer yet",)
    writers = {
        "sentinels": _sentinels, "repeats": _repeats, "agreement": _agreement,
        "times": _times, "sides": _sides, "change": _change,
    }  # fmt: skip
    if verdict == "trusted":
        del writers["change"]
    least = _SPEAKS_OF_TRUSTED if verdict == "trusted" else _SPEAKS
    by_weight = sorted(writers, key=signals.__getitem__, reverse=True)
    spoken = [name for name in by_weight if signals[name] >= least]
    if verdict in ("doubtful", "excluded") and not spoken:
        # Many small signs together: the largest at least is named.
        spoken = by_weight[:2]
    reasons = [writers[name](seen, rows, session) for name in spoken]
    if verdict == "":
        reasons.append(_missing(seen, rows))
    elif verdict == "trusted":
        unsaid = [writers[name] for name in ("sentinels", "agreement") if name not in spoken]
        said = [write(seen, rows, session).split("; ")[0] for write in unsaid]
        reasons.insert(0, "; ".join(sentence for sentence in said if sentence))
    return tuple(reason for reason in reasons if reason) or ("nothing stands out by itself",)


def _of_twenty(share: float) -> str:
    return f"{round(20 * share)} of 20"


def _others(seen: Seen, rows: Ints, chosen: Bools) -> Ints:
    """Rows of attentive answers of other sessions."""
    answers = seen.answers
    is_other = chosen & (answers.session != answers.session[rows[0]])
    return np.flatnonzero(is_other & (seen.attending > 0.5))


def _sentinels(seen: Seen, rows: Ints, session: int) -> str:
    answers = seen.answers
    is_obvious = answers.expected != UNKNOWN
    own = rows[is_obvious[rows]]
    if not len(own):
        return ""
    right = int((answers.choice[own] == answers.expected[own]).sum())
    others = _others(seen, rows, is_obvious)
    sentence = f"{right} of {len(own)} obvious comparisons right"
    if len(others) < _FEWEST_OTHERS:
        return sentence
    share = float(np.mean(answers.choice[others] == answers.expected[others]))
    return f"{sentence}; attentive people get {_of_twenty(share)}"


def _repeats(seen: Seen, rows: Ints, session: int) -> str:
    answers = seen.answers
    is_repeat = answers.earlier != UNKNOWN
    is_same = answers.choice == answers.choice[answers.earlier]
    own = rows[is_repeat[rows]]
    if not len(own):
        return ""
    sentence = f"the same choice in {int(is_same[own].sum())} of {len(own)} repeated comparisons"
    others = _others(seen, rows, is_repeat)
    if len(others) < _FEWEST_OTHERS:
        return sentence
    return f"{sentence}; attentive people make it in {_of_twenty(float(np.mean(is_same[others])))}"


def _agreement(seen: Seen, rows: Ints, session: int) -> str:
    answers = seen.answers
    plain = _plain(seen, rows)
    own = plain[answers.choice[plain] != NOT_SURE]
    if not len(own):
        return ""
    likely = seen.usual[own]
    with_others = int((likely > 0.5).sum())
    # What an attentive person reaches, by how clear each comparison is to the others.
    expected = float(np.maximum(likely, 1 - likely).sum())
    if _is(seen, session, INVERTED) and with_others < len(own) / 2:
        return (
            f"chose the opposite of what the others see in {len(own) - with_others} of "
            f"{len(own)} comparisons"
        )
    return (
        f"agrees with the others in {with_others} of {len(own)} comparisons; an attentive person "
        f"would in about {expected:.0f}"
    )


def _plain(seen: Seen, rows: Ints) -> Ints:
    answers = seen.answers
    is_check = (answers.expected != UNKNOWN) | answers.is_identical | (answers.earlier != UNKNOWN)
    plain: Ints = rows[~is_check[rows]]
    return plain


def _times(seen: Seen, rows: Ints, session: int) -> str:
    answers = seen.answers
    own = rows[seen.is_timed[rows]]
    others = _others(seen, rows, seen.is_timed)
    if not len(own):
        return ""
    mine = float(np.median(answers.response_ms[own])) / 1000
    if len(others) < _FEWEST_OTHERS:
        return f"answers come in {mine:.1f} s at the median"
    theirs = float(np.median(answers.response_ms[others])) / 1000
    if mine < 0.75 * theirs:
        return f"answers come in {mine:.1f} s at the median; others take {theirs:.1f} s"
    return "answers take no longer where the others find it hard to tell"


def _sides(seen: Seen, rows: Ints, session: int) -> str:
    answers = seen.answers
    sided = rows[answers.is_sided[rows]]
    n_not_sure = len(rows) - len(sided)
    if _is(seen, session, EVADING) and n_not_sure > len(rows) / 2:
        return f'"not sure" {n_not_sure} of {len(rows)} times'
    if _is(seen, session, PATTERNED):
        return _pattern(answers, sided)
    return _one_side(answers, sided, n_not_sure)


def _one_side(answers: Answers, sided: Ints, n_not_sure: int) -> str:
    n_left = int((answers.side[sided] == LEFT).sum())
    n = max(n_left, len(sided) - n_left)
    if not len(sided) or n < 0.6 * len(sided):
        return f'"not sure" {n_not_sure} times' if n_not_sure else ""
    name = "left" if n == n_left else "right"
    return f"chose the {name} side {n} of {len(sided)} times"


def _pattern(answers: Answers, sided: Ints) -> str:
    """The pattern that fits best, in its own words."""
    best, words = 0.0, ""
    for lag, is_same in PATTERNS:
        own = sided[lag:]
        before = back(answers, lag)[own]
        kept = int(((answers.side[own] == answers.side[before]) == is_same).sum())
        if len(own) and kept / len(own) > best:
            best = kept / len(own)
            words = {
                (1, False): f"changed sides in {kept} of {len(own)} answers",
                (1, True): f"stayed on the same side in {kept} of {len(own)} answers",
            }.get((lag, is_same), f"sides follow a fixed pattern in {kept} of {len(own)} answers")
    return words


def _change(seen: Seen, rows: Ints, session: int) -> str:
    changes = seen.careless[session, 1:]
    by_place = np.cumsum(changes.sum(axis=1))
    if not by_place[-1] > 0:
        return ""
    # The middle of the posterior: as likely before as after.
    place = int(np.searchsorted(by_place, by_place[-1] / 2)) + 1
    answers = seen.answers
    since = f"from about trial {int(answers.position[rows[place]]) + 1} on"
    rest = rows[place:]
    behaviour = int(np.argmax(changes.sum(axis=0)))
    side = answers.side[rest]
    for name, code in (("left", LEFT), ("right", RIGHT)):
        n = int((side == code).sum())
        if behaviour == ONE_SIDED and n > 0.6 * len(rest):
            return f"{since} the {name} side {n} of {len(rest)} times"
    if behaviour == PATTERNED:
        return f"{since} it {_pattern(answers, rest[answers.is_sided[rest]])}"
    if behaviour == EVADING:
        return f'{since} "not sure" {int((side == NOT_SURE).sum())} of {len(rest)} times'
    return f"{since} the answers no longer agree with the others"


def _is(seen: Seen, session: int, behaviour: int) -> bool:
    """Whether this is the likeliest way in which the session is careless from its start."""
    return int(np.argmax(seen.careless[session, 0])) == behaviour


def _missing(seen: Seen, rows: Ints) -> str:
    answers = seen.answers
    lacking = []
    if not (answers.expected[rows] != UNKNOWN).any():
        lacking.append("no obvious comparisons")
    if not (answers.earlier[rows] != UNKNOWN).any():
        lacking.append("no repeated comparisons")
    n_others = answers.by_triplet((answers.earlier == UNKNOWN).astype(float))[answers.triplet]
    if not (n_others[rows] > 1).any():
        lacking.append("nobody else judged the same comparisons")
    if not seen.is_timed[rows].any():
        lacking.append("no response times")
    told = f"{len(rows)} answers are too few to tell"
    return f"{told} ({', '.join(lacking)})" if lacking else told
