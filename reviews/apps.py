"""The browser face as a Django app."""

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"
    verbose_name = "reviews"
    default_auto_field = "django.db.models.BigAutoField"
