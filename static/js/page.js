// What any page may use, by attribute: data-copy, data-confirm (id of a dialog), data-close,
// data-pause (stops the polls), data-apply (a form sent when a field changes).
(() => {
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const from = copy.dataset.copyFrom;
      const text = from ? document.getElementById(from).textContent : copy.dataset.copy;
      try { await navigator.clipboard.writeText(text); said(copy, "Copied"); }
      catch { said(copy, "Select and copy by hand"); }
    }
    const ask = event.target.closest("[data-confirm]");
    if (ask) { event.preventDefault(); document.getElementById(ask.dataset.confirm).showModal(); }
    const close = event.target.closest("[data-close]");
    if (close) close.closest("dialog").close();
    const pause = event.target.closest("[data-pause]");
    if (pause) {
      const paused = pause.getAttribute("aria-pressed") !== "true";
      pause.setAttribute("aria-pressed", String(paused));
      pause.querySelector("span").textContent = paused ? "Resume updates" : "Pause updates";
    }
    for (const menu of document.querySelectorAll("details.menu[open]"))
      if (!menu.contains(event.target)) menu.open = false;
  });

  function said(button, word) {
    const old = button.title;
    button.title = word;
    button.dataset.said = word;
    const live = document.getElementById("said");
    if (live) live.textContent = word;
    setTimeout(() => { button.title = old; delete button.dataset.said; if (live) live.textContent = ""; }, 1600);
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-apply]");
    if (form) form.requestSubmit();
  });
  // Empty fields stay out of the URL of a filter form.
  document.addEventListener("formdata", (event) => {
    if (event.target.matches("form[data-apply]"))
      for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const pause = document.querySelector("[data-pause]");
    const busy = event.target.contains(document.getSelection().anchorNode) && !document.getSelection().isCollapsed;
    const polls = (event.target.getAttribute("hx-trigger") || "").includes("every");
    if (polls && busy) event.preventDefault(); // somebody is copying from it
    if (polls && pause && pause.getAttribute("aria-pressed") === "true") event.preventDefault();
  });

  // A link to #step-17 opens whatever hides it.
  function reveal() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView({ block: "start" });
  }
  addEventListener("hashchange", reveal);
  document.addEventListener("DOMContentLoaded", () => {
    if (matchMedia("(max-width: 1000px)").matches)
      for (const fold of document.querySelectorAll("[data-fold-narrow]")) fold.open = false;
    document.querySelector(".nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
    reveal();
  });
})();
