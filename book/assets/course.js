// The title of a folded solution links to its exercise: a click there follows the link, and does
// not fold (togglebutton looks for its button in whatever was clicked, and fails on a link).
document.addEventListener(
  "click",
  (event) => {
    if (event.target.closest(".admonition-title a")) event.stopPropagation();
  },
  true,
);
