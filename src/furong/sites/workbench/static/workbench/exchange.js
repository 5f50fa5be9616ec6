// Keeps the exchange's page live: every few seconds its figures and map are fetched anew, while somebody looks at it.
// Without this script the page is whole; it is then as old as its last loading. A button holds it still (WCAG 2.2.2).
(() => {
  const live = document.querySelector("[data-live]");
  const button = document.querySelector("[data-live-switch]");
  if (!live || !button || !window.fetch) return;
  let still = false;
  const name = () => {
    button.textContent = still ? button.dataset.go : button.dataset.pause;
    button.setAttribute("aria-pressed", String(still));
  };
  button.hidden = false;
  name();
  button.addEventListener("click", () => {
    still = !still;
    name();
  });
  const renew = async () => {
    // Who reads with the keyboard inside, or has chosen a text, is not interrupted.
    const chosen = window.getSelection && !window.getSelection().isCollapsed;
    if (still || chosen || document.visibilityState !== "visible" || live.contains(document.activeElement)) return;
    try {
      const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
      if (found) live.replaceChildren(...found.childNodes);
    } catch {
      // Away for a moment: the next time.
    }
  };
  window.setInterval(renew, Number(live.dataset.live) * 1000);
})();
