// An explorer of frames: a slider, and perhaps a button, move between pictures that were drawn
// while the book was built (lectures_helpers/teaching/explore.py). Without this the start is shown.
export function startFrames(root) {
  const slider = root.querySelector("input");
  const button = root.querySelector("button");
  const output = root.querySelector("output");
  const frames = [...root.querySelectorAll(".explorer-frame")];
  let timer = null;
  const show = (i) => {
    frames.forEach((frame, j) => frame.classList.toggle("shown", i === j));
    slider.value = i;
    output.value = frames[i].dataset.value;
    slider.setAttribute("aria-valuetext", frames[i].dataset.value);
  };
  const pause = () => {
    clearInterval(timer);
    timer = null;
    if (button) button.textContent = "Play";
  };
  const step = () => {
    show(slider.valueAsNumber + 1);
    if (slider.valueAsNumber === frames.length - 1) pause();
  };
  slider.addEventListener("input", () => { pause(); show(slider.valueAsNumber); });
  button?.addEventListener("click", () => {
    if (timer !== null) return pause();
    if (slider.valueAsNumber === frames.length - 1) show(0);
    timer = setInterval(step, Number(button.dataset.ms));
    button.textContent = "Pause";
  });
  for (const control of [slider, button]) if (control) control.hidden = false;
}
