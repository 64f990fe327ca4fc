"""Django's settings; what differs from place to place comes from `config.environment`."""

from datetime import timedelta

import dj_database_url
from csp.constants import NONE, SELF

from config.environment import BASE_DIR, environment, kafka_security, read_mail_server
from config.privacy import MASKS

SECRET_KEY = environment.secret_key
DEBUG = environment.debug
ALLOWED_HOSTS = environment.allowed_hosts.split(",")
CSRF_TRUSTED_ORIGINS = [environment.shop_url]

INSTALLED_APPS = [
    "daphne",
    "config.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "channels",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "events",
    "workers",
    "accounts",
    "inventory",
    "payments",
    "shipments",
    "notifications",
    "analytics",
    "orders",
    "shop",
]

MIDDLEWARE = [
    "events.middleware.TraceRequests",
    "shop.apis.problems.ApiProblems",
    "config.headers.PermissionsPolicy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shop.languages.PageLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

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
    "default": {
        **dj_database_url.parse(environment.database_url, conn_max_age=None, conn_health_checks=True),
        "ENGINE": "config.database",
        # Parameters travel apart from the statement, and a statement that comes again is planned once. This wants
        # connections of our own: no pooler that hands out another one for each transaction stands in between.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
        "TEST": {"NAME": "test_waybill"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Buyers sign in by e-mail address, staff at the back office by name. Whether an address has an account shows in a
# mail to that address alone, and codes by mail stand in no URL (docs/decisions/0014).
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "shop:account"
ACCOUNT_ADAPTER = "shop.entering.Doorkeeper"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignUpForm",
    "add_email": "accounts.forms.NewEmailForm",
    "change_password": "accounts.forms.NewPasswordForm",
    "reset_password": "accounts.forms.ForgottenPasswordForm",
    "reset_password_from_key": "accounts.forms.ForgottenPasswordReplacedForm",
    "reauthenticate": "accounts.forms.PasswordAgainForm",
    "confirm_email_verification_code": "accounts.forms.EmailCodeForm",
    "confirm_password_reset_code": "accounts.forms.PasswordCodeForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ALLAUTH_TRUSTED_PROXY_COUNT = environment.trusted_proxies

# What counts attempts to sign in has to be one for all web processes. It may be lost: its table is unlogged.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.assets.PageAssets"},
}
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF, *([environment.live_url] if environment.live_url else [])],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = environment.secure_cookies
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())
LANGUAGE_COOKIE_AGE = int(timedelta(days=365).total_seconds())
SECURE_SSL_REDIRECT = environment.secure_cookies
SECURE_REDIRECT_EXEMPT = ["^(livez|readyz|metrics)$"]  # asked from inside, without a proxy in between
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if environment.secure_cookies else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = environment.secure_cookies

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
DEFAULT_FROM_EMAIL = environment.email_from
if environment.email_dir:
    EMAIL_BACKEND = "notifications.backends.MessageFiles"
    EMAIL_FILE_PATH = environment.email_dir
else:
    mail_server = read_mail_server(url=environment.email_url)
    EMAIL_HOST = mail_server.host
    EMAIL_PORT = mail_server.port
    EMAIL_HOST_USER = mail_server.user
    EMAIL_HOST_PASSWORD = mail_server.password
    EMAIL_USE_SSL = mail_server.over_tls
    EMAIL_USE_TLS = mail_server.starts_tls
EMAIL_TIMEOUT = 10

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["shop.apis.reading.JsonBytes"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["shop.apis.throttles.ReadThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "anonymous": environment.throttle_anonymous,
        "checkout": environment.throttle_checkout,
        "lookup": "10/min",
        "coupon": "30/min",
    },
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "shop.apis.problems.handle_exception",
    "NUM_PROXIES": environment.trusted_proxies,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Waybill",
    "DESCRIPTION": "Browse the shop, place an order and follow it. Amounts are integers in minor units. An order's"
    " token is its authorisation: whoever holds it may read, pay and cancel the order. Every refusal is a problem"
    " document (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [{"url": environment.shop_url}],
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [],
}

# What the apps read of the environment; each name is used where its comment says.
KAFKA_BOOTSTRAP_SERVERS = environment.kafka_bootstrap_servers.split(",")  # workers
KAFKA_SECURITY = kafka_security(environment=environment)  # workers
RETRY_DELAYS = [float(step) for step in environment.retry_delays.split(",")]  # workers: the parked ladder
INBOX_RETENTION_DAYS = environment.inbox_retention_days  # workers
SHOP_URL = environment.shop_url  # links in mails, the bank's way back
LIVE_URL = environment.live_url  # the order page's socket
BANK_URL = environment.bank_url  # payments
BANK_TIMEOUT_SECONDS = environment.bank_timeout_seconds  # payments
HOLD_SECONDS = environment.hold_seconds  # inventory
PACK_SECONDS = environment.pack_seconds  # shipments
DISPATCH_SECONDS = environment.dispatch_seconds  # shipments
TRANSIT_SECONDS = environment.transit_seconds  # shipments
SWEEP_SECONDS = environment.sweep_seconds  # periodic work of every service

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {"()": "workers.logs.make_formatter", "form": environment.log_format, "masks": MASKS}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"kafka": {"level": "ERROR"}, "urllib3": {"level": "ERROR"}},
}
