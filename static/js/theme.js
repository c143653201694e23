// Light, dark or as the system says, and dense rows; kept in this browser. Loaded in <head>, so
// nothing flashes.
// Charts can listen to "pawl:theme" on document and ask pawlColour("--pass").
(() => {
  const root = document.documentElement;
  const order = ["system", "light", "dark"];
  const stored = () => { try { return localStorage.getItem("pawl-theme") || "system"; } catch { return "system"; } };

  function apply(theme) {
    if (theme === "system") root.removeAttribute("data-theme");
    else root.dataset.theme = theme;
    root.dataset.themeChoice = theme;
  }
  function label(button) {
    button.setAttribute("aria-label", `Theme: ${stored()}. Change`);
    button.title = `Theme: ${stored()}`;
  }

  window.pawlColour = (token) => {
    const probe = document.body.appendChild(document.createElement("span"));
    probe.style.color = `var(${token})`;
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };

  const dense = () => { try { return localStorage.getItem("pawl-density") === "compact"; } catch { return false; } };
  const pack = () => { root.dataset.density = dense() ? "compact" : "roomy"; };

  apply(stored());
  pack();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event("pawl:theme")));
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-button]");
    const rows = document.querySelector("[data-density-switch]");
    if (!button) return;
    rows.checked = dense();
    rows.addEventListener("change", () => {
      try { localStorage.setItem("pawl-density", rows.checked ? "compact" : "roomy"); } catch { /* this page only */ }
      pack();
    });
    label(button);
    button.addEventListener("click", () => {
      const next = order[(order.indexOf(stored()) + 1) % order.length];
      try { localStorage.setItem("pawl-theme", next); } catch { /* private window: this page only */ }
      apply(next);
      label(button);
      document.dispatchEvent(new Event("pawl:theme"));
    });
  });
})();
