"""Who may do what in a study, and how people are named on it.

owner > researcher > viewer: each may do what those after it may. Who only answers (annotator)
sees nothing of the desk. A study whose desk names nobody is every researcher's.
"""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When

from annotation import auditing
from annotation.models import Study, StudyMember, StudyQuerySet

Role = StudyMember.Role
RANKS = (Role.OWNER, Role.RESEARCHER, Role.VIEWER)


def role_of(user: Any, study: Study) -> str:
    """The part of an account in a study; "" where it has none.

    A superuser owns every study. Whoever is named has that part and no other, staff or not.
    """
    if not isinstance(user, User) or not user.is_active:
        return ""
    if user.is_superuser:
        return Role.OWNER
    if study.purpose != Study.Purpose.REAL and study.copied_from is not None:
        # What tries a study out is its people's, as they are now.
        return role_of(user, study.copied_from)
    concerned = study.members.filter(Q(user=user) | Q(role__in=RANKS)).order_by()
    roles = dict(concerned.values_list("user", "role"))
    if user.pk in roles:
        return roles[user.pk]
    return Role.OWNER if user.is_staff and not roles else ""


def covers(own: str, role: str) -> bool:
    """Whether who has the part `own` may do what `role` may."""
    return own in RANKS and RANKS.index(Role(own)) <= RANKS.index(Role(role))


def may(user: User | AnonymousUser, study: Study, role: str) -> bool:
    """Whether an account may do what `role` may."""
    return covers(role_of(user, study), role)


def may_change(user: User, slug: str) -> bool:
    """Whether an account may change the study of that short name; of none there is nothing to."""
    study = Study.objects.filter(slug=slug).first()
    return study is None or may(user, study, Role.RESEARCHER)


def visible_to(user: User | AnonymousUser) -> StudyQuerySet:
    """The studies whose desk an account may read: `may(user, study, VIEWER)` for all at once.

    A preview has no desk.
    """
    if not isinstance(user, User) or not user.is_active:
        return Study.objects.none()
    with_desk = Study.objects.exclude(purpose=Study.Purpose.PREVIEW)
    if user.is_superuser:
        return with_desk
    members = StudyMember.objects.filter(_people_of(OuterRef("pk")))
    visible = Q(Exists(members.filter(user=user, role__in=RANKS)))
    if user.is_staff:
        is_named = Q(Exists(members.filter(user=user)))
        visible |= Q(~Exists(members.filter(role__in=RANKS))) & ~is_named
    return with_desk.filter(visible)


def _people_of(study: OuterRef) -> Q:
    """Members who have a say: what tries a study out is its people's, as `role_of` has it."""
    own = Q(study=study) & (Q(study__purpose=Study.Purpose.REAL) | Q(study__copied_from=None))
    tried = Q(study__copies=study) & ~Q(study__copies__purpose=Study.Purpose.REAL)
    return own | tried


def may_answer(user: User | AnonymousUser, study: Study) -> bool:
    """Whether a study that asks accounts asks this one: all, or those named to answer it."""
    named = study.members.filter(role=Role.ANNOTATOR)
    return named.filter(user=user.pk).exists() or not named.exists()


def asking(user: User | AnonymousUser, studies: StudyQuerySet) -> StudyQuerySet:
    """Without those that ask named accounts only, of which this is none."""
    named = StudyMember.objects.filter(study=OuterRef("pk"), role=Role.ANNOTATOR)
    asks_others = Q(Exists(named)) & ~Q(Exists(named.filter(user=user.pk)))
    return studies.exclude(Q(recruiting=Study.Recruiting.ACCOUNTS) & asks_others)


def by_rank(study: Study) -> QuerySet[StudyMember]:
    """Everybody named on a study, owners first."""
    ranks = [When(role=role, then=place) for place, role in enumerate(Role)]
    return study.members.select_related("user").order_by(Case(*ranks), "user__username")


def name_owner(study: Study, user: User | None) -> None:
    """Who makes a study owns it; what a command makes is every researcher's."""
    if user is not None:
        StudyMember.objects.create(study=study, user=user, role=Role.OWNER)


def account_called(username: str) -> User:
    """Raises ValueError where nobody has that name."""
    found = User.objects.filter(username=username.strip()).first()
    if found is None:
        raise ValueError(
            f"No account is called {username.strip()!r}; a superuser makes accounts in the admin."
        )
    return found


def name_member(study: Study, user: User, role: str, *, by: auditing.Actor) -> StudyMember:
    """Give an account a part in a study, or another one than it has.

    Raises ValueError where the study would be left without an owner.
    """
    if role not in Role.values:
        raise ValueError(f"Found role {role!r}; expected one of {', '.join(Role.values)}.")
    with transaction.atomic():
        before = _held_roles(study)
        _check_owned(study, before, {**before, user.pk: role})
        member, _ = StudyMember.objects.update_or_create(
            study=study, user=user, defaults={"role": role}
        )
        name = user.get_username()
        old = {name: before[user.pk]} if user.pk in before else {}
        auditing.record(study, by, _said(name, old.get(name), role), old, {name: role})
    return member


def remove_member(study: Study, user: User, *, by: auditing.Actor) -> None:
    """Take an account's part away. Raises ValueError for the last owner, and for who has none."""
    with transaction.atomic():
        before = _held_roles(study)
        name = user.get_username()
        if user.pk not in before:
            raise ValueError(f"{name} is not named on study {study.slug}.")
        _check_owned(study, before, {pk: r for pk, r in before.items() if pk != user.pk})
        study.members.filter(user=user).delete()
        auditing.record(study, by, f"{name} removed", {name: before[user.pk]}, {})


def _held_roles(study: Study) -> dict[int, str]:
    """With the study locked: two owners who remove each other at once leave one of them."""
    Study.objects.select_for_update().only("pk").get(pk=study.pk)
    return dict(study.members.order_by().values_list("user", "role"))


def _check_owned(study: Study, before: dict[int, str], after: dict[int, str]) -> None:
    """The last owner stays; the first who is named on the desk owns the study."""
    had_owner, named = Role.OWNER in before.values(), set(after.values())
    if Role.OWNER in named or not (had_owner or named & set(RANKS)):
        return
    raise ValueError(
        f"Study {study.slug} would have nobody who owns it; name an owner first. "
        "Its owner alone may say who takes part."
    )


def _said(name: str, old: str | None, role: str) -> str:
    return f"{name} is now {role}" if old else f"{name} named {role}"
