"""One settings file, read from the environment; the defaults are a laptop's."""

import os
import secrets
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.broker import embedded_broker_url

BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str, *, default: bool) -> bool:
    text = os.environ.get(name, "")
    if text == "":
        return default
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {text!r}; expected 1 or 0.")


def _number(name: str, *, default: int) -> int:
    text = os.environ.get(name, "")
    if text == "":
        return default
    if not text.isdigit():
        raise ImproperlyConfigured(f"{name} is {text!r}; expected a whole number.")
    return int(text)


def _words(name: str, *, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def _secret_key(home: Path) -> str:
    """The key of this installation: made once, readable by its owner alone."""
    if os.environ.get("SECRET_KEY"):
        return os.environ["SECRET_KEY"]
    path = home / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(64))
    return path.read_text()


TRIAD_HOME = Path(os.environ.get("TRIAD_HOME") or BASE_DIR / "var").resolve()
TRIAD_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
TRIAD_HOST = os.environ.get("TRIAD_HOST") or "127.0.0.1"
TRIAD_PORT = _number("TRIAD_PORT", default=8000)
TRIAD_WEIGHTS = os.environ.get("TRIAD_WEIGHTS") or None
ENCODE_PROCESSES = _number("ENCODE_PROCESSES", default=os.cpu_count() or 1)

DEBUG = _flag("DEBUG", default=False)
SECRET_KEY = _secret_key(TRIAD_HOME)
ALLOWED_HOSTS = _words("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = _words("CSRF_TRUSTED_ORIGINS", default="")
IS_HTTPS = _flag("HTTPS", default=False)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "annotation",
    "codecs_eval",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or f"sqlite:///{TRIAD_HOME / 'triad.sqlite3'}"
    )
}
IS_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    # IMMEDIATE and WAL: no "database is locked" under concurrent writers.
    # FULL: a judgment that was acknowledged survives a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
# SQLite takes one writer at a time, and the threads of one process take turns best.
WEB_PROCESSES = _number("WEB_PROCESSES", default=1 if IS_SQLITE else os.cpu_count() or 1) or 1
DATABASES["default"]["CONN_MAX_AGE"] = None
# A server may have gone away meanwhile; a file does not.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = not IS_SQLITE
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    "default": {
        "BACKEND": "codecs_eval.storing.WholeFiles",
        "OPTIONS": {"location": TRIAD_HOME / "files", "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "config.static_files.HashedStaticFiles"
        if not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
STATIC_URL = "static/"
STATIC_ROOT = TRIAD_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

# An upload of many photos is one request; each file is guarded on its own when it is read.
DATA_UPLOAD_MAX_NUMBER_FILES = 2000
MAX_IMAGE_PIXELS = _number("MAX_IMAGE_PIXELS", default=50_000_000)
MAX_UPLOAD_FILE_BYTES = _number("MAX_UPLOAD_FILE_BYTES", default=200_000_000)

BROKER_URL = os.environ.get("BROKER_URL") or ""
IS_BROKER_EMBEDDED = not BROKER_URL
CELERY_BROKER_URL = BROKER_URL or embedded_broker_url(TRIAD_HOME)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
    # Longer than the longest task; the lease on the Run row, not the broker, finds dead work.
    "visibility_timeout": 43200,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A page answers at once while the broker is down (else 6 s): the sweeper rings later.
    "max_retries": 0,
}
if CELERY_BROKER_URL.startswith("filesystem://"):
    queue_folder = TRIAD_HOME / "queue"
    queue_folder.mkdir(exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(queue_folder),
        "data_folder_out": str(queue_folder),
        "polling_interval": 0.1,
    }
CELERY_TASK_DEFAULT_QUEUE = "light"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep-runs": {"task": "codecs_eval.tasks.sweep_runs", "schedule": 5.0},
    "return-expired-leases": {
        "task": "annotation.tasks.return_expired_leases",
        "schedule": 30.0,
    },
    "screen-finished": {
        "task": "annotation.tasks.screen_finished",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "check-stopping": {
        "task": "annotation.tasks.check_stopping",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "plan-blocks": {
        "task": "annotation.tasks.plan_blocks",
        "schedule": 5.0,
        # A busy worker plans once when it is free, not once for each time it missed.
        "options": {"expires": 5.0},
    },
}

CACHE_URL = os.environ.get("CACHE_URL") or ""
CACHES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": TRIAD_HOME / "cache",
        "TIMEOUT": 3600,
        "OPTIONS": {"MAX_ENTRIES": 5000},
    }
}
if CACHE_URL:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "TIMEOUT": 3600,
        # A cache that is down costs a person no more than this.
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    }
# Tries of one address in an hour; 0: no limit.
BEGINS_PER_HOUR = _number("BEGINS_PER_HOUR", default=60)
BAD_INVITATIONS_PER_HOUR = _number("BAD_INVITATIONS_PER_HOUR", default=30)

RUN_LEASE_S = _number("RUN_LEASE_S", default=20)
TRIAL_LEASE_S = _number("TRIAL_LEASE_S", default=600)

LANGUAGE_CODE = "en-gb"
# Of the pages for people; the desk has no other than the first.
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
