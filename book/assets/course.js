// The title of a folded solution is a link to its exercise, which stands above it. It is to open the
// solution instead: the style sheet lets taps through to the box, and this keeps Tab from stopping.
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll(".solution.dropdown > .admonition-title a")) {
    link.tabIndex = -1;
  }
});
