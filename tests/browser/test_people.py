"""The page on which people judge, in a real browser. Its answers are a script's, and are marked so.

Run by ``.ci/run``, or ``python -m pytest tests/browser``.
"""

import time
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from echo.judge.base import Case
from echo.judge.judges.people import build
from echo.judge.people.answers import AnswersError, read_answers
from echo.judge.people.page import page_id, render
from echo.judge.people.pairs import in_order
from echo.judge.rubric import WEIGHTS
from echo.judge.settings.people import Settings
from echo.study.words import BRANCHES
from tests.browser.chromium import PHONE, chromium, requested
from tests.conftest import ROWS
from tests.judge.people.made import made_pair

ANCHORS = ("duck", "tree_pine", None, "</b><i>lamp", "cone", "potion")
PAIRS = [made_pair(number, anchor) for number, anchor in enumerate(ANCHORS)]
SHOWINGS = in_order(PAIRS, PAIRS, 1, 0)


@pytest.fixture
def page(tmp_path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(render(SHOWINGS), encoding="utf-8")
    return path


@pytest.fixture
def browser(tmp_path):
    with chromium(tmp_path) as opened:
        yield opened


def press(browser: Chrome, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


def text(browser: Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def begin(browser: Chrome, page: Path, rater: str) -> None:
    browser.get(page.as_uri())
    browser.find_element(By.ID, "rater").send_keys(rater, Keys.ENTER)
    assert text(browser, "count") == f"Pair 1 of {len(SHOWINGS)}"


def scores_of(number: int) -> list[float]:
    """Different for each showing, whole and half points, both ends among them."""
    return [((3 * number + 4 * slider) % 11) / 2 for slider in range(4)]


def keys_of(score: float) -> list[str]:
    """A digit, and an arrow for the half."""
    if not score % 1:
        return [str(int(score))]
    return [str(int(score) + 1), Keys.ARROW_LEFT] if score > 2 else [str(int(score)), Keys.ARROW_RIGHT]


def answer(browser: Chrome, number: int) -> None:
    for score in scores_of(number):
        press(browser, *keys_of(score), Keys.ENTER)


def saved(folder: Path) -> Path:
    """The file that the browser has downloaded, once it is whole."""
    for _ in range(100):
        if found := list(folder.glob("people-*.csv")):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"nothing was saved: {list(folder.iterdir())}")


def test_from_the_keyboard_to_the_judge(browser, page, tmp_path):
    """Answered by keys, reloaded in the middle, finished, saved: the judge gives what was typed."""
    begin(browser, page, "Jürgen 2")
    for number in range(3):
        answer(browser, number)
    press(browser, "4", Keys.ARROW_DOWN, "2")  # two of the fourth pair
    browser.refresh()
    assert "3 of 7 pairs are answered" in text(browser, "resumed")
    press(browser, Keys.ENTER)
    assert text(browser, "count") == "Pair 4 of 7"
    assert [one.text for one in browser.find_elements(By.TAG_NAME, "output")] == ["4.0", "2.0", "–", "–"]
    press(browser, Keys.ENTER, Keys.ENTER)  # goes to open questions, and not on
    assert text(browser, "count") == "Pair 4 of 7" and not browser.find_element(By.ID, "next").is_enabled()
    press(browser, Keys.BACKSPACE)
    assert [float(one.text) for one in browser.find_elements(By.TAG_NAME, "output")] == scores_of(2)
    press(browser, Keys.ENTER, Keys.ARROW_UP)
    for number in range(3, 7):
        press(browser, *[Keys.ARROW_UP] * 4)
        for score in scores_of(number):
            press(browser, *keys_of(score), Keys.ARROW_DOWN)
        press(browser, Keys.ENTER)
    assert text(browser, "thanks") == "All pairs are answered. Thank you!"
    press(browser, Keys.ENTER)  # the save button has the focus
    path = saved(tmp_path)
    assert path.name == f"people-Jürgen_2-{page_id(SHOWINGS)}.csv"

    for one, showing, number in zip(read_answers([path]), SHOWINGS, range(7), strict=True):
        assert (one.pair, one.showing) == (showing.pair.id, showing.number)
        assert [getattr(one.scores, name) for name in WEIGHTS] == scores_of(number)
        assert (one.rater, one.by) == ("Jürgen 2", "script") and 0 <= one.seconds < 60
    judge = build(tmp_path, Settings(answers=(str(path),), scripted=True, page=page_id(SHOWINGS)))
    for pair in PAIRS:
        typed = [scores_of(number) for number, showing in enumerate(SHOWINGS) if showing.pair.id == pair.id]
        scores = judge.judge(Case(pair.first, pair.returned, np.zeros((12, 12), bool), pair.anchor))
        assert [getattr(scores, name) for name in WEIGHTS] == list(np.mean(typed, axis=0))
    assert judge.report()["answered"] == 6 and judge.report()["filled in by"] == "script"
    with pytest.raises(AnswersError, match="filled in by a script, which is no judge"):
        build(tmp_path, Settings(answers=(str(path),)))

    assert requested(browser) <= {page.as_uri(), "data", "blob"}
    assert browser.get_log("browser") == []


def test_nothing_leaves_the_page_and_nothing_says_what_drew_a_view(browser, page):
    source, _, images = page.read_text(encoding="utf-8").partition('"images":')
    assert "data:image/png" not in source and images.index("]") > images.rindex("data:image/png")
    assert not [name for name in (*ROWS, *BRANCHES, "embedded", "seed", "row_name") if name in source]
    browser.get(page.as_uri())
    refused = browser.execute_async_script(
        "const done = arguments[0];"
        "document.addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective));"
        "fetch('https://example.org/').catch(() => {});"
    )
    assert refused == "connect-src"


def test_anchors_are_shown_as_text(browser, page):
    begin(browser, page, "anna")
    shown = []
    for _ in SHOWINGS:
        shown.append(text(browser, "object"))
        browser.find_element(By.ID, "skip").click()
    expected = {None: "the one that stands out most", "tree_pine": "tree pine"}
    assert shown == [expected.get(one.pair.anchor, one.pair.anchor) for one in SHOWINGS]
    assert text(browser, "thanks") == "0 of 7 pairs are answered."


def test_a_saved_file_goes_on_in_another_browser(page, tmp_path):
    with chromium(tmp_path) as browser:
        begin(browser, page, "anna")
        answer(browser, 0)
        press(browser, "3")  # an open pair is not in the file
        browser.find_element(By.CSS_SELECTOR, "header .save").click()
        path = saved(tmp_path)
        press(browser, "1")  # the keys are the sliders' again
        assert browser.find_elements(By.TAG_NAME, "output")[0].text == "1.0"
    assert len(read_answers([path])) == 1
    other = tmp_path / "other.csv"
    other.write_text(path.read_text().replace(page_id(SHOWINGS), "q0000000000000000"))
    german = tmp_path / "german.csv"
    semicolons = path.read_text(encoding="utf-8").replace(",", ";").replace(".", ",")
    german.write_text("\ufeff" + semicolons, encoding="utf-8")
    with chromium(tmp_path) as browser:
        browser.get(page.as_uri())
        load = browser.find_element(By.ID, "load")
        for wrong, message in (
            (page, "was not saved by a page like this"),
            (other, "Line 2 of the file: it was saved by"),
        ):
            load.send_keys(str(wrong))
            wait_for(browser, "problem", message)
        load.send_keys(str(german))
        wait_for(browser, "resumed", "1 of 7 pairs are answered")
        press(browser, Keys.ENTER)
        assert text(browser, "count") == "Pair 2 of 7"
        press(browser, Keys.BACKSPACE)
        assert [float(one.text) for one in browser.find_elements(By.TAG_NAME, "output")] == scores_of(0)


def wait_for(browser: Chrome, name: str, message: str) -> None:
    for _ in range(50):
        if message in text(browser, name):
            return
        time.sleep(0.1)
    raise AssertionError(f"{name}: {text(browser, name)!r}, expected {message!r}")


@pytest.mark.parametrize("name", ["=1+1", "+49", "a,b", 'say "hi"', " ", "a" * 20 + ";"])
def test_a_name_that_a_spreadsheet_could_misread_is_refused(browser, page, name):
    browser.get(page.as_uri())
    browser.find_element(By.ID, "rater").send_keys(name, Keys.ENTER)
    assert "Give a name of letters and digits" in text(browser, "problem")


def test_what_a_person_does_is_theirs_and_what_a_script_in_the_page_does_is_not(page, tmp_path):
    with chromium(tmp_path, automated=False) as browser:
        begin(browser, page, "anna")
        answer(browser, 0)
        browser.execute_script(
            "for (const key of ['1', 'ArrowDown', '2', 'ArrowDown', '3', 'ArrowDown', '4'])"
            " document.dispatchEvent(new KeyboardEvent('keydown', {key}));"
        )
        lines = browser.execute_script("return answers.csv()").splitlines()[1:]
        assert [line.split(",")[8] for line in lines] == ["person", "script"]


def test_a_phone_shows_all_of_a_pair_at_once_and_takes_taps(page, tmp_path):
    with chromium(tmp_path, PHONE) as browser:
        begin_by_tap(browser, page)
        wide, high, low = browser.execute_script(
            "return [document.documentElement.scrollWidth, innerHeight,"
            " document.getElementById('next').getBoundingClientRect().bottom]"
        )
        assert wide == PHONE[0] and low <= high
        for slider in browser.find_elements(By.CSS_SELECTOR, "input[type=range]"):
            slider.click()  # its middle, where the thumb would stand
        assert [one.text for one in browser.find_elements(By.TAG_NAME, "output")] == ["2.5"] * 4
        browser.find_element(By.ID, "next").click()
        assert text(browser, "count") == "Pair 2 of 7"


def begin_by_tap(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    browser.find_element(By.ID, "rater").send_keys("anna")
    browser.find_element(By.ID, "go").click()
