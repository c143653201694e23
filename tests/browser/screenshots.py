"""Take the README's pictures from a running demo: `make screenshots` while `make demo` runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parents[2] / "docs" / "images"
HOME = Path(os.environ.get("PAWL_HOME", ".pawl"))
URL = f"http://127.0.0.1:{os.environ.get('PAWL_PORT', '8000')}"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for theme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": 1280, "height": 860},
                color_scheme=theme,  # type: ignore[arg-type]
            )
            _sign_in(page)
            _take(page, theme)
            page.close()
        browser.close()


def _sign_in(page: Page) -> None:
    passwords = json.loads((HOME / "demo-accounts.json").read_text())
    page.goto(URL)
    page.fill("[name=username]", "reviewer")
    page.fill("[name=password]", passwords["reviewer"])
    page.press("[name=password]", "Enter")
    page.wait_for_load_state("networkidle")


def _take(page: Page, theme: str) -> None:
    ending = "" if theme == "light" else "-dark"
    page.goto(f"{URL}/trends/", wait_until="networkidle")
    page.screenshot(path=FOLDER / f"trends{ending}.png")
    page.goto(f"{URL}/candidates/", wait_until="networkidle")
    page.locator("main a[href^='/candidates/']").filter(has_text="-").first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"review{ending}.png")
    page.goto(f"{URL}/verifiers/", wait_until="networkidle")
    page.locator("main a[href^='/verifiers/']").first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"verifier{ending}.png")


if __name__ == "__main__":
    main()
