"""Snakemake's report in a real browser: a branch's video is in its menu, and plays there."""

import subprocess
import sys

import numpy as np
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from echo.io.video import write_video
from tests.browser.chromium import chromium
from tests.conftest import ROOT
from tests.copied import copy_project

PAGE = "runs/mini/videos/recall.html"
STATE = """
const video = document.querySelector("video");
return [video.videoWidth, video.videoHeight, video.duration, video.currentTime];
"""


def snakemake(folder, *arguments):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments, "--", PAGE]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_a_branchs_video_plays_in_the_report(tmp_path):
    chosen_in = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["chosen_in"]
    project = copy_project(tmp_path / "project", *chosen_in)
    video = project / "results" / "mini" / "videos" / "recall.mp4"
    video.parent.mkdir(parents=True)
    write_video(video, np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), np.uint8), 5.0)
    snakemake(project, "--allowed-rules", "video_page")
    snakemake(project, "--report", "report.html")

    with chromium(tmp_path) as browser:
        browser.get((project / "report.html").as_uri())
        waiting = WebDriverWait(browser, 20)
        waiting.until(lambda page: page.find_element(By.LINK_TEXT, "Results")).click()
        shown = waiting.until(lambda page: page.find_elements(By.XPATH, "//table//a"))
        assert browser.find_element(By.XPATH, "//*[text()='Videos']") and browser.find_element(
            By.XPATH, "//td[text()='recall']"
        )
        shown[0].click()
        browser.switch_to.frame(waiting.until(lambda page: page.find_element(By.TAG_NAME, "iframe")))
        waiting.until(lambda page: page.execute_script(STATE)[3] > 0.3)  # it has begun to play
        assert browser.execute_script(STATE)[:3] == [64, 48, 4]
        assert not [one for one in browser.get_log("browser") if one["level"] == "SEVERE"]
