// The contents at the right show where the reader is: the last heading above a line in the upper
// quarter of the screen. The theme marks the last heading that it saw come in, which on the way up,
// and wherever a section is longer than the screen, is another one. Its own marks are kept off by
// taking the name by which it looks for the contents, as long as its script starts.
const CONTENTS = "pst-page-toc-nav";
document.addEventListener("readystatechange", () => {
  if (document.readyState !== "interactive") return;
  const contents = document.getElementById(CONTENTS);
  if (contents) contents.id = "";
});

const followContents = () => {
  const contents = document.querySelector("nav.page-toc");
  if (!contents) return;
  contents.id = CONTENTS;
  const links = [...contents.querySelectorAll("a[href^='#']")].filter((a) => a.hash.length > 1);
  const sections = links.map((a) => document.getElementById(decodeURIComponent(a.hash.slice(1))));
  const mark = () => {
    const end = document.documentElement.scrollHeight - innerHeight - 2;
    // At the end of the page the last sections do not reach the line.
    const line = scrollY >= end ? innerHeight : innerHeight / 4;
    const at = sections.findLastIndex((s) => s && s.getBoundingClientRect().top <= line);
    links.forEach((a, i) => {
      a.classList.toggle("active", i === at);
      if (i === at) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    });
    for (const entry of contents.querySelectorAll(".toc-entry"))
      entry.classList.toggle("active", at >= 0 && entry.contains(links[at]));
  };
  let waits = false;
  const soon = () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => { waits = false; mark(); });
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  mark();
};

// The search fetches each page that it finds, to show a piece of it. A browser that has the book
// from files fetches nothing: there the titles must do, or each would stand beside an error.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined")
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

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
  // sees to that when a page is loaded; here also for what is opened later, for formulas, and for
  // tables that their formulas widen.
  // It fades out at its right until its end is seen: no scroll bar says so on a phone.
  const fade = (place) => {
    const hidden = place.scrollWidth - place.clientWidth - place.scrollLeft;
    place.classList.toggle("goes-on", hidden > 1);
  };
  const wide = new ResizeObserver((changes) => {
    for (const { target } of changes) {
      const place = target.tagName === "TABLE" ? target.parentElement : target;
      fade(place);
      if (place.scrollWidth <= place.clientWidth) continue;
      place.onscroll = () => fade(place);
      place.tabIndex = 0;
      if (!place.matches(".pst-scrollable-table-container")) continue;
      place.setAttribute("role", "region");
      place.setAttribute("aria-label", "Table, scrolls sideways");
    }
  });
  const containers = ".pst-scrollable-table-container";
  const places = `pre, div.math, ${containers}, ${containers} > table`;
  for (const place of document.querySelectorAll(places)) wide.observe(place);

  // Docutils gives the works of a bibliography a role that is out of use, within a list.
  for (const work of document.querySelectorAll(".citation-list > .citation")) {
    work.setAttribute("role", "listitem");
  }

  followContents();
});
