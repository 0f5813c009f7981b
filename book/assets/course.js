document.addEventListener("DOMContentLoaded", () => {
  // The title of a folded solution is a link to its exercise, which stands above it. It is to open
  // the solution instead: the style sheet lets taps through to the box, and this keeps Tab from
  // stopping.
  for (const link of document.querySelectorAll(".solution.dropdown > .admonition-title a")) {
    link.tabIndex = -1;
  }

  // What is wider than its place is scrolled by the arrow keys, once Tab has reached it. The theme
  // sees to that when a page is loaded; here also for what is opened later, and for formulas.
  const wide = new ResizeObserver((changes) => {
    for (const { target } of changes) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    }
  });
  const places = "pre, div.math, .pst-scrollable-table-container";
  for (const place of document.querySelectorAll(places)) wide.observe(place);

  // Docutils gives the works of a bibliography a role that is out of use, within a list.
  for (const work of document.querySelectorAll(".citation-list > .citation")) {
    work.setAttribute("role", "listitem");
  }

  // The corner of a table heads nothing.
  for (const head of document.querySelectorAll("th")) {
    if (!head.textContent.trim()) head.replaceWith(document.createElement("td"));
  }
});
