"""Checks the kinds of page in a browser, and takes pictures of them for people to look at."""

import csv
import io
import pathlib
import sys

from playwright.sync_api import sync_playwright


def opened(browser, path, messages, requests, scheme="light", fragment=""):
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme=scheme)
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(pathlib.Path(path).resolve().as_uri() + fragment)
    page.wait_for_selector("h1")
    return page


def check(condition, what):
    if not condition:
        sys.exit(f"the page fails: {what}")


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")


def walk(page, found, limit=2000):
    """Presses Tab until what has the focus is found."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if found(focused(page) or ""):
            return True
    return False


def check_run(browser, path, messages, requests, folder):
    page = opened(browser, path, messages, requests)
    check(page.get_by_role("table").count() >= 1, "no table of methods")
    check(page.get_by_role("radio", name="what", exact=True).count() == 1, "no choice of question")
    page.get_by_role("radio", name="what", exact=True).check()
    check("question=what" in page.url, "the address does not keep the question")
    page.get_by_role("button", name="Open all families").click()
    check(walk(page, lambda text: "; show" in text), "no cell is reached by keyboard")
    first = focused(page)
    page.keyboard.press("ArrowDown")
    check("; show" in focused(page) and focused(page) != first, "arrow keys do not go from cell to cell")
    page.keyboard.press("Enter")
    page.wait_for_selector("section.cell")
    check(page.evaluate("document.activeElement.id") == "cell", "the focus does not go to the cell that was opened")
    check("cell=" in page.url, "the address does not keep the cell")
    check(page.get_by_text("Truth:").count() >= 1, "a cell without its truth")
    check(page.locator("code").filter(has_text="show").count() >= 1, "a cell without the command that shows it")
    # A link brings back what was looked at.
    again = opened(browser, path, messages, requests, fragment=page.url[page.url.index("#"):])
    check(again.locator("section.cell h2").inner_text() == page.locator("section.cell h2").inner_text(),
          "a link brings back another cell")
    again.close()
    page.get_by_role("button", name="Close", exact=True).click()
    page.wait_for_timeout(100)
    check("; show" in (focused(page) or ""), "the focus does not come back to the map")
    with page.expect_download() as download:
        page.get_by_role("button", name="what by organism as CSV").click()
    rows = list(csv.reader(io.StringIO(pathlib.Path(download.value.path()).read_text())))
    check(len(rows) > 10 and len({len(row) for row in rows}) == 1, "the exported table is no table")
    for kind in ["SVG", "PNG"]:
        with page.expect_download() as download:
            page.get_by_role("button", name=f"what by seconds a trial as {kind}").click()
        check(len(pathlib.Path(download.value.path()).read_bytes()) > 1000, f"the exported {kind} is empty")
    for image in page.get_by_role("img").all():
        check(len(image.get_attribute("aria-label") or "") > 20, "a drawing without words")
    if folder:
        page.screenshot(path=folder / "run-light.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=folder / "run-dark.png", full_page=True)
        page.emulate_media(media="print", color_scheme="light")
        page.pdf(path=folder / "run-print.pdf", landscape=True)
    page.close()


def check_pair(browser, path, messages, requests, folder):
    page = opened(browser, path, messages, requests)
    check(page.get_by_role("heading", name="Side by side").count() == 1, "the models do not stand side by side")
    methods = page.locator("table.overview th button")
    check(methods.count() > 5, "hardly a method answered")
    # Every exhibit of every method is drawn once.
    for index in range(methods.count()):
        methods.nth(index).click()
        name = methods.nth(index).inner_text()
        check(name in page.locator("section.cell h2").inner_text(), f"{name} is not shown")
        check(page.get_by_text("of a kind that this page does not know").count() == 0, f"an exhibit of {name} is not drawn")
    for odd in ["#token=length", "#token=__proto__", "#head=99", "#method=no", "#prompt=%E0%A4%A"]:
        again = opened(browser, path, messages, requests, fragment=odd)
        check(again.get_by_role("heading", name="Side by side").count() == 1, f"{odd} breaks the page")
        again.close()
    prompts = page.get_by_label("Prompt", exact=True)
    for value in [option.get_attribute("value") for option in prompts.locator("option").all()]:
        prompts.select_option(value)
    pinned = page.get_by_label("Follow")
    values = [option.get_attribute("value") for option in pinned.locator("option").all()]
    if len(values) > 1:
        pinned.select_option(values[1])
        check(page.get_by_text("decades").count() >= 1, "a token's place is not drawn")
    if folder:
        page.screenshot(path=folder / "pair-light.png", full_page=True)
    page.close()


def check_investigation(browser, path, messages, requests, folder):
    page = opened(browser, path, messages, requests)
    check(page.get_by_role("heading", name="What the investigator asked").count() == 1, "no investigation")
    questions = page.locator("table.overview th button")
    check(questions.count() > 2, "hardly a question was asked")
    questions.first.click()
    check(page.locator("label", has_text="After question").locator("select").input_value() == "0",
          "a question cannot be chosen")
    check("step=0" in page.url, "the address does not keep the question")
    check(page.get_by_role("list", name="belief after question 1").locator("li").last.inner_text().startswith("nothing planted"),
          "no belief in nothing")
    if folder:
        page.screenshot(path=folder / "investigation-light.png", full_page=True)
    page.close()


def main(run, pair, investigation, folder=None):
    folder = folder and pathlib.Path(folder)
    messages, requests = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        check_run(browser, run, messages, requests, folder)
        check_pair(browser, pair, messages, requests, folder)
        check_investigation(browser, investigation, messages, requests, folder)
        browser.close()
    check(not messages, f"messages on the console: {messages[:3]}")
    others = [url for url in requests if not url.startswith(("file:", "data:", "blob:"))]
    check(not others, f"requests: {others[:3]}")
    print(f"all pages work: {len(requests)} files and drawings opened, nothing on the console")


main(*sys.argv[1:])
