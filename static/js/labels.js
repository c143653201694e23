// One label for one attempt: 1 right, 2 wrong, 3 can't tell. Off with the other single-key
// shortcuts (keys.js). A second press, or a key held down, is never a second label.
(() => {
  const form = document.getElementById("label-form");
  if (!form) return;
  let sent = false;

  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    form.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // back to a page that was answered
  });

  document.addEventListener("keydown", (event) => {
    if (document.documentElement.dataset.keys === "off" || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable) return;
    if (event.target.closest?.("dialog, details.menu[open]")) return;
    const button = form.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
})();
