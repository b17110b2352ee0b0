"""Django's settings, read from the environment (see .env.example for every variable)."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF

from providers.safe_url import EgressPolicy
from providers.types import Pace
from watchlist_project import broker, env, logs, queues

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = False

# --- State on disk ---------------------------------------------------------------------------
UMASK = env.umask("UMASK")
DATA_DIR = env.folder("DATA_DIR", BASE_DIR / "data")
DOWNLOAD_DIR = env.folder("DOWNLOAD_DIR", DATA_DIR / "library")
MIN_FREE_DISK_MB = env.integer("MIN_FREE_DISK_MB", 1024, least=0, most=10_000_000)

# --- Who may come in -------------------------------------------------------------------------
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, least=0, most=65535)
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
SECRET_KEY = env.generated_secret("SECRET_KEY", DATA_DIR / "secret_key")
# The loopback names stay allowed, because health checks ask from the machine itself.
ALLOWED_HOSTS = [*dict.fromkeys([*env.hosts("ALLOWED_HOSTS"), *_LOOPBACK_NAMES])]
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
ADMIN_USERNAME = env.text("ADMIN_USERNAME")
ADMIN_PASSWORD = env.secret("ADMIN_PASSWORD")

# --- Applications ----------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "knox",
    "watchlist_project.apps.SignInAttemptsConfig",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_htmx",
    "template_partials",
    "providers.apps.ProvidersConfig",
    "downloads.apps.DownloadsConfig",
    "watchlist.apps.WatchlistConfig",
    "watchlist_project.apps.ProjectConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # These are around everything that may refuse a request.
    "watchlist_project.headers.HeadersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "watchlist.middleware.ReaderMiddleware",
    "watchlist.middleware.RemovedMeanwhileMiddleware",
    "watchlist.middleware.StrangeInputMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "watchlist_project.urls"
WSGI_APPLICATION = "watchlist_project.wsgi.application"
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
                "watchlist.pages.frame.frame",
            ],
        },
    },
]

# --- Database --------------------------------------------------------------------------------
DATABASES = {"default": env.database("DATABASE_URL", DATA_DIR / "tsuzuku.sqlite3")}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = 600
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Accounts and sessions are in it, and its -wal and -shm files take its permissions.
    env.private_file(Path(str(_database["NAME"])))
    # Several processes write: without IMMEDIATE a read that turns into a write fails at once,
    # whatever the timeout. FULL, so that an acknowledged write survives a power cut.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-8000;"
        ),
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Broker and cache ------------------------------------------------------------------------
_given_redis_url = env.broker_url("REDIS_URL")
USES_EMBEDDED_BROKER = not _given_redis_url
REDIS_URL = _given_redis_url or broker.embedded_url(DATA_DIR)
CACHES = {
    "default": {
        "BACKEND": "watchlist_project.cache.BoundedRedisCache",
        "LOCATION": broker.client_url(REDIS_URL),
        "KEY_PREFIX": "tsuzuku",
        # A page must not hang on a broker that does not answer.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

# --- Celery ----------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = broker.TRANSPORT_OPTIONS
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "checks"
CELERY_TASK_QUEUES = queues.QUEUES
CELERY_TASK_ROUTES = queues.ROUTES
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_ETA_TASK_LIMIT = 1000
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "watchlist_project.beat_scheduler:Scheduler"
CELERY_BEAT_SYNC_EVERY = 1
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CHECK_TASK_HARD_LIMIT_SECONDS = 300
CHECK_TASKS_PER_CHILD = 200

# --- Checking and downloading ----------------------------------------------------------------
_SITES = ("animesama", "nekosama", "animeultime")
CHECK_TICK_SECONDS = env.integer("CHECK_TICK_SECONDS", 60, least=1, most=3600)
# 0: the interval is the administrator's setting. Demos and tests cannot wait for hours.
CHECK_INTERVAL_SECONDS = env.integer("CHECK_INTERVAL_SECONDS", 0, least=0, most=604_800)
MAX_PARALLEL_DOWNLOADS = env.integer("MAX_PARALLEL_DOWNLOADS", 3, least=1, most=64)
MAX_CONNECTIONS_PER_DOWNLOAD = env.integer("MAX_CONNECTIONS_PER_DOWNLOAD", 4, least=1, most=32)
MAX_CONNECTIONS_BY_PROVIDER = env.numbers(
    "MAX_CONNECTIONS_BY_PROVIDER", (*_SITES, "feed"), least=1, most=32
)
# Six, as browsers have it; but one download alone may have all that it was given.
MAX_CONNECTIONS_PER_HOST = env.integer(
    "MAX_CONNECTIONS_PER_HOST",
    max(6, MAX_CONNECTIONS_PER_DOWNLOAD, *MAX_CONNECTIONS_BY_PROVIDER.values()),
    least=1,
    most=64,
)
EGRESS_POLICY = env.converted(
    "ALLOWED_PRIVATE_HOSTS",
    EgressPolicy.parse,
    "comma-separated hosts, IP addresses or CIDR ranges, each with an optional :port",
)
PROVIDER_BASE_URLS: dict[str, str] = {
    site: url for site in _SITES if (url := env.web_address(f"{site.upper()}_URL"))
}
_requests_per_second = env.decimal("PROVIDER_REQUESTS_PER_SECOND", least=0.01, most=1000)
# Empty: each site's own gentle pace.
PROVIDER_PACE: dict[str, Pace] = (
    {}
    if _requests_per_second is None
    else {
        site: Pace(_requests_per_second, max(2, math.ceil(_requests_per_second)))
        for site in (*_SITES, "feed")
    }
)

# --- Signing in ------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/accounts/login/"
CSRF_FAILURE_VIEW = "watchlist.pages.errors.csrf_failure"
LOGIN_REDIRECT_URL = "/watchlist"
LOGOUT_REDIRECT_URL = "/accounts/login/"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "watchlist.lockout.response"
AXES_CLIENT_IP_CALLABLE = "watchlist.lockout.client_address"
AXES_HANDLER = "watchlist.lockout.SignInLimits"
# Else somebody who goes on guessing keeps the owner of the name out for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
KNOX_TOKEN_MODEL = "watchlist.ApiToken"  # noqa: S105 -- the name of a model
# Its own tokens are replaced by ours; a table that no model owns would only be in the way.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "tsz_",
    "TOKEN_TTL": timedelta(days=90),
    "AUTO_REFRESH": False,
}

# --- API -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # Tokens first: a refusal is then a 401 that names the scheme, not a 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "watchlist.api.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["watchlist.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {"check": "600/min", "preview": "60/min", "search": "60/min"},
    "EXCEPTION_HANDLER": "watchlist.api.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tsuzuku",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "PREPROCESSING_HOOKS": ["watchlist.api.schema.one_address_each"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "watchlist.api.schema.describe_errors",
    ],
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "ENUM_NAME_OVERRIDES": {
        "CheckStatusEnum": "watchlist.models.CheckStatus",
        "DownloadStateEnum": "watchlist.api.serializers.downloads.STATES",
        "EpisodeStateEnum": "watchlist.decisions.EpisodeState",
        "ItemStatusEnum": "watchlist.models.ItemStatus",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- What a browser is told ------------------------------------------------------------------
BEHIND_HTTPS_PROXY = env.boolean("BEHIND_HTTPS_PROXY", default=False)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS_PROXY
if BEHIND_HTTPS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000

# --- Languages, time, static files -----------------------------------------------------------
LANGUAGE_CODE = "en"
# Each in its own words, so that everybody finds theirs.
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.text("STATIC_ROOT") or str(DATA_DIR / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "watchlist_project.static_files.StaticFiles"},
}
# Source maps are for people with a debugger open, and half of the compressing.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", "woff", "woff2", "png", "jpg", "webp", "gz", "br")
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Logging ---------------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logs.configuration(LOG_LEVEL)
