// Offers phrases while somebody types: a list box after the pattern of WAI-ARIA 1.2 (combobox with list autocomplete).
// Without this script the box is a plain form.
(() => {
  "use strict";
  const WAIT_MS = 90;
  for (const input of document.querySelectorAll("input[data-suggest]")) attach(input);

  function attach(input) {
    const list = document.createElement("ul");
    list.id = `${input.id}-suggestions`;
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.dataset.suggestLabel);
    list.hidden = true;
    input.form.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);

    const known = new Map();
    let typed = input.value, chosen = -1, timer = 0, asked = 0;

    const close = () => {
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const show = (found) => {
      list.replaceChildren(...found.map((one, place) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${place}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        const words = document.createElement("span");
        words.textContent = one.text;
        item.append(words);
        if (one.kind) {
          const kind = document.createElement("small");
          kind.textContent = one.kind;
          item.append(kind);
        }
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          input.value = one.text;
          close();
          input.form.requestSubmit();
        });
        return item;
      }));
      chosen = -1;
      list.hidden = found.length === 0;
      input.setAttribute("aria-expanded", String(!list.hidden));
    };
    const ask = async () => {
      const words = input.value.trim();
      typed = input.value;
      if (!words) return close();
      if (known.has(words)) return show(known.get(words));
      const turn = ++asked;
      try {
        const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
        if (!answer.ok || turn !== asked) return;
        const found = (await answer.json()).suggestions;
        if (known.size > 200) known.clear();
        known.set(words, found);
        if (document.activeElement === input) show(found);
      } catch {
        close();
      }
    };
    const choose = (place) => {
      const items = list.children;
      if (chosen >= 0) items[chosen].setAttribute("aria-selected", "false");
      chosen = place;
      if (chosen < 0) {
        input.value = typed;
        input.removeAttribute("aria-activedescendant");
        return;
      }
      items[chosen].setAttribute("aria-selected", "true");
      input.setAttribute("aria-activedescendant", items[chosen].id);
      input.value = items[chosen].firstChild.textContent;
    };
    input.addEventListener("input", (event) => {
      clearTimeout(timer);
      if (!event.isComposing) timer = setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("compositionend", () => { timer = setTimeout(ask, WAIT_MS); });
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || list.hidden) return;
      const count = list.children.length;
      if (event.key === "ArrowDown") { event.preventDefault(); choose(chosen + 1 < count ? chosen + 1 : -1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen < 0 ? count - 1 : chosen - 1); }
      else if (event.key === "Escape") { event.preventDefault(); input.value = typed; close(); }
    });
    input.addEventListener("blur", close);
  }
})();
