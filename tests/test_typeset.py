"""Where a page's lines may break, and more: what book/_ext/typeset.py makes of its HTML."""

import importlib.util

import pytest

from tools import course


def extension(name):
    path = course.ROOT / "book" / "_ext" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


typeset = extension("typeset")
Q = r'<span class="math notranslate nohighlight">\(Q\)</span>'


def together(text):
    return f'<span class="together">{text}</span>'


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"Order {Q} units", f"Order {Q} units"),
        (f"order {Q}, or", f"order {together(Q + ',')} or"),
        (f"({Q}).</p>", f"{together('(' + Q + ').')}</p>"),
        (f"“{Q}”;", together(f"“{Q}”;")),
        (f"the {Q}-th unit", f"the {together(Q + '-th')} unit"),
        (f"{Q}&#64257;", f"{Q}&#64257;"),
        (f"{Q}&quot;, a", f"{together(Q + '&quot;,')} a"),
        (f"{Q}–{Q}.", together(f"{Q}–") + together(f"{Q}.")),
        (f"{Q}<em>s</em>", f"{Q}<em>s</em>"),
        (f'<div class="math notranslate nohighlight">{Q}</div>', None),
    ],
)
def test_punctuation_stays_with_its_formula(html, expected):
    assert typeset.keep_together(html) == (expected or html)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("0.05 ± 0.05 % more, 5%", "0.05~±~0.05% more, 5%"),
        ("costs 4.65 € a period", "costs 4.65~€ a period"),
        ("2 × 81 orders, 4 × 10⁻⁵", "2~×~81 orders, 4~×~10⁻⁵"),
        ("the pair (26, 62) and (−1, 5)", "the pair (26,~62) and (−1,~5)"),
        ("levels (4, 8, 2)", "levels (4,~8,~2)"),
        ("a list (4, 8, 2, 9)", "a list (4, 8, 2, 9)"),  # a line may break in it
        ("options --5, or –-5", "options --5, or –-5"),
        ("m = 4, k = 10: Q* = 3", "m~=~4, k~=~10: Q* = 3"),
        ("mean -2.3 errors off, from -1 (-5)", "mean −2.3 errors off, from −1 (−5)"),
        ("10-20, top-3, 10.1287/a-7, f(x)-1", "10-20, top-3, 10.1287/a-7, f(x)-1"),
        ("on 2026-11-30", "on 2026\N{NON-BREAKING HYPHEN}11\N{NON-BREAKING HYPHEN}30"),
        ("per cent, a % b, f(1, x)", "per cent, a % b, f(1, x)"),
    ],
)
def test_a_number_stays_with_its_unit(text, bound):
    bound = bound.replace("~", "\N{NO-BREAK SPACE}")
    assert typeset.keep_units(f"<p>{text}</p>") == f"<p>{bound}</p>"
    for tag in ("pre", "code", "script"):
        as_it_stands = f"<{tag}>{text}</{tag}>"
        assert typeset.keep_units(as_it_stands) == as_it_stands


@pytest.mark.parametrize(
    "formula",
    [
        r'<span class="math notranslate nohighlight">\(x = -5 \hspace{-5pt}\)</span>',
        '<div class="math notranslate nohighlight">\n'
        r'<span class="eqno">(3)</span>\[\begin{split}2 × 3 \\[-5pt] -1\end{split}\]</div>',
    ],
)
def test_formulas_are_set_as_they_stand(formula):
    assert typeset.keep_units(formula) == formula
    around = typeset.keep_units(f"<p>-1 and {formula} or -2</p>")
    assert around == f"<p>−1 and {formula} or −2</p>"


CODE = '<code class="docutils literal notranslate"><span class="pre">%s</span></code>'


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("order_cost", "order_<wbr>cost"),
        ("params.order_cost", "params.<wbr>order_<wbr>cost"),
        ("__init__", "__init__"),
        ("_x.at[0.5]", "_x.<wbr>at[0.5]"),
        ("x_", "x_"),
    ],
)
def test_names_break_after_underscores_and_dots(name, broken):
    assert typeset.break_names(CODE % name) == CODE % broken
    plain = f"<pre>{name}</pre> {name}"
    assert typeset.break_names(plain) == plain


def test_corners_of_tables_head_nothing():
    corner = '<th class="head text-left"><p></p></th>'
    html = f'<tr>{corner}<th class="head"><p>Cost</p></th></tr><th></th>'
    assert typeset.plain_corners(html).count("<td></td>") == 2
    assert "<p>Cost</p></th>" in typeset.plain_corners(html)


def test_sizes_of_pictures_yield():
    html = '<img alt="a" src="a.png" style="width: 733px; height: 445px;" />'
    sized = '<img alt="a" src="a.png" width="733" height="445" />'
    assert typeset.yielding_sizes(html) == sized
