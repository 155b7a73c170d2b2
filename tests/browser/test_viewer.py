"""The page on which to look at one case after the other, in a real browser.

Run by ``.ci/run``, or ``python -m pytest tests/browser``.
"""

import time
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from echo.figures.viewer.page import render
from tests.browser.chromium import PHONE, chromium, requested
from tests.figures.viewer.made import KEPT, ROWS, made_contents

PIXELS = """
const found = {};
for (const box of document.getElementById("cards").children) {
  const canvas = box.querySelector("canvas");
  found[box.dataset.row] = [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}
return found;
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("viewer")
    path = folder / "viewer.html"
    path.write_text(render(made_contents(folder)), encoding="utf-8")
    return path


@pytest.fixture
def browser(tmp_path):
    with chromium(tmp_path) as opened:
        yield opened
        assert not [one for one in opened.get_log("browser") if one["level"] == "SEVERE"]


def press(browser: Chrome, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


def text(browser: Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def pictures(browser: Chrome) -> dict[str, np.ndarray]:
    """What each card shows, once all have drawn; the truth's name is empty."""
    time.sleep(0.2)
    return {row: np.array(values).reshape(12, 12, 4)[..., :3] for row, values in browser.execute_script(PIXELS).items()}


def captions(browser: Chrome) -> dict[str, str]:
    boxes = browser.find_elements(By.CLASS_NAME, "card")
    return {box.get_attribute("data-row"): box.find_element(By.TAG_NAME, "span").text for box in boxes}


def test_all_pictures_show_the_same_frame_and_it_asks_for_nothing(browser, page):
    browser.get(f"{page.as_uri()}#branch=recall&case=2&frame=9")
    assert text(browser, "when").startswith("frame 9 of 12, generated") and "case 2 of 2" in text(browser, "case")
    found = pictures(browser)
    assert set(found) == {"", *ROWS}
    assert np.abs(found["context_k20"] - found[""]).mean() < 12  # WebP of noise
    assert np.abs(found["copy_best"] - (255 - found[""])).mean() < 25
    assert captions(browser)["context_k20"] == "identical, identical so far" and "dB" in captions(browser)["i2v"]
    press(browser, Keys.ARROW_RIGHT)
    after = pictures(browser)
    assert all(np.abs(after[row] - found[row]).mean() > 20 for row in found)
    assert requested(browser) <= {page.as_uri(), f"{page.as_uri()}#branch=recall&case=2&frame=9", "data"}


def test_given_frames_are_the_true_ones_in_every_picture(browser, page):
    browser.get(f"{page.as_uri()}#branch=recall&frame=3")
    found = pictures(browser)
    assert all((found[row] == found[""]).all() for row in ROWS)
    assert set(captions(browser).values()) == {"", "given the true frame"}
    assert text(browser, "when") == "frame 3 of 12, given"


def test_keys_go_through_frames_cases_and_branches_and_the_address_keeps_the_place(browser, page):
    browser.get(page.as_uri())
    press(browser, "5", Keys.ARROW_DOWN)
    assert "#branch=recall&case=2" in browser.current_url
    press(browser, Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_LEFT)
    place = browser.current_url.partition("#")[2]
    assert "case=2" in place
    browser.get("about:blank")
    browser.get(f"{page.as_uri()}#{place}")
    assert browser.current_url.partition("#")[2] == place
    browser.get("about:blank")
    browser.get(f"{page.as_uri()}#branch=none&case=99&frame=9999&row=nobody")  # of another study
    assert "case 2 of 2" in text(browser, "case") and "generated" in text(browser, "when")


def test_it_plays_and_holds(browser, page):
    browser.get(f"{page.as_uri()}#branch=replay&frame=0")
    browser.find_element(By.ID, "speed").send_keys("10")
    press(browser, " ")
    assert text(browser, "play") == "Hold"
    time.sleep(1)
    press(browser, " ")
    frame = int(text(browser, "when").split()[1])
    assert 3 <= frame <= 12 and text(browser, "play") == "Play"
    time.sleep(0.4)
    assert int(text(browser, "when").split()[1]) == frame


def test_a_rows_memory_is_shown_with_what_it_keeps_and_what_a_change_does(browser, page):
    browser.get(f"{page.as_uri()}#branch=recall")
    kept = [one.text for one in browser.find_elements(By.CSS_SELECTOR, "#held figcaption")]
    assert kept == [str(number) for number in KEPT] and len(browser.find_elements(By.CLASS_NAME, "kept")) == len(KEPT)
    changed = [one.text for one in browser.find_elements(By.CSS_SELECTOR, "#changed figcaption")]
    assert changed[0] == "true" and changed[1] == "its own memory: identical" and changed[3].startswith("swapped: ")
    browser.find_element(By.CSS_SELECTOR, '.card[data-row="i2v"]').click()
    assert "keeps no frames" in text(browser, "held") and not browser.find_element(By.ID, "changes").is_displayed()
    assert {one.text for one in browser.find_elements(By.CLASS_NAME, "focus") if one.is_displayed()} == {"I2V"}


def test_rows_are_taken_away_and_brought_back(browser, page):
    browser.get(f"{page.as_uri()}#branch=recall&frame=10")
    lines = len(browser.find_elements(By.CSS_SELECTOR, "#chart polyline"))
    browser.find_element(By.CSS_SELECTOR, 'input[value="i2v"]').click()
    assert set(captions(browser)) == {"", "context_k20", "copy_best"}
    assert len(browser.find_elements(By.CSS_SELECTOR, "#chart polyline")) == lines - 1
    browser.find_element(By.CSS_SELECTOR, 'input[value="i2v"]').click()
    assert set(captions(browser)) == {"", *ROWS}


def test_a_phone_shows_it_without_scrolling_sideways(tmp_path, page):
    with chromium(tmp_path, PHONE) as browser:
        browser.get(f"{page.as_uri()}#branch=return_far_16")
        wide = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        cards = [box.rect for box in browser.find_elements(By.CLASS_NAME, "card")]
        assert cards[0]["y"] == cards[1]["y"] and cards[2]["y"] > cards[0]["y"]  # two a line
        assert not [one for one in browser.get_log("browser") if one["level"] == "SEVERE"]
