import pytest
from markupsafe import Markup

from contracts.report.markup import chip, foreign, markdown, tag
from contracts.verdict import Verdict


@pytest.mark.parametrize(
    ("element", "html"),
    [
        (tag("p", "a < b", None, tag("b", "&")), "<p>a &lt; b<b>&amp;</b></p>"),
        (tag("a", "x", href='"><script>'), '<a href="&#34;&gt;&lt;script&gt;">x</a>'),
        (tag("td", class_="id", data_x="A", aria_label=None), '<td class="id" data-x="A"></td>'),
        (tag("input", checked=True, hidden=False), "<input checked>"),
        (tag("meta", name="x", content=1), '<meta name="x" content="1">'),
        (markdown("**b** `<c>` [t](u)"), "<strong>b</strong> <code>&lt;c&gt;</code> t"),
        (foreign("`a` [t](u) **b**"), "<bdi><code>a</code> [t](u) **b**</bdi>"),
        (
            chip(Verdict.NOT_RUN),
            '<span class="chip v-not-run"><span aria-hidden="true">–</span> not run</span>',
        ),
    ],
)  # fmt: skip
def test_elements_escape_what_they_hold(element: Markup, html: str) -> None:
    assert element == html
