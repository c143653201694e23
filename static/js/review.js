// The decision box: a button asks for the reason first, then opens the dialog that names the exact
// version. What was written stays in this browser until it was sent (an expired session, a closed
// tab), and is offered again.
(() => {
  const form = document.getElementById("decision");
  if (!form) return;
  const reason = form.elements.reason;
  const key = `pawl-${form.dataset.draft}`;
  const kept = (act) => { try { return act(localStorage); } catch { return null; } };

  if (!reason.value) reason.value = kept((store) => store.getItem(key)) || "";
  reason.addEventListener("input", () => kept((store) => store.setItem(key, reason.value)));
  document.addEventListener("submit", (event) => {
    if (event.target === form) kept((store) => store.removeItem(key));
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-decide]");
    if (!button || !form.reportValidity()) return;
    const dialog = document.getElementById(button.dataset.decide);
    dialog.querySelector("[data-reason]").textContent = reason.value;
    dialog.showModal();
  });
})();
