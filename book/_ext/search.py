"""What the search box finds: rules by their names, years, percentages; lectures before functions.

Sphinx splits "(s, S)" into letters, leaves numbers out and puts every function whose name holds
an s before the lecture on s–S inventory.
"""

import re

from sphinx.search.en import SearchEnglish

# Each is one word of the index, in whatever way it is written.
RULES = {
    "ssrule": r"\(?\bs\s*[-–,]\s*S\b\)?",
    "qrrule": r"\(?\b(?:Q\s*[-–,]\s*r|r\s*[-–,]\s*Q)\b\)?",
    r"year\1": r"\b((?:1[89]|20)\d\d)\b",
    r"percent\1": r"\b(\d{1,2})\s*%",
}
WORD = re.compile(r"\w+")

# The same in the browser, and the order of what is found.
SCRIPT = """
var splitQuery = (query) => {
  for (const [word, rule] of RULES) query = query.replace(rule, ` ${word} `);
  return query.match(/[\\p{L}\\p{N}_]+/gu) ?? [];
};
""".replace(
    "RULES",
    "["
    + ", ".join(
        f'["{word}", /{rule}/gi]'.replace(r"\1", "$1") for word, rule in RULES.items()
    )
    + "]",
)


class Search(SearchEnglish):
    """English, as this course writes it."""

    js_splitter_code = SCRIPT

    def split(self, input):
        for word, rule in RULES.items():
            input = re.sub(rule, f" {word} ", input, flags=re.IGNORECASE)
        return WORD.findall(input)


def setup(app):
    app.add_search_language(Search)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
