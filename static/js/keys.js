// Lists by keyboard: ↑ ↓ (or k j) move, Enter opens, / goes to the search field.
// A person can switch single-key shortcuts off in the user menu (WCAG 2.1.4).
(() => {
  const root = document.documentElement;
  const on = () => { try { return localStorage.getItem("pawl-keys") !== "off"; } catch { return true; } };
  const show = () => { root.dataset.keys = on() ? "on" : "off"; };
  const writing = (el) => el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName);
  const links = () => [...document.querySelectorAll("[data-keys-list] [data-row]")];

  function move(by) {
    const all = links();
    if (!all.length) return;
    const here = all.indexOf(document.activeElement);
    const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + by));
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (!on() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("dialog, details.menu[open]")) return;
    if (writing(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    const search = document.querySelector("[data-search]");
    if (step && links().length) { event.preventDefault(); move(step); }
    else if (event.key === "/" && search) { event.preventDefault(); search.focus(); }
  });

  show();
  document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-keys-switch]");
    if (!box) return;
    box.checked = on();
    box.addEventListener("change", () => {
      try { localStorage.setItem("pawl-keys", box.checked ? "on" : "off"); } catch { /* this page only */ }
      show();
    });
  });
})();
