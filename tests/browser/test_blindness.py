"""All that a real browser gets and keeps in a session, in every mode, tells nothing of a codec."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from annotation.models import Session, Study
from tests.annotation.telling import beside_pixels, make_telling_study, secrets_of, told_in
from tests.browser.answering import press
from tests.browser.looking import enter
from tests.processes import LiveSite

# Every text that a script on the page could read, now.
KEPT_BY_THE_BROWSER = """async () => {
  const rows = [];
  for (const { name, version } of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(name, version);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    for (const store of database.objectStoreNames) {
      for (const ask of ["getAll", "getAllKeys"]) {
        rows.push([name, store, await new Promise((resolve, reject) => {
          const asking = database.transaction(store).objectStore(store)[ask]();
          asking.onsuccess = () => resolve(asking.result);
          asking.onerror = () => reject(asking.error);
        })]);
      }
    }
    database.close();
  }
  return JSON.stringify({
    address: location.href,
    page: document.documentElement.outerHTML,
    cookies: document.cookie,
    local: { ...localStorage },
    session: { ...sessionStorage },
    resources: performance.getEntries().map((entry) => entry.toJSON()),
    caches: await caches.keys(),
    rows,
  });
}"""


def kept_by(page: Page) -> str:
    cookies = json.dumps(page.context.cookies())
    return f"{page.evaluate(KEPT_BY_THE_BROWSER)}\n{cookies}"


def received(archive: Path) -> list[tuple[str, str, str]]:
    """Address, type and text of every reply, its heads included; of a PNG all but its pixels."""
    found = []
    for entry in json.loads(archive.read_text())["log"]["entries"]:
        reply, address = entry["response"], entry["request"]["url"]
        heads = "\n".join(f"{head['name']}: {head['value']}" for head in reply["headers"])
        content = reply["content"]
        body: Any = content.get("text", "")
        if content.get("encoding") == "base64":
            body = base64.b64decode(body)
            is_png = body.startswith(b"\x89PNG")
            body = beside_pixels(body) if is_png else body.decode("latin-1")
        found.append((address, content["mimeType"], f"{address}\n{heads}\n{body}"))
    return found


@pytest.mark.parametrize("mode", Study.Mode.values)
def test_nothing_that_a_browser_gets_or_keeps_tells_of_a_codec_a_rate_a_file_or_a_check(
    site: LiveSite, browser: Browser, tmp_path: Path, mode: str
) -> None:
    study = make_telling_study(
        mode=mode, n_practice=1, session_length=6, break_every=4, flicker_hz=4, crop_px=80,
        sentinel_share=0.17, identical_share=0.17, repeat_share=0,
    )  # fmt: skip
    archive = tmp_path / "received.har"
    context = browser.new_context(record_har_path=archive, record_har_content="embed")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.url)
    enter(page, site.url, study.slug)
    kept = [kept_by(page)]
    while not page.url.endswith("/thanks"):
        kept.append(kept_by(page))
        press(page, "ArrowLeft")
    page.wait_for_load_state("networkidle")
    kept.append(kept_by(page))
    page.goto(f"{site.url}/s/{study.slug}/withdraw")
    context.close()

    session = Session.objects.get()
    assert session.state == Session.State.FINISHED
    kinds = set(session.trials.values_list("triplet__kind", flat=True))
    assert kinds == {"practice", "main", "sentinel", "identical"}
    secrets = secrets_of(study)
    replies = received(archive)
    types = [kind.partition(";")[0] for _, kind, _ in replies]
    assert types.count("image/png") == 3 * 7
    assert {"text/html", "application/json", "text/javascript", "text/css"} <= set(types)
    for address, _, text in replies:
        told = told_in(text, secrets)
        assert not told, f"{address} tells {told}"
    for text in [*kept, *said]:
        told = told_in(text, secrets)
        assert not told, f"the page keeps {told}"
