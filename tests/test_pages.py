"""The page's files: small on the wire, whole in one style sheet, and asked again whenever the page is opened."""

import asyncio
import gzip

import pytest

from tests.front import app_with
from tests.scripted import Exchange


def got(path: str, **headers: str) -> Exchange:
    async def ask() -> Exchange:
        asked = Exchange(
            path=path, method="GET", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        app, _, _ = app_with()
        await asyncio.wait_for(asked.of(app), 30)
        return asked

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/icon.svg", "/static/css/index.css"])
def test_text_is_compressed_for_who_takes_it(path):
    plain, packed = got(path), got(path, accept_encoding="gzip, deflate")
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body)
    assert plain.headers["content-type"] == packed.headers["content-type"]
    assert {one.headers["vary"] for one in (plain, packed)} == {"Accept-Encoding"}
    assert plain.headers["etag"] != packed.headers["etag"]


def test_what_has_not_changed_is_not_sent_again():
    first = got("/static/app.js", accept_encoding="gzip")
    assert first.headers["cache-control"] == "no-cache"
    again = got("/static/app.js", accept_encoding="gzip", if_none_match=f'"other", {first.headers["etag"]}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert got("/static/app.js", if_none_match=first.headers["etag"]).status == 200, "that was the other form"


def test_a_style_sheet_holds_what_it_names():
    text = got("/static/css/index.css").body.decode()
    assert "@import" not in text
    assert (
        text.index("@layer tokens, base, layout, blocks, utilities;")
        < text.index("@layer tokens {")
        < text.index(".prose")
    )


@pytest.mark.parametrize("path", ["/", "/pair", "/static/trust.html", "/static/docs.html"])
def test_every_page_has_the_head_that_all_of_them_share(path):
    text = got(path).body.decode()
    assert text.count('<meta charset="utf-8">') == text.count('<meta name="viewport"') == text.count("<title>") == 1
    assert text.index("<head>") < text.index('<meta charset="utf-8">') < text.index("<title>") < text.index("</head>")
    assert "<!--" not in text


def test_what_is_not_there_is_refused():
    assert got("/static/nothing.js").status == 404
    assert got("/static/../server.py").status == 404
