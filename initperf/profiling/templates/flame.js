for (const graph of document.querySelectorAll(".flame")) {
  const boxes = [...graph.querySelectorAll("button")];
  const said = graph.nextElementSibling;
  const number = (box, name) => Number(box.dataset[name]);
  for (const chosen of boxes) {
    chosen.addEventListener("click", () => {
      const left = number(chosen, "left"), width = number(chosen, "width");
      for (const box of boxes) {
        const begin = number(box, "left"), end = begin + number(box, "width");
        const from = Math.max(begin, left), to = Math.min(end, left + width);
        box.hidden = to - from <= 1e-9;
        box.style.left = 100 * (from - left) / width + "%";
        box.style.width = 100 * (to - from) / width + "%";
      }
    });
    const say = () => { said.textContent = chosen.title; };
    chosen.addEventListener("mouseenter", say);
    chosen.addEventListener("focus", say);
  }
}
