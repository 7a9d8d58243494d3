"""Who may see the researcher's desk."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from codecs_eval.models import Run
from codecs_eval.run_kinds import load, study_of

View = Callable[..., HttpResponseBase]


def researchers_only(view: View) -> View:
    """Staff go in; a visitor is asked to log in; somebody else's account is told no."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not request.user.is_staff:
            raise PermissionDenied("The desk is for researchers; this account is not one.")
        return view(request, *args, **kwargs)

    return guarded


# The people of a study are known to `annotation`, which stands above: it is asked by name.
MAY_CHANGE_STUDY = "annotation.team.may_change"


def may_change_run(user: User, run: Run) -> bool:
    """Whether an account may cancel or repeat a run: of a study's, its researchers may."""
    study = study_of(run.kind, run.config)
    return not study or bool(load(MAY_CHANGE_STUDY)(user, study))


def researcher(request: HttpRequest) -> User:
    """Who is behind a request that `researchers_only` let in."""
    assert isinstance(request.user, User)
    return request.user
