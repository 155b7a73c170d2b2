"""A headless Chromium, driven by its own driver; both are Debian's packages, found on the path."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

DESKTOP, PHONE = (1280, 800), (390, 760)


@contextmanager
def chromium(downloads: Path, size: tuple[int, int] = DESKTOP, automated: bool = True) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile. downloads: where it saves files; automated: whether pages are told of it."""
    program, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    assert program and driver, "these tests need a browser: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        f"--window-size={size[0]},{size[1]}",
    ):
        options.add_argument(argument)
    if not os.geteuid():
        options.add_argument("--no-sandbox")  # Chromium has none for root
    if not automated:
        options.add_argument("--disable-blink-features=AutomationControlled")
    if size == PHONE:
        metrics = {"width": size[0], "height": size[1], "pixelRatio": 2, "touch": True}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    browser = webdriver.Chrome(options, Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def requested(browser: webdriver.Chrome) -> set[str]:
    """The addresses, without what is behind ``data:``, that the page has asked for since this was last called."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
    return {url.partition(":")[0] if url.startswith(("data:", "blob:")) else url for url in asked}
