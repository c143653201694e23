"""The pages. A route's name is its page's name; every mutation is a POST of its own."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from reviews.views import home, sign_in

urlpatterns = [
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("", home.home, name="home"),
    # Candidates and their review
    # Deployments
    # Trends
    # Warnings and holds
    # Audit
]
