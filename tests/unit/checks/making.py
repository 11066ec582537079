"""Specimens for the tests of the checks: an email in which nothing is wrong, and changes of it."""

from dataclasses import replace
from functools import cache

from digest.checks.rendered_mail import RenderedMail
from digest.checks.rules import Rules
from digest.compose.html import to_html
from digest.compose.source_map import Place, Rendered

TEMPLATE = "mail/test/body.mjml.j2"
LEAVE = "https://digest.example/leave/token"
PAPER = "https://papers.example/1?a=1&b=2"
ADDRESS = "Paper Digest, 1 Example Street"
TEXT = f"A <Paper> & More\n{PAPER}\n\nLeave: {LEAVE}\n{ADDRESS}\n"

HEAD = """\
<mj-title>Test</mj-title>
<mj-preview>What a list of mails shows beside it</mj-preview>
<mj-style inline="inline">
.quiet { color: #555555; }
a { color: #0000cc; }
</mj-style>
<mj-style>
@media (prefers-color-scheme: dark) {
.page { background-color: #111111 !important; }
.page div { color: #eeeeee !important; }
.quiet, a { color: #dddddd !important; }
}
</mj-style>
"""
BODY = f"""\
<p><a href="{PAPER.replace("&", "&amp;")}">A &lt;Paper&gt; &amp; More</a></p>
<p class="quiet"><a href="{LEAVE}">Leave</a> {ADDRESS}</p>
"""
CLEAN = Rules(baseline={"test": {}})


def document(inner="", head="", body=BODY):
    """A whole document; ``inner`` stands in a column before a text with ``body``."""
    return (
        f'<mjml lang="en"><mj-head>\n{HEAD}{head}</mj-head>\n'
        '<mj-body css-class="page" background-color="#ffffff"><mj-section><mj-column>\n'
        f"{inner}\n<mj-text>\n{body}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )


def filled(mjml):
    """As if a template of one file had been filled in, each line of it one of the text."""
    starts = [0, *(at + 1 for at, letter in enumerate(mjml) if letter == "\n")]
    return Rendered(mjml, starts, [Place(TEMPLATE, line) for line in range(1, len(starts) + 1)])


@cache
def _html(mjml):
    return to_html(mjml)


def rendered(mjml=None, **changes):
    """The mail of a document; the clean one if none is given."""
    mjml = document() if mjml is None else mjml
    made = RenderedMail(
        mail="test",
        sample="sample",
        mjml=filled(mjml),
        html=changes.get("html") or _html(mjml),
        text=TEXT,
        subject="A paper and more",
        titles=("A <Paper> & More",),
        urls=(PAPER,),
        unsubscribe=LEAVE,
        postal_address=ADDRESS,
    )
    return replace(made, **changes)


def with_more(html):
    """The clean mail's HTML, and more at its end."""
    return rendered().html.replace("</body>", f"{html}</body>")


def line_of(mjml, needle):
    return mjml[: mjml.index(needle)].count("\n") + 1


def told(findings):
    """Return what findings say, with their places."""
    return [(finding.what, finding.line) for finding in findings]
