"""The way in. Passwords may be pasted and kept by a manager; whoever is signed in goes on."""

from __future__ import annotations

from django.contrib.auth.views import LoginView


class SignIn(LoginView):
    template_name = "sign_in.html"
    redirect_authenticated_user = True
