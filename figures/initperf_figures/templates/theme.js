// A button chooses between the colours of the system, light and dark.
{
  const names = ["system", "light", "dark"];
  const root = document.documentElement;
  const stored = () => {
    try { return localStorage.getItem("initperf-theme"); } catch { return null; }
  };
  const button = document.createElement("button");
  button.type = "button";
  button.className = "theme";
  const choose = (name) => {
    if (name === "system") delete root.dataset.theme;
    else root.dataset.theme = name;
    button.textContent = `Colours: ${name}`;
    button.dataset.chosen = name;
  };
  const first = stored();
  choose(names.includes(first) ? first : "system");
  button.addEventListener("click", () => {
    const next = names[(names.indexOf(button.dataset.chosen) + 1) % names.length];
    choose(next);
    try { localStorage.setItem("initperf-theme", next); } catch { /* a file may have no storage */ }
  });
  document.querySelector("header").append(button);
}
