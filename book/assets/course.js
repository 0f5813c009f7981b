document.addEventListener("DOMContentLoaded", () => {
  // The title of a folded solution is a link to its exercise, which stands above it. It is to open
  // the solution instead: the style sheet lets taps through to the box, and this keeps Tab from
  // stopping.
  for (const link of document.querySelectorAll(".solution.dropdown > .admonition-title a")) {
    link.tabIndex = -1;
  }

  // A link to something that is closed, such as a figure of a solution, opens it.
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
      if (at.classList.contains("toggle-hidden")) at.querySelector("button.toggle-button").click();
    }
    target?.scrollIntoView();
  };
  window.addEventListener("load", () => location.hash && openTarget());
  window.addEventListener("hashchange", openTarget);
  document.addEventListener("click", (event) => {  // of a link to where one is: no change of hash
    if (event.target.closest("a")?.href === location.href && location.hash) openTarget();
  });

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
