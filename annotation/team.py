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
    if study.purpose != Study.Purpose.REAL and study.copied_from is not None:
        # What tries a study out is its people's, as they are now.
        return role_of(user, study.copied_from)
    roles = dict(study.members.values_list("user", "role"))
    if not roles:
        return Role.OWNER if user.is_staff else ""
    return roles.get(user.pk, "")


def may(user: User | AnonymousUser, study: Study, role: str) -> bool:
    """Whether an account may do what `role` may."""
    own = role_of(user, study)
    return own in RANKS and RANKS.index(own) <= RANKS.index(Role(role))


def visible_to(user: User | AnonymousUser) -> StudyQuerySet:
    """The studies whose desk an account may read; a preview has none."""
    if not isinstance(user, User) or not user.is_active:
        return Study.objects.none()
    with_desk = Study.objects.exclude(purpose=Study.Purpose.PREVIEW)
    if user.is_superuser:
        return with_desk
    members = StudyMember.objects.filter(study=OuterRef("pk"))
    visible = Q(Exists(members.filter(user=user, role__in=RANKS)))
    if user.is_staff:
        visible |= Q(~Exists(members))
    return with_desk.filter(visible)


def name_owner(study: Study, user: User | None) -> None:
    """Who makes a study owns it; what a command makes is every researcher's."""
    if user is not None:
        StudyMember.objects.create(study=study, user=user, role=Role.OWNER)
