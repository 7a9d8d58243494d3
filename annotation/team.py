"""Who may do what in a study."""

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q

from annotation.models import Study, StudyMember, StudyQuerySet

Role = StudyMember.Role
# Each may do what those after it may; who only answers sees nothing of the desk.
RANKS = (Role.OWNER, Role.RESEARCHER, Role.VIEWER)


def role_of(user: User | AnonymousUser, study: Study) -> str:
    """The part of an account in a study; "" where it has none.

    A superuser owns every study; one that nobody is named on is every researcher's.
    """
    if not isinstance(user, User) or not user.is_active:
        return ""
    if user.is_superuser:
        return Role.OWNER
    roles = dict(study.members.values_list("user", "role"))
    if not roles:
        return Role.OWNER if user.is_staff else ""
    return roles.get(user.pk, "")


def may(user: User | AnonymousUser, study: Study, role: str) -> bool:
    """Whether an account may do what `role` may."""
    own = role_of(user, study)
    return own in RANKS and RANKS.index(own) <= RANKS.index(Role(role))


def visible_to(user: User | AnonymousUser) -> StudyQuerySet:
    """The studies whose desk an account may read."""
    if not isinstance(user, User) or not user.is_active:
        return Study.objects.none()
    if user.is_superuser:
        return Study.objects.all()
    members = StudyMember.objects.filter(study=OuterRef("pk"))
    visible = Q(Exists(members.filter(user=user, role__in=RANKS)))
    if user.is_staff:
        visible |= Q(~Exists(members))
    return Study.objects.filter(visible)


def name_owner(study: Study, user: User | None) -> None:
    """Who makes a study owns it; what a command makes is every researcher's."""
    if user is not None:
        StudyMember.objects.create(study=study, user=user, role=Role.OWNER)
